/*
 * row-pg.c -- rows of a group in PostgreSQL: all of them in one statement
 *
 * They go as one JSON array, which the server itself makes rows of the table from:
 *
 *	[{"author_id":"7","id":"3","title":"A"},..]
 */
#include "row-work.h"

#include <stdio.h>
#include <stdlib.h>

/* A column of bytes reads its own spelling, not db_json's. */
static void add_value(struct row_work *w, const struct row_column *c, uint32_t t)
{
	const struct doc *doc = w->doc;
	size_t n;
	const char *s;

	if (strcmp(c->type, "bytea") == 0 && doc->tok[t].type == DOC_OBJECT && doc->tok[t].n == 1 &&
	    doc_equals(doc, t + 1, "hex", 3)) {
		s = doc_span(doc, t + 2, &n);
		buf_addstr(&w->json, "\"\\\\x");
		buf_add(&w->json, s + 1, n - 1);
		return;
	}
	s = doc_span(doc, t, &n);
	buf_add(&w->json, s, n);
}

static void add_member(struct row_work *w, const char *name)
{
	canon_string(&w->json, name, strlen(name));
	buf_addch(&w->json, ':');
}

/* Put the rows that which is needed of, or all for ROW_NOTHING, into w->json; *n of them. */
static int make_array(struct row_work *w, const struct row_group *g, const enum row_need *need, enum row_need which,
                      size_t *n)
{
	*n = 0;
	buf_reset(&w->json);
	buf_addch(&w->json, '[');
	for (size_t i = 0; i < g->n; i++) {
		if (which != ROW_NOTHING && need[i] != which)
			continue;
		struct row_action a = row_action_at(w->doc, g->action[i], &w->id);

		buf_addstr(&w->json, (*n)++ ? ",{" : "{");
		add_member(w, g->table->key);
		canon_string(&w->json, a.id.s, a.id.n);
		if (which != ROW_DELETE && row_work_values(w, g, i) < 0)
			return -1;
		for (size_t k = row_field_next(g, 0); which != ROW_DELETE && k < g->nfield;
		     k = row_field_next(g, k + 1)) {
			buf_addch(&w->json, ',');
			add_member(w, g->field[k].column->name);
			add_value(w, g->field[k].column, w->value[k]);
		}
		buf_addch(&w->json, '}');
	}
	buf_addch(&w->json, ']');
	return 0;
}

/* The name of a column as a text of SQL: 'it''s' */
static void add_literal(struct buf *sql, const char *s)
{
	buf_addch(sql, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_addch(sql, '\'');
		buf_addch(sql, *s);
	}
	buf_addch(sql, '\'');
}

static void add_column(struct buf *sql, const char *row, const char *name)
{
	buf_addstr(sql, row);
	db_name(sql, name);
}

/* jsonb_populate_recordset(NULL::public."posts", $1::jsonb) p */
static void add_rows(struct buf *sql, const struct row_group *g)
{
	buf_addstr(sql, "jsonb_populate_recordset(NULL::public.");
	db_name(sql, g->table->name);
	buf_addstr(sql, ", $1::jsonb) p");
}

/* INSERT INTO public."posts" ("id", "title") OVERRIDING SYSTEM VALUE SELECT p."id", p."title" FROM .. */
static void insert_statement(struct buf *sql, const struct row_group *g)
{
	for (int values = 0; values < 2; values++) {
		if (values == 0)
			add_column(sql, "INSERT INTO public.", g->table->name);
		add_column(sql, values ? ") OVERRIDING SYSTEM VALUE SELECT p." : " (", g->table->key);
		for (size_t k = row_field_next(g, 0); k < g->nfield; k = row_field_next(g, k + 1))
			add_column(sql, values ? ", p." : ", ", g->field[k].column->name);
	}
	buf_addstr(sql, " FROM ");
	add_rows(sql, g);
	add_column(sql, " ON CONFLICT (", g->table->key);
	buf_addstr(sql, ") DO NOTHING RETURNING 1");
}

