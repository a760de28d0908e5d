/* tablerows.c -- see tablerows.h */
#include "tablerows.h"

#include "cell.h"
#include "digitruns.h"
#include "fs-root.h"
#include "progress.h"
#include "rowout.h"
#include "rowsource.h"
#include "set.h"
#include "store.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LARGE_SHARE = 4 }; /* of a record, as for files */

/* A member of the body: `"title":` and the column that it is. */
struct field {
	struct buf name;
	size_t column;
};

struct tablerows {
	struct db *db;
	struct diag *d;
	struct rowout out;
	struct rowsources sources;
	struct query query;
	const struct rowsource *source; /* the one at hand */
	struct field *field;            /* of its rows, in canonical order */
	size_t nfield, key;
	struct cell cell;
	struct buf body, ref, reason;
	char hash[HEX_SIZE];
	size_t max;
};

/* ---- a row ---- */

static int by_name(const void *x, const void *y, void *columns)
{
	const struct field *a = x, *b = y;
	const struct db_column *c = columns;

	return doc_compare_keys(c[a->column].name, strlen(c[a->column].name), c[b->column].name,
	                        strlen(c[b->column].name));
}

static void forget_fields(struct tablerows *r)
{
	for (size_t i = 0; i < r->nfield; i++)
		buf_release(&r->field[i].name);
	free(r->field);
	r->field = NULL;
	r->nfield = 0;
}

static void take_fields(struct tablerows *r, const struct rowsource *s, const struct db_cursor *c)
{
	forget_fields(r);
	r->source = s;
	r->nfield = c->n;
	r->field = xcalloc(c->n + 1, sizeof *r->field);
	for (size_t i = 0; i < c->n; i++) {
		r->field[i].column = i;
		if (strcmp(c->column[i].name, s->key) == 0)
			r->key = i;
	}
	qsort_r(r->field, c->n, sizeof *r->field, by_name, c->column);
	for (size_t i = 0; i < c->n; i++) {
		const char *name = c->column[r->field[i].column].name;

		canon_string(&r->field[i].name, name, strlen(name));
		buf_addch(&r->field[i].name, ':');
	}
}

/* Make the body.  A value that has no JSON is in it as db_json has it, for the hash, and r->reason says which. */
static void make_body(struct tablerows *r, const struct db_cursor *c, const struct db_value *v)
{
	char before = '{';

	buf_reset(&r->body);
	buf_reset(&r->reason);
	for (size_t i = 0; i < r->nfield; i++) {
		const struct field *f = &r->field[i];

		buf_addch(&r->body, before);
		before = ',';
		buf_add(&r->body, f->name.s, f->name.len);
		const char *why = cell_write(&r->cell, &c->column[f->column], &v[f->column], &r->body);

		if (!why)
			continue;
		db_json(&r->body, &v[f->column]);
		if (r->reason.len == 0)
			buf_addf(&r->reason, "column %s: %s", c->column[f->column].name, why);
	}
	buf_addch(&r->body, '}');
}

/* The row as a record: an id that is an integer or a text, or a hash in its place. */
static struct row make_row(struct tablerows *r, const struct db_cursor *c, const struct db_value *v)
{
	const struct db_value *key = &v[r->key];
	bool keyed = key->n && c->column[r->key].keyed && (key->type == DB_INT || key->type == DB_TEXT);

	progress_tick();
	make_body(r, c, v);
	digest_hex(r->body.s, r->body.len, r->hash);
	buf_reset(&r->ref);
	buf_addstr(&r->ref, r->source->prefix);
	if (keyed)
		fs_escape(&r->ref, key->s, key->n);
	else
		buf_add(&r->ref, r->hash, HEX_LEN);
	struct row row = {
		.entity = text_cstr(r->source->entity),
		.ref = { r->ref.s, r->ref.len },
		.hash = r->hash,
		.body = { r->body.s, r->body.len },
	};

	if (!keyed || !utf8_valid(key->s, key->n)) {
		row.code = "no_id";
		row.reason = key->type == DB_NULL ? "the key is null"
		             : key->n == 0        ? "the key is empty"
		             : keyed              ? "the key is a text that is no UTF-8"
		                                  : "the key is neither an integer nor a text";
	} else if (r->reason.len) {
		row.code = "bad_value";
		row.reason = r->reason.s;
	} else if (r->body.len > r->max / LARGE_SHARE) {
		row.code = "too_large";
		row.reason = "larger than a quarter of MIG_MAX_RECORD";
	}
	return row;
}

/* ---- rows of one source ---- */

