/* rowmerge.c -- see rowmerge.h */
#include "rowmerge.h"

#include "digitruns.h"

#include <inttypes.h>
#include <stdlib.h>

/* One range. */
struct range {
	struct db_cursor *cursor;
	const struct db_value *row; /* the next one; NULL: there is none */
};

struct merging {
	struct tablerow *row;
	const struct rowsource *s;
	struct db *db;
	struct diag *d;
	struct range range[DIGITRUNS];
	size_t n;
};

/* ---- opening ---- */

static int take_end(void *arg, const struct db_value *v, size_t n)
{
	int64_t *end = arg;

	for (size_t i = 0; i < n && i < 2 && v[i].s; i++)
		end[i] = strtoll(v[i].s, NULL, 10);
	return 0;
}

/* The least and the greatest key; end[0] > end[1] where there is no row. */
static int find_ends(struct merging *m, int64_t end[2])
{
	struct buf sql = BUF_INIT, key = BUF_INIT;

	end[0] = 1;
	end[1] = 0;
	db_name(&key, m->s->key);
	buf_addf(&sql, "SELECT min(%s), max(%s) FROM (", key.s, key.s);
	buf_add(&sql, m->s->from.s, m->s->from.len);
	buf_addstr(&sql, ") AS mig_rows");
	int rc = m->db->ops->query(m->db, sql.s, NULL, 0, take_end, end, m->d);

	buf_release(&sql);
	buf_release(&key);
	return rc;
}

static int advance(struct merging *m, struct range *r)
{
	int rc = m->db->ops->next(r->cursor, &r->row, m->d);

	if (rc <= 0)
		r->row = NULL;
	return rc < 0 ? -1 : 0;
}

static int open_range(struct merging *m, const struct digitrun *run)
{
	struct buf sql = BUF_INIT, key = BUF_INIT, where = BUF_INIT, order = BUF_INIT;
	bool least = run->least == INT64_MIN; /* which cannot be spelled as an integer */
	struct range *r = &m->range[m->n++];

	db_name(&key, m->s->key);
	buf_addf(&where, "%s >= %" PRId64 "%s AND %s <= %" PRId64, key.s, least ? -INT64_MAX : run->least,
	         least ? " - 1" : "", key.s, run->most);
	buf_addf(&order, "%s%s", key.s, run->down ? " DESC" : "");
	rowsource_sql(m->s, where.s, order.s, &sql);
	r->cursor = m->db->ops->cursor(m->db, sql.s);
	int rc = advance(m, r);

	buf_release(&sql);
	buf_release(&key);
	buf_release(&where);
	buf_release(&order);
	return rc;
}

static int open_ranges(struct merging *m, const char *after)
{
	struct digitrun run[DIGITRUNS];
	size_t prefix = strlen(m->s->prefix), n;
	int64_t end[2];

	if (find_ends(m, end) < 0)
		return -1;
	n = digitruns(end[0], end[1], after && strncmp(after, m->s->prefix, prefix) == 0 ? after + prefix : "", run);
	for (size_t i = 0; i < n; i++)
		if (open_range(m, &run[i]) < 0)
			return -1;
	return 0;
}

/* ---- merging ---- */

/* The range whose next row comes first, or NULL at the end. */
static struct range *least_of(struct merging *m)
{
	struct range *least = NULL;
	struct text first = { NULL, 0 };

	for (struct range *r = m->range; r < m->range + m->n; r++) {
		if (!r->row)
			continue;
		const struct db_value *key = &r->row[m->row->key];
		struct text id = { key->s, key->n };

		if (!least || text_compare(id, first) < 0) {
			least = r;
			first = id;
		}
	}
	return least;
}

static int merge(struct merging *m, struct rowout *out)
{
	struct range *r = m->range;

	while (r < m->range + m->n && !r->row)
		r++;
	if (r == m->range + m->n)
		return 0;
	tablerow_begin(m->row, m->s, r->cursor);
	while ((r = least_of(m))) {
		struct row row = tablerow_make(m->row, r->cursor, r->row);

		if (rowout_put(out, &row, m->d) < 0 || advance(m, r) < 0)
			return -1;
	}
	return 0;
}

int rowmerge_put(struct tablerow *row, const struct rowsource *s, struct db *db, struct rowout *out, struct diag *d)
{
	struct merging m = { .row = row, .s = s, .db = db, .d = d };
	int rc = open_ranges(&m, out->after) < 0 ? -1 : merge(&m, out);

	for (size_t i = 0; i < m.n; i++)
		db->ops->done(m.range[i].cursor);
	return rc;
}
