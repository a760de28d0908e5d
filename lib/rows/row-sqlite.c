/* row-sqlite.c -- rows of a group in SQLite: a statement, compiled once, for each row */
#include "row-work.h"

#include <stdlib.h>

/* {"hex":"00ff"} and the like, as db_json writes what JSON has no value for. */
static bool is_form(const struct doc *doc, uint32_t t)
{
	return doc->tok[t].n == 1 && (doc_equals(doc, t + 1, "hex", 3) || doc_equals(doc, t + 1, "text", 4) ||
	                              doc_equals(doc, t + 1, "real", 4));
}

/* Arrays and objects are kept as their canonical text, in w->arena, which has room for it. */
static struct db_value value_of(struct row_work *w, const struct row_column *c, uint32_t t)
{
	const struct tok *k = &w->doc->tok[t];
	bool json = c && c->json;

	if (k->type != DOC_ARRAY && (k->type != DOC_OBJECT || (!json && is_form(w->doc, t))))
		return db_value_of(w->doc, t, &w->arena);
	size_t at = w->arena.len;

	canon_value(&w->arena, w->doc, t, DOC_NONE);
	size_t n = w->arena.len - at;

	buf_addch(&w->arena, '\0');
	return (struct db_value){ DB_TEXT, w->arena.s + at, n };
}

/* For each field, in order, what stands between, and how it is used: "c" = $2; the key is $1. */
enum use { NAMED, SET, COMPARED, NUMBERED };

static void add_fields(struct buf *sql, const struct row_group *g, enum use use)
{
	size_t p = 2;

	for (size_t i = row_field_next(g, 0); i < g->nfield; i = row_field_next(g, i + 1), p++) {
		buf_addstr(sql, p > 2 || use != SET ? ", " : "");
		if (use != NUMBERED)
			db_name(sql, g->field[i].column->name);
		if (use != NAMED)
			buf_addf(sql, "%s$%zu", use == SET ? " = " : use == COMPARED ? " IS " : "", p);
	}
}

/* The statement for one row: the text in w->sql.  "" where an update has nothing to set. */
static const char *statement(struct row_work *w, const struct row_group *g, enum row_need need)
{
	struct buf *sql = &w->sql;

	buf_reset(sql);
	if (need == ROW_UPDATE && row_field_next(g, 0) == g->nfield)
		return "";
	buf_addstr(sql, need == ROW_INSERT ? "INSERT INTO " : need == ROW_UPDATE ? "UPDATE " : "DELETE FROM ");
	db_name(sql, g->table->name);
	if (need == ROW_INSERT) {
		buf_addstr(sql, " (");
		db_name(sql, g->table->key);
		add_fields(sql, g, NAMED);
		buf_addstr(sql, ") VALUES ($1");
		add_fields(sql, g, NUMBERED);
		buf_addch(sql, ')');
		return sql->s;
	}
	if (need == ROW_UPDATE) {
		buf_addstr(sql, " SET ");
		add_fields(sql, g, SET);
	}
	buf_addstr(sql, " WHERE ");
	db_name(sql, g->table->key);
	buf_addstr(sql, " = $1");
	return sql->s;
}

/* SELECT CAST("id" AS TEXT), "title" IS $2 FROM "posts" WHERE "id" = $1; or all of its columns. */
static char *question(struct row_work *w, const struct row_group *g, bool all)
{
	struct buf *sql = &w->sql;

	buf_reset(sql);
	buf_addstr(sql, "SELECT ");
	if (all)
		for (size_t i = 0; i < g->table->n; i++) {
			buf_addstr(sql, i ? ", " : "");
			db_name(sql, g->table->column[i].name);
		}
	else {
		buf_addstr(sql, "CAST(");
		db_name(sql, g->table->key);
		buf_addstr(sql, " AS TEXT)");
		add_fields(sql, g, COMPARED);
	}
	buf_addstr(sql, " FROM ");
	db_name(sql, g->table->name);
	buf_addstr(sql, " WHERE ");
	db_name(sql, g->table->key);
	buf_addstr(sql, " = $1");
	return xstrdup(sql->s);
}