/* All rows of a cursor: kept, to be sorted, or put as they come. */
static int read_cursor(struct tablerows *r, const struct rowsource *s, struct db_cursor *c, bool sorted)
{
	const struct db_value *v;
	bool first = true;
	int rc;

	while ((rc = r->db->ops->next(c, &v, r->d)) > 0) {
		if (first)
			take_fields(r, s, c);
		first = false;
		struct row row = make_row(r, c, v);

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

/* ---- integers: ranges that are in the order of their texts, merged ---- */

struct merging {
	struct db_cursor *cursor;
	const struct db_value *row; /* the next one; NULL: there is none */
};

static int advance(struct tablerows *r, struct merging *m)
{
	int rc = r->db->ops->next(m->cursor, &m->row, r->d);

	if (rc <= 0)
		m->row = NULL;
	return rc < 0 ? -1 : 0;
}

static bool is_before(const struct db_value *a, const struct db_value *b)
{
	int c = memcmp(a->s, b->s, a->n < b->n ? a->n : b->n);

	return c ? c < 0 : a->n < b->n;
}

static int merge(struct tablerows *r, const struct rowsource *s, struct merging *m, size_t n)
{
	for (;;) {
		struct merging *least = NULL;

		for (size_t i = 0; i < n; i++) {
			if (!m[i].row)
				continue;
			if (!r->field)
				take_fields(r, s, m[i].cursor);
			if (!least || is_before(&m[i].row[r->key], &least->row[r->key]))
				least = &m[i];
		}
		if (!least)
			return 0;
		struct row row = make_row(r, least->cursor, least->row);

		if (rowout_put(&r->out, &row, r->d) < 0 || advance(r, least) < 0)
			return -1;
	}
}

static int open_range(struct tablerows *r, const struct rowsource *s, const struct digitrun *range, struct merging *m)
{
	struct buf sql = BUF_INIT, key = BUF_INIT, where = BUF_INIT, order = BUF_INIT;

	db_name(&key, s->key);
	/* the least integer cannot be spelled as one */
	buf_addf(&where, "%s >= %" PRId64 "%s AND %s <= %" PRId64, key.s,
	         range->least == INT64_MIN ? -INT64_MAX : range->least, range->least == INT64_MIN ? " - 1" : "", key.s,
	         range->most);
	buf_addf(&order, "%s%s", key.s, range->down ? " DESC" : "");
	rowsource_sql(s, where.s, order.s, &sql);
	m->cursor = r->db->ops->cursor(r->db, sql.s);
	int rc = advance(r, m);

	buf_release(&sql);
	buf_release(&key);
	buf_release(&where);
	buf_release(&order);
	return rc;
}

static int take_end(void *arg, const struct db_value *v, size_t n)
{
	int64_t *end = arg;

	for (size_t i = 0; i < n && i < 2 && v[i].s; i++)
		end[i] = strtoll(v[i].s, NULL, 10);
	return 0;
}

/* The least and the greatest key; end[0] > end[1] where there is no row. */
static int find_ends(struct tablerows *r, const struct rowsource *s, int64_t end[2])
{
	struct buf sql = BUF_INIT, key = BUF_INIT;

	end[0] = 1;
	end[1] = 0;
	db_name(&key, s->key);
	buf_addf(&sql, "SELECT min(%s), max(%s) FROM (", key.s, key.s);
	buf_add(&sql, s->from.s, s->from.len);
	buf_addstr(&sql, ") AS mig_rows");
	int rc = r->db->ops->query(r->db, sql.s, NULL, 0, take_end, end, r->d);

	buf_release(&sql);
	buf_release(&key);
	return rc;
}

static int read_integers(struct tablerows *r, const struct rowsource *s)
{
	struct merging m[DIGITRUNS] = { { NULL, NULL } };
	struct digitrun range[DIGITRUNS];
	size_t n = 0, prefix = strlen(s->prefix);
	const char *after = r->out.after && strncmp(r->out.after, s->prefix, prefix) == 0 ? r->out.after + prefix : "";
	int64_t end[2];
	int rc = find_ends(r, s, end);

	forget_fields(r);
	if (rc == 0)
		n = digitruns(end[0], end[1], after, range);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = open_range(r, s, &range[i], &m[i]);
	if (rc == 0)
		rc = merge(r, s, m, n);
	for (size_t i = 0; i < n; i++)
		r->db->ops->done(m[i].cursor);
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
		return read_integers(r, s);
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
	struct tablerows r = { .d = d, .query = QUERY_INIT, .cell = CELL_INIT, .max = stream_max_record() };
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
	struct buf *bufs[] = { &r.body, &r.ref, &r.reason };

	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		buf_release(bufs[i]);
	forget_fields(&r);
	cell_release(&r.cell);
	rowsources_release(&r.sources);
	query_release(&r.query);
	rowout_release(&r.out);
	free(entity);
	return rc;
}
