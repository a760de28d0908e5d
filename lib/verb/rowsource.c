/* rowsource.c -- see rowsource.h */
#include "rowsource.h"

#include "pointer.h"
#include "record.h"
#include "rowout.h"
#include "utf8.h"

#include <stdlib.h>

enum { M_COLUMNS, M_KEY, M_SQL, M_WHERE, M_N };

/* What is asked of an entity: the tokens of its members, DOC_NONE for those that it lacks. */
struct asking {
	struct db *db;
	const struct rowsource_ask *ask;
	struct diag *d;
	uint32_t key, member[M_N];
	struct buf pointer, name;
};

void rowsources_release(struct rowsources *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct rowsource *s = &all->v[i];

		free(s->entity);
		free(s->prefix);
		free(s->key);
		free(s->place);
		buf_release(&s->from);
		buf_release(&s->where);
	}
	free(all->v);
}

/* "/posts/columns/1": the member and, if index is not negative, its element. */
static const char *point(struct asking *a, const char *member, int index)
{
	buf_reset(&a->pointer);
	pointer_add(&a->pointer, a->name.s, a->name.len);
	if (member)
		pointer_add(&a->pointer, member, strlen(member));
	if (index >= 0)
		pointer_add_index(&a->pointer, (size_t)index);
	return a->pointer.s;
}

static int bad(struct asking *a, const char *pointer, const char *what)
{
	return diag_add(a->d, MIG_INVALID, "bad_query", a->ask->file, "%s: %s", pointer, what);
}

static int take_members(struct asking *a)
{
	static const struct {
		const char *name, *what;
		enum doc_type type;
	} members[M_N] = { { "columns", "not a list of columns", DOC_ARRAY },
		           { "key", "not the name of a column", DOC_STRING },
		           { "sql", "not a text", DOC_STRING },
		           { "where", "not a text", DOC_STRING } };
	const struct doc *q = &a->ask->query->doc;
	struct doc_walk w;
	uint32_t key;

	memset(a->member, 0, sizeof a->member);
	for (doc_walk_init(&w, q, a->key + 1); (key = doc_walk_next(&w));) {
		size_t i = 0;

		while (i < M_N && !doc_equals(q, key, members[i].name, strlen(members[i].name)))
			i++;
		if (i == M_N)
			return bad(a, point(a, NULL, -1), "a member that is none of columns, key, sql, where");
		if (q->tok[key + 1].type != members[i].type || q->tok[key + 1].len == 2)
			return bad(a, point(a, members[i].name, -1), members[i].what);
		a->member[i] = key + 1;
	}
	if (a->member[M_SQL] && (a->member[M_COLUMNS] || a->member[M_WHERE]))
		return bad(a, point(a, "sql", -1), "it stands alone, with key");
	if (a->member[M_SQL] && !a->member[M_KEY])
		return bad(a, point(a, "sql", -1), "it needs a key: the column that holds the id");
	return 0;
}

/* A text of the query as a new string; one with a NUL in it is a finding, and NULL. */
static char *take_text(struct asking *a, uint32_t t, const char *pointer)
{
	struct buf b = BUF_INIT;

	doc_string(&a->ask->query->doc, t, &b);
	if (b.s && strlen(b.s) == b.len)
		return buf_steal(&b);
	buf_release(&b);
	bad(a, pointer, "it holds a NUL character");
	return NULL;
}

/* Append a column to a list, unless it is there. */
static void add_column(char ***list, size_t *n, char *name)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp((*list)[i], name) == 0) {
			free(name);
			return;
		}
	*list = xrealloc(*list, *n + 1, sizeof **list);
	(*list)[(*n)++] = name;
}

static void put_list(struct buf *sql, char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addstr(sql, ", ");
		db_name(sql, list[i]);
	}
}

/* The columns that are asked for, and the key. */
static int select_columns(struct asking *a, struct rowsource *s, const struct table *t)
{
	const struct doc *q = &a->ask->query->doc;
	uint32_t list = a->member[M_COLUMNS];
	char **column = NULL;
	size_t n = 0;
	int i = 0, rc = 0;

	for (uint32_t e = list + 1; rc == 0 && e < q->tok[list].next; e = q->tok[e].next, i++) {
		char *name = q->tok[e].type == DOC_STRING ? take_text(a, e, point(a, "columns", i)) : NULL;

		if (!name || !table_has(t, name))
			rc = bad(a, point(a, "columns", i), "the table has no such column");
		if (rc == 0)
			add_column(&column, &n, name);
		else
			free(name);
	}
	add_column(&column, &n, xstrdup(s->key));
	put_list(&s->from, column, n);
	for (size_t k = 0; k < n; k++)
		free(column[k]);
	free(column);
	return rc;
}