/* The parameters of row i: its id, and the fields that have a column; *n of them. */
static int fill(struct row_work *w, const struct row_group *g, size_t i, bool fields, struct db_value *p, size_t *n)
{
	struct row_action a = row_action_at(w->doc, g->action[i], &w->id);

	*n = 0;
	p[(*n)++] = (struct db_value){ DB_TEXT, a.id.s, a.id.n };
	if (!fields)
		return 0;
	if (row_work_values(w, g, i) < 0)
		return -1;
	/* no value is longer than it stands in the plan, which is canonical, but for a NUL behind each */
	buf_reset(&w->arena);
	buf_reserve(&w->arena, w->doc->tok[g->action[i]].len + g->nfield);
	for (size_t k = row_field_next(g, 0); k < g->nfield; k = row_field_next(g, k + 1))
		p[(*n)++] = value_of(w, g->field[k].column, w->value[k]);
	return 0;
}

static int write_rows(struct row_work *w, const struct row_group *g, const enum row_need *need, enum row_need which,
                      struct db_value *p)
{
	const char *sql = statement(w, g, which);
	size_t n;

	for (size_t i = 0; *sql && i < g->n; i++)
		if (need[i] == which && (fill(w, g, i, which != ROW_DELETE, p, &n) < 0 ||
		                         w->db->ops->query(w->db, sql, p, n, NULL, NULL, w->d) < 0))
			return -1;
	return 0;
}

static int do_write(struct row_work *w, const struct row_group *g, const enum row_need *need)
{
	struct db_value *p = xcalloc(g->nfield + 1, sizeof *p);
	int rc = 0;

	for (enum row_need which = ROW_INSERT; which <= ROW_DELETE && rc == 0; which++)
		rc = write_rows(w, g, need, which, p);
	free(p);
	return rc;
}

/* The lock of the file is ours. */
static int hold(struct row_work *w, const struct row_group *g)
{
	(void)w, (void)g;
	return 0;
}

/* The row that a question found. */
struct found {
	struct row_work *w;
	const struct row_group *g;
	size_t i;
	struct row_seen seen;
	bool *same, all;
};

static int take_same(void *arg, const struct db_value *v, size_t n)
{
	struct found *f = arg;
	struct text id = row_action_at(f->w->doc, f->g->action[f->i], &f->w->id).id;
	size_t k = 1;

	f->seen.there = true;
	if (!text_same(id, (struct text){ v->s, v->n }))
		return row_bad_id(f->w, f->g, f->i, (struct text){ v->s, v->n });
	for (size_t i = row_field_next(f->g, 0); i < f->g->nfield && k < n; i = row_field_next(f->g, i + 1), k++) {
		f->same[i] = v[k].n == 1 && *v[k].s == '1';
		f->all = f->all && f->same[i];
	}
	return 0;
}

static int take_actual(void *arg, const struct db_value *v, size_t n)
{
	struct found *f = arg;
	struct buf *b = &f->w->json;

	buf_reset(b);
	for (size_t i = 0; i < n; i++) {
		const char *name = f->g->table->column[i].name;

		buf_addch(b, i ? ',' : '{');
		canon_string(b, name, strlen(name));
		buf_addch(b, ':');
		db_json(b, &v[i]);
	}
	buf_addch(b, '}');
	return 0;
}

static int look_at(struct found *f, const char *same, const char *actual, struct db_value *p)
{
	struct row_work *w = f->w;
	size_t n;

	for (size_t k = 0; k < f->g->nfield; k++)
		f->same[k] = true;
	f->seen = (struct row_seen){ .same = f->same };
	f->all = true;
	buf_reset(&w->json);
	if (fill(w, f->g, f->i, true, p, &n) < 0 || w->db->ops->query(w->db, same, p, n, take_same, f, w->d) < 0)
		return -1;
	if (actual && f->seen.there && !f->all && w->db->ops->query(w->db, actual, p, 1, take_actual, f, w->d) < 0)
		return -1;
	f->seen.actual = (struct text){ w->json.len ? w->json.s : NULL, w->json.len };
	return 0;
}

static int look(struct row_work *w, const struct row_group *g, bool actual,
                int (*each)(void *arg, size_t i, const struct row_seen *seen), void *arg)
{
	struct found f = { .w = w, .g = g, .same = xcalloc(g->nfield + 1, sizeof *f.same) };
	struct db_value *p = xcalloc(g->nfield + 1, sizeof *p);
	char *same = question(w, g, false), *all = actual ? question(w, g, true) : NULL;
	int rc = 0;

	for (; f.i < g->n && rc == 0; f.i++)
		if ((rc = look_at(&f, same, all, p)) == 0)
			rc = each(arg, f.i, &f.seen);
	free(f.same);
	free(p);
	free(same);
	free(all);
	return rc;
}

const struct row_ops row_sqlite = { .hold = hold, .look = look, .write = do_write };