/* UPDATE public."posts" x SET "title" = p."title" FROM .. WHERE x."id" = p."id" RETURNING 1 */
static void change_statement(struct buf *sql, const struct row_group *g, bool deletes)
{
	add_column(sql, deletes ? "DELETE FROM public." : "UPDATE public.", g->table->name);
	buf_addstr(sql, " x");
	for (size_t k = row_field_next(g, 0), n = 0; !deletes && k < g->nfield; k = row_field_next(g, k + 1), n++) {
		add_column(sql, n ? ", " : " SET ", g->field[k].column->name);
		add_column(sql, " = p.", g->field[k].column->name);
	}
	buf_addstr(sql, deletes ? " USING " : " FROM ");
	add_rows(sql, g);
	add_column(sql, " WHERE x.", g->table->key);
	add_column(sql, " = p.", g->table->key);
	buf_addstr(sql, " RETURNING 1");
}

static int count_row(void *arg, const struct db_value *v, size_t n)
{
	(void)v, (void)n;
	++*(size_t *)arg;
	return 0;
}

static int ask(struct row_work *w, db_row *each, void *arg)
{
	const struct db_value p = { DB_TEXT, w->json.s, w->json.len };

	return w->db->ops->query(w->db, w->sql.s, &p, 1, each, arg, w->d);
}

static int write_rows(struct row_work *w, const struct row_group *g, const enum row_need *need, enum row_need which)
{
	size_t n, done = 0;

	if (make_array(w, g, need, which, &n) < 0)
		return -1;
	if (n == 0 || (which == ROW_UPDATE && row_field_next(g, 0) == g->nfield))
		return 0;
	buf_reset(&w->sql);
	if (which == ROW_INSERT)
		insert_statement(&w->sql, g);
	else
		change_statement(&w->sql, g, which == ROW_DELETE);
	if (ask(w, count_row, &done) < 0)
		return -1;
	if (done == n)
		return 0;
	/* nobody else's rows are taken for ours */
	return diag_add(w->d, MIG_ERROR, "changed", g->table->name,
	                "%zu of %zu rows came or went while the batch was at work", n - done, n);
}

static int do_write(struct row_work *w, const struct row_group *g, const enum row_need *need)
{
	for (enum row_need which = ROW_INSERT; which <= ROW_DELETE; which++)
		if (write_rows(w, g, need, which) < 0)
			return -1;
	return 0;
}

static int hold(struct row_work *w, const struct row_group *g)
{
	size_t n;
	enum row_need *need = xcalloc(g->n, sizeof *need);

	for (size_t i = 0; i < g->n; i++)
		need[i] = ROW_DELETE; /* only their ids */
	make_array(w, g, need, ROW_DELETE, &n);
	free(need);
	buf_reset(&w->sql);
	add_column(&w->sql, "SELECT 1 FROM public.", g->table->name);
	add_column(&w->sql, " x WHERE x.", g->table->key);
	add_column(&w->sql, " IN (SELECT p.", g->table->key);
	buf_addstr(&w->sql, " FROM ");
	add_rows(&w->sql, g);
	/* two runs take them in the same order */
	add_column(&w->sql, ") ORDER BY x.", g->table->key);
	buf_addstr(&w->sql, " FOR UPDATE");
	return ask(w, NULL, NULL);
}

/* Types whose own equality is that of their values, and that change no value that they take. */
static bool is_plain(const char *type)
{
	static const char *const types[] = { "bigint", "boolean",  "bytea",     "date", "integer",
		                             "jsonb",  "smallint", "timestamp", "uuid" };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strncmp(type, types[i], strlen(types[i])) == 0 && !strchr(type, '['))
			return true;
	return false;
}

/* Texts are compared by their bytes, whatever the column's collation. */
static bool is_text(const char *type)
{
	return strcmp(type, "text") == 0 || (strncmp(type, "character varying", 17) == 0 && !strchr(type, '['));
}

/*
 * Does the column hold the value, and does the value come through its type?  1.005
 * in a numeric(10,2) would be another number.
 */