/* The column of the id: what the query says, or the table's own key. */
static int take_key(struct asking *a, struct rowsource *s, struct table *t)
{
	if (a->member[M_KEY]) {
		if (!(s->key = take_text(a, a->member[M_KEY], point(a, "key", -1))))
			return -1;
		if (!table_has(t, s->key))
			return bad(a, point(a, "key", -1), "the table has no such column");
	} else if (t->key) {
		s->key = xstrdup(t->key);
	} else {
		diag_hint(a->d, "--query with {\"%s\": {\"key\": \"COLUMN\"}} says which column tells its rows apart",
		          a->name.s);
		return diag_add(a->d, MIG_INVALID, "no_key", a->name.s, "%s",
		                t->view   ? "a view has no primary key"
		                : t->nkey ? "its primary key is of several columns"
		                          : "it has no primary key");
	}
	/* any other column may hold nulls, which no range of keys finds */
	if (!t->key || strcmp(s->key, t->key) != 0)
		t->order = TABLE_ANY;
	s->order = t->order;
	return 0;
}

static int take_where(struct asking *a, struct rowsource *s)
{
	if (!a->member[M_WHERE])
		return 0;
	char *text = take_text(a, a->member[M_WHERE], point(a, "where", -1));

	if (!text)
		return -1;
	/* a comment at its end ends with the line */
	buf_addf(&s->where, "(\n%s\n)", text);
	s->place = xstrdup(point(a, "where", -1));
	free(text);
	return 0;
}

static int take_table(struct asking *a, struct rowsource *s)
{
	struct table t = { .name = NULL };
	int rc = table_find(a->db, a->name.s, &t, a->d);

	if (rc == 0) {
		rc = diag_add(a->d, MIG_PRECONDITION, "missing_table", a->name.s, "no such table");
	} else if (rc > 0) {
		rc = take_key(a, s, &t);
		buf_addstr(&s->from, "SELECT ");
		if (rc == 0 && a->member[M_COLUMNS])
			rc = select_columns(a, s, &t);
		else
			put_list(&s->from, t.column, t.ncolumn);
		buf_addstr(&s->from, " FROM ");
		table_name(&s->from, a->db, &t);
		if (rc == 0)
			rc = take_where(a, s);
	}
	table_release(&t);
	return rc;
}

static int take_sql(struct asking *a, struct rowsource *s)
{
	char *text = take_text(a, a->member[M_SQL], point(a, "sql", -1));

	if (!text)
		return -1;
	buf_addf(&s->from, "SELECT * FROM (\n%s\n) AS mig_rows", text);
	free(text);
	s->place = xstrdup(point(a, "sql", -1));
	s->key = take_text(a, a->member[M_KEY], point(a, "key", -1));
	return s->key ? 0 : -1;
}

void rowsource_sql(const struct rowsource *s, const char *where, const char *order, struct buf *sql)
{
	buf_add(sql, s->from.s, s->from.len);
	if (s->where.len || where)
		buf_addstr(sql, " WHERE ");
	buf_add(sql, s->where.s, s->where.len);
	if (s->where.len && where)
		buf_addstr(sql, " AND ");
	if (where)
		buf_addstr(sql, where);
	if (order)
		buf_addf(sql, " ORDER BY %s", order);
}

/* ---- what the server makes of it ---- */

static int check_columns(struct asking *a, struct rowsource *s, const struct db_cursor *c)
{
	const char *pointer = a->ask->file ? point(a, NULL, -1) : a->name.s;
	size_t keys = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (!utf8_valid(c->column[i].name, strlen(c->column[i].name)))
			return bad(a, pointer, "a column's name is no UTF-8");
		for (size_t k = 0; k < i; k++)
			if (strcmp(c->column[i].name, c->column[k].name) == 0)
				return bad(a, pointer, "two columns have one name");
		if (strcmp(c->column[i].name, s->key) != 0)
			continue;
		keys++;
		if (!c->column[i].keyed && a->member[M_KEY])
			return bad(a, point(a, "key", -1), "it holds neither integers nor texts");
		if (!c->column[i].keyed)
			return diag_add(a->d, MIG_INVALID, "no_key", a->name.s,
			                "its primary key holds neither integers nor texts");
	}
	return keys ? 0 : bad(a, point(a, "key", -1), "no such column comes out");
}

