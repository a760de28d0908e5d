/* sqlite-size.c -- see sqlite-size.h */
#include "sqlite-size.h"

#include "record.h"
#include "sqlite-catalog.h"

#include <stdlib.h>

enum { COUNTED = 10000 };

struct estimating {
	struct db *db;
	struct diag *d;
	char **name;
	size_t n;
};

static int take_name(void *arg, const struct db_value *v, size_t n)
{
	struct estimating *e = arg;

	(void)n;
	e->name = xrealloc(e->name, e->n + 1, sizeof *e->name);
	e->name[e->n++] = xmemdup(v[0].s, v[0].n);
	return 0;
}

/* Exact as long as counting is cheap, then the largest rowid, where there is one. */
static int estimate(struct estimating *e, const char *name, bool has_rowid, struct buf *n)
{
	struct buf sql = BUF_INIT, table = BUF_INIT;

	db_name(&table, name);
	buf_addf(&sql, "SELECT count(*) FROM (SELECT 1 FROM %s LIMIT %d)", table.s, COUNTED);
	int rc = db_one(e->db, sql.s, NULL, 0, n, e->d);

	if (rc == 1 && has_rowid && strtol(n->s, NULL, 10) == COUNTED) {
		buf_reset(&sql);
		buf_reset(n);
		buf_addf(&sql, "SELECT CAST(max(_rowid_) AS INTEGER) FROM %s", table.s);
		rc = db_one(e->db, sql.s, NULL, 0, n, e->d);
	}
	buf_release(&sql);
	buf_release(&table);
	return rc;
}

static int estimate_all(struct estimating *e, bool has_rowid, struct items *l)
{
	int rc = 0;

	for (size_t i = 0; i < e->n && rc >= 0; i++) {
		struct buf json = BUF_INIT, n = BUF_INIT;

		rc = estimate(e, e->name[i], has_rowid, &n);
		canon_string(&json, e->name[i], strlen(e->name[i]));
		buf_addch(&json, ':');
		buf_addstr(&json, rc == 1 ? n.s : "0");
		items_add(l, e->name[i], &json);
		buf_release(&n);
	}
	return rc < 0 ? -1 : 0;
}

static int estimate_kind(struct db *db, bool has_rowid, struct items *l, struct diag *d)
{
	struct estimating e = { .db = db, .d = d };
#define OF_KIND(rowid) \
	"SELECT t.name FROM pragma_table_list t WHERE t.schema = 'main' AND t.type = 'table' AND t.wr = " rowid " AND "
	static const char *const sql[] = { OF_KIND("1") OURS("t.name"), OF_KIND("0") OURS("t.name") };
	int rc = db->ops->query(db, sql[has_rowid], NULL, 0, take_name, &e, d);

	if (rc == 0)
		rc = estimate_all(&e, has_rowid, l);
	for (size_t i = 0; i < e.n; i++)
		free(e.name[i]);
	free(e.name);
	return rc;
}

int sqlite_estimates(struct db *db, struct buf *out, struct diag *d)
{
	struct items l = { NULL, 0 };
	int rc = estimate_kind(db, false, &l, d) < 0 || estimate_kind(db, true, &l, d) < 0 ? -1 : 0;

	items_sort(&l);
	buf_addch(out, '{');
	for (size_t i = 0; i < l.n; i++) {
		if (i)
			buf_addch(out, ',');
		buf_addstr(out, l.v[i].json);
	}
	items_release(&l);
	buf_addch(out, '}');
	return rc;
}