static void add_same(struct buf *sql, const struct row_field *f)
{
	const char *name = f->column->name;

	if (is_plain(f->column->type) || is_text(f->column->type)) {
		const char *collate = is_text(f->column->type) ? " COLLATE \"C\"" : "";

		add_column(sql, "(x.", name);
		buf_addf(sql, "%s IS NOT DISTINCT FROM ", collate);
		add_column(sql, "p.", name);
		buf_addf(sql, "%s)", collate);
		return;
	}

	add_column(sql, "(to_jsonb(x.", name);
	add_column(sql, ") IS NOT DISTINCT FROM to_jsonb(p.", name);
	buf_addstr(sql, ") AND (jsonb_typeof(e.v -> ");
	add_literal(sql, name);
	add_column(sql, ") IS DISTINCT FROM 'number' OR jsonb_typeof(to_jsonb(p.", name);
	add_column(sql, ")) IS DISTINCT FROM 'number' OR to_jsonb(p.", name);
	buf_addstr(sql, ") = e.v -> ");
	add_literal(sql, name);
	buf_addstr(sql, "))");
}

static void question(struct buf *sql, const struct row_group *g, bool actual)
{
	size_t first = row_field_next(g, 0);

	buf_reset(sql);
	add_column(sql, "SELECT p.", g->table->key);
	add_column(sql, "::text, x.", g->table->key);
	buf_addstr(sql, " IS NOT NULL, s.same");
	buf_addstr(sql, actual ? ", CASE WHEN false = ANY (s.same) THEN to_jsonb(x)::text END" : ", NULL");
	buf_addstr(sql,
	           " FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY e(v, n) "
	           "CROSS JOIN LATERAL jsonb_populate_record(NULL::public.");
	db_name(sql, g->table->name);
	add_column(sql, ", e.v) p LEFT JOIN public.", g->table->name);
	add_column(sql, " x ON x.", g->table->key);
	add_column(sql, " = p.", g->table->key);
	buf_addstr(sql, " CROSS JOIN LATERAL (SELECT ARRAY[");
	for (size_t k = first; k < g->nfield; k = row_field_next(g, k + 1)) {
		buf_addstr(sql, k > first ? ", " : "");
		add_same(sql, &g->field[k]);
	}
	buf_addstr(sql, "]::boolean[] AS same) s ORDER BY e.n");
}

struct looking {
	struct row_work *w;
	const struct row_group *g;
	size_t i;
	bool *same;
	int (*each)(void *arg, size_t i, const struct row_seen *seen);
	void *arg;
};

/* The key, whether there is such a row, {t,f,..}, and the row */
static int take_row(void *arg, const struct db_value *v, size_t n)
{
	struct looking *l = arg;
	struct row_work *w = l->w;
	struct row_seen seen = { .same = l->same };

	if (n < 4 || l->i >= l->g->n)
		return diag_add(w->d, MIG_ERROR, "internal", l->g->table->name, "more rows than were asked for");
	struct text id = row_action_at(w->doc, l->g->action[l->i], &w->id).id;

	if (!text_same(id, (struct text){ v->s, v->n }))
		return row_bad_id(w, l->g, l->i, (struct text){ v->s, v->n });
	seen.there = v[1].n && *v[1].s == 't';
	for (size_t k = 0; k < l->g->nfield; k++)
		l->same[k] = true;
	for (size_t k = row_field_next(l->g, 0), at = 1; k < l->g->nfield && at < v[2].n;
	     k = row_field_next(l->g, k + 1), at += 2)
		l->same[k] = v[2].s[at] == 't';
	seen.actual = (struct text){ seen.there ? v[3].s : NULL, v[3].n };
	return l->each(l->arg, l->i++, &seen);
}

static int look(struct row_work *w, const struct row_group *g, bool actual,
                int (*each)(void *arg, size_t i, const struct row_seen *seen), void *arg)
{
	struct looking l = { .w = w, .g = g, .each = each, .arg = arg };
	size_t n;

	if (make_array(w, g, NULL, ROW_NOTHING, &n) < 0)
		return -1;
	l.same = xcalloc(g->nfield + 1, sizeof *l.same);
	question(&w->sql, g, actual);
	int rc = ask(w, take_row, &l);

	if (rc == 0 && l.i != g->n)
		rc = diag_add(w->d, MIG_ERROR, "internal", g->table->name, "fewer rows than were asked for");
	free(l.same);
	return rc;
}

const struct row_ops row_postgresql = { .hold = hold, .look = look, .write = do_write };