/*
 * Ask for no row, so that what is wrong with it is known before anything is
 * written.  What the server says of SQL that is the query's is the query's fault.
 */
static int probe(struct asking *a, struct rowsource *s)
{
	struct buf sql = BUF_INIT;
	struct diag said = DIAG_INIT;
	const struct db_value *row;

	rowsource_sql(s, NULL, NULL, &sql);
	buf_addstr(&sql, " LIMIT 0");
	struct db_cursor *c = a->db->ops->cursor(a->db, sql.s);
	int rc = a->db->ops->next(c, &row, s->place ? &said : a->d);

	if (rc < 0 && s->place) {
		const struct finding *f = diag_first(&said);
		bool ours = a->db->ops->trouble(a->db) == DB_OTHER || a->db->ops->trouble(a->db) == DB_CONSTRAINT;

		if (ours)
			bad(a, s->place, f->message);
		else
			diag_add(a->d, f->exit, f->rule, f->where, "%s", f->message);
	}
	if (rc >= 0)
		rc = check_columns(a, s, c);
	a->db->ops->done(c);
	diag_release(&said);
	buf_release(&sql);
	return rc;
}

/* ---- all of them ---- */

/* Take the entity whose name is in a->name. */
static int add_source(struct asking *a, struct rowsources *all)
{
	struct buf prefix = BUF_INIT;
	bool sql = a->member[M_SQL] != DOC_NONE;

	all->v = xrealloc(all->v, all->n + 1, sizeof *all->v);
	struct rowsource *s = &all->v[all->n++];

	*s = (struct rowsource){ .entity = xstrdup(a->name.s) };
	rowout_ref(&prefix, (struct text){ a->name.s, a->name.len }, (struct text){ NULL, 0 });
	s->prefix = buf_steal(&prefix);
	if (!utf8_valid(a->name.s, a->name.len))
		return diag_add(a->d, MIG_INVALID, "bad_name", a->db->name, "a table's name is no UTF-8");
	if ((sql ? take_sql(a, s) : take_table(a, s)) < 0 || probe(a, s) < 0)
		return -1;
	return a->ask->after ? rowsource_begin(s, a->db, a->ask->after, a->d) : 0;
}

static void rename_to(struct asking *a, const char *name, size_t n)
{
	buf_reset(&a->name);
	buf_add(&a->name, name, n);
}

static int add_asked(struct asking *a, struct rowsources *all)
{
	const struct doc *q = &a->ask->query->doc;
	struct doc_walk w;
	int rc = 0;

	for (doc_walk_init(&w, q, 0); rc == 0 && (a->key = doc_walk_next(&w));) {
		buf_reset(&a->name);
		doc_string(q, a->key, &a->name);
		if (a->name.len == 0 || strlen(a->name.s) != a->name.len)
			return diag_add(a->d, MIG_INVALID, "bad_query", a->ask->file, "an entity without a name");
		rc = take_members(a);
		if (rc == 0)
			rc = add_source(a, all);
	}
	return rc;
}

/* What is wrong with each is worth telling at once, as long as the server is well. */
static int add_tables(struct asking *a, struct rowsources *all)
{
	struct table_names t;
	int rc = table_names(a->db, &t, a->d);
	size_t found = a->d->n;

	for (size_t i = 0; rc == 0 && i < t.n; i++) {
		rename_to(a, t.v[i], strlen(t.v[i]));
		if (add_source(a, all) < 0 && strcmp(a->d->list[a->d->n - 1].rule, "no_key") != 0)
			rc = -1;
	}
	table_names_release(&t);
	return rc < 0 || a->d->n > found ? -1 : 0;
}

static int by_prefix(const void *x, const void *y)
{
	const struct rowsource *a = x, *b = y;

	return strcmp(a->prefix, b->prefix);
}

int rowsources_read(struct rowsources *all, struct db *db, const struct rowsource_ask *ask, struct diag *d)
{
	struct asking a = { .db = db, .ask = ask, .d = d };

	*all = (struct rowsources){ .n = 0 };
	int rc = ask->query ? add_asked(&a, all) : add_tables(&a, all);

	if (all->n)
		qsort(all->v, all->n, sizeof *all->v, by_prefix);
	buf_release(&a.pointer);
	buf_release(&a.name);
	return rc;
}
