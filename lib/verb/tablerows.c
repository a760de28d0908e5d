/* tablerows.c -- see tablerows.h */
#include "tablerows.h"

#include "rowmerge.h"
#include "set-read.h"
#include "store.h"

#include <stdlib.h>

struct tablerows {
	struct db *db;
	struct diag *d;
	struct rowout out;
	struct rowsources sources;
	struct query query;
	struct tablerow row;
};

/* ---- rows of one source ---- */

/* All rows of a cursor: kept, to be sorted, or put as they come. */
static int read_cursor(struct tablerows *r, const struct rowsource *s, struct db_cursor *c, bool sorted)
{
	const struct db_value *v;
	bool first = true;
	int rc;

	while ((rc = r->db->ops->next(c, &v, r->d)) > 0) {
		if (first)
			tablerow_begin(&r->row, s, c);
		first = false;
		struct row row = tablerow_make(&r->row, c, v);

		if ((sorted ? rowout_put(&r->out, &row, r->d) : rowout_keep(&r->out, &row, r->d)) < 0)
			return -1;
	}
	return rc;
}

static int read_statement(struct tablerows *r, const struct rowsource *s)
{
	bool sorted = s->order == TABLE_SORTED;
	struct buf sql = BUF_INIT, key = BUF_INIT;

	db_name(&key, s->key);
	rowsource_sql(s, NULL, sorted ? key.s : NULL, &sql);
	struct db_cursor *c = r->db->ops->cursor(r->db, sql.s);
	int rc = read_cursor(r, s, c, sorted);

	r->db->ops->done(c);
	buf_release(&key);
	buf_release(&sql);
	return rc;
}

/* ---- all of them ---- */

static int keep_unsorted(struct tablerows *r)
{
	int rc = 0;

	for (size_t i = 0; i < r->sources.n && rc == 0; i++)
		if (r->sources.v[i].order == TABLE_ANY && !r->sources.v[i].past)
			rc = read_statement(r, &r->sources.v[i]);
	return rc < 0 ? -1 : rowout_sort(&r->out, r->d);
}

static int put_source(struct tablerows *r, const struct rowsource *s)
{
	if (s->past)
		return 0;
	switch (s->order) {
	case TABLE_INTEGERS:
		return rowmerge_put(&r->row, s, r->db, &r->out, r->d);
	case TABLE_SORTED:
		return read_statement(r, s);
	default:
		return rowout_put_kept(&r->out, s->prefix, r->d);
	}
}

/* Inside one transaction. */
static int read_rows(struct tablerows *r, const struct tablerows_ask *ask)
{
	bool asked = r->query.text.len > 0;
	const struct rowsource_ask what = {
		.query = asked ? &r->query : NULL,
		.file = ask->query,
		.after = ask->after,
	};
	const struct snapshot shot = {
		.after = ask->after,
		.env = ask->env,
		.query_hash = asked ? r->query.hash : NULL,
		.source = r->db->ops->dialect,
		.tenant = ask->tenant,
	};

	if (rowsources_read(&r->sources, r->db, &what, r->d) < 0 || keep_unsorted(r) < 0 ||
	    rowout_snapshot(&r->out, &shot) < 0)
		return -1;
	for (size_t i = 0; i < r->sources.n; i++)
		if (put_source(r, &r->sources.v[i]) < 0)
			return -1;
	return 0;
}

static int read_store(struct tablerows *r, struct store *s, const struct tablerows_ask *ask)
{
	r->db = s->ops->database(s);
	if (s->ops->confine(s, r->d) < 0 || r->db->ops->begin(r->db, false, r->d) < 0)
		return -1;
	if (read_rows(r, ask) == 0 && r->db->ops->commit(r->db, r->d) == 0)
		return rowout_end(&r->out);
	r->db->ops->rollback(r->db);
	return -1;
}

/* The entity that a set of records takes, NULL for any, as a new string in *entity. */
static int read_set(const char *dir, char **entity, struct diag *d)
{
	struct set *set = set_read(dir, d);
	int rc = set ? 0 : -1;

	if (set && !set->targets)
		rc = diag_add(d, MIG_USAGE, "no_documents", set->id,
		              "a database holds no documents: rows want a set of mode records");
	else if (set && set->entity)
		*entity = xstrdup(set->entity);
	set_free(set);
	return rc;
}

int tablerows_run(const struct tablerows_ask *ask, struct out *out, struct diag *d)
{
	struct tablerows r = { .d = d, .query = QUERY_INIT, .row = TABLEROW_INIT(stream_max_record()) };
	char *entity = NULL;
	struct store *s = NULL;
	int rc = rowout_init(&r.out, out, ask->after, d);

	if (rc == 0 && ask->set)
		rc = read_set(ask->set, &entity, d);
	const char *only = ask->entity ? ask->entity : ask->query ? NULL : entity;

	if (rc == 0 && (ask->query || only))
		rc = query_read(&r.query, ask->query, only, d);
	if (rc == 0)
		s = store_open(ask->uri, STORE_READ, d);
	rc = s ? read_store(&r, s, ask) : -1;
	store_close(s);
	tablerow_release(&r.row);
	rowsources_release(&r.sources);
	query_release(&r.query);
	rowout_release(&r.out);
	free(entity);
	return rc;
}
