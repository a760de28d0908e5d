/* sqlite-catalog.c -- see sqlite-catalog.h */
#include "sqlite-catalog.h"

#include "record.h"
#include "utf8.h"

#include <stdlib.h>
#include <strings.h>

static struct text value(const struct db_value *v)
{
	return (struct text){ v->s, v->n };
}

static bool is(const struct db_value *v, const char *s)
{
	return v->s && text_is(value(v), s);
}

static char *dup(const struct db_value *v)
{
	return xmemdup(v->n ? v->s : "", v->n);
}

/* Names and definitions go into JSON as they are. */
static int check_texts(const struct catalog *l, const struct db_value *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].s && !utf8_valid(v[i].s, v[i].n))
			return diag_add(l->d, MIG_INVALID, "bad_name", l->db->name,
			                "its schema holds text that is no UTF-8");
	return 0;
}

void items_add(struct items *l, const char *name, struct buf *json)
{
	l->v = xrealloc(l->v, l->n + 1, sizeof *l->v);
	l->v[l->n++] = (struct item){ xstrdup(name), buf_steal(json) };
}

static struct ltable *find(const struct catalog *l, const struct db_value *name)
{
	size_t low = 0, high = l->ntable;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = strcmp(l->table[mid].name, name->s);

		if (c == 0)
			return &l->table[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* name, sql */
static int take_table(void *arg, const struct db_value *v, size_t n)
{
	struct catalog *l = arg;

	if (check_texts(l, v, n) < 0)
		return -1;
	l->table = xrealloc(l->table, l->ntable + 1, sizeof *l->table);
	l->table[l->ntable] = (struct ltable){ .name = dup(&v[0]), .sql = dup(&v[1]) };
	created_read(&l->table[l->ntable].created, l->table[l->ntable].sql);
	l->ntable++;
	return 0;
}

static int take_view(void *arg, const struct db_value *v, size_t n)
{
	struct catalog *l = arg;

	if (check_texts(l, v, n) < 0)
		return -1;
	l->view = xrealloc(l->view, l->nview + 1, sizeof *l->view);
	l->view[l->nview++] = (struct lview){ dup(&v[0]), dup(&v[1]) };
	return 0;
}

static void set_key(struct ltable *t, size_t place, const struct db_value *name)
{
	if (place > t->nkey) {
		t->key = xrealloc(t->key, place, sizeof *t->key);
		while (t->nkey < place)
			t->key[t->nkey++] = NULL;
	}
	free(t->key[place - 1]);
	t->key[place - 1] = dup(name);
}

/* table, name, type, notnull, dflt_value, pk */
static int take_column(void *arg, const struct db_value *v, size_t n)
{
	struct catalog *l = arg;
	struct ltable *t = find(l, &v[0]);
	struct rec w;

	if (!t || check_texts(l, v, n) < 0)
		return t ? -1 : 0;
	if (t->columns.len)
		buf_addch(&t->columns, ',');
	rec_open(&w, &t->columns);
	rec_str(&w, "default", value(&v[4]));
	rec_str(&w, "name", value(&v[1]));
	rec_bool(&w, "not_null", is(&v[3], "1"));
	rec_str(&w, "type", value(&v[2]));
	rec_close(&w);
	if (!is(&v[5], "0"))
		set_key(t, (size_t)strtoul(v[5].s, NULL, 10), &v[1]);
	return 0;
}

/* The n-th constraint of a kind in the table's text. */
const struct created *ltable_created(const struct ltable *t, enum created_kind kind, size_t n)
{
	for (size_t i = 0; i < t->created.n; i++)
		if (t->created.v[i].kind == kind && n-- == 0)
			return &t->created.v[i];
	return NULL;
}

static const char *unique_name(const struct ltable *t, const char *columns)
{
	for (size_t i = 0; i < t->created.n; i++)
		if (t->created.v[i].kind == CREATED_UNIQUE && strcasecmp(t->created.v[i].text, columns) == 0)
			return t->created.v[i].name;
	return "";
}

static void add_name(struct buf *list, const struct db_value *name)
{
	if (name->type == DB_NULL)
		return;
	buf_addch(list, list->len ? ',' : '[');
	canon_string(list, name->s, name->n);
}

/* "[..]" of what add_name collected. */
static void put_list(struct rec *w, const char *name, const struct buf *list)
{
	rec_name(w, name);
	buf_add(w->b, list->len ? list->s : "[", list->len ? list->len : 1);
	buf_addch(w->b, ']');
}

static void lower(struct buf *out, const struct db_value *v)
{
	for (size_t i = 0; i < v->n; i++)
		buf_addch(out, v->s[i] >= 'A' && v->s[i] <= 'Z' ? (char)(v->s[i] | 32) : v->s[i]);
}

/* The rows of one key have come: l->head is "on_delete LF on_update LF table". */
static void end_fkey(struct catalog *l)
{
	struct buf json = BUF_INIT;
	struct rec w;

	if (!l->id)
		return;
	const struct created *c = ltable_created(l->of, CREATED_FOREIGN_KEY, l->of->nfkey++);
	const char *name = c ? c->name : "", *head = l->head.s, *update = strchr(head, '\n') + 1,
		   *table = strchr(update, '\n') + 1;

	rec_open(&w, &json);
	put_list(&w, "columns", &l->from);
	rec_cstr(&w, "name", name);
	rec_str(&w, "on_delete", (struct text){ head, (size_t)(update - head) - 1 });
	rec_str(&w, "on_update", (struct text){ update, (size_t)(table - update) - 1 });
	put_list(&w, "references", &l->to);
	rec_cstr(&w, "table", table);
	rec_close(&w);
	items_add(&l->of->list[L_FKEYS], name, &json);
	free(l->id);
	l->id = NULL;
}

/* Is this another one than the row before spoke of?  Then it is at hand from now on. */
static bool begins(struct catalog *l, struct ltable *t, const struct db_value *id)
{
	if (l->id && l->of == t && is(id, l->id))
		return false;
	free(l->id);
	l->id = dup(id);
	l->of = t;
	buf_reset(&l->from);
	buf_reset(&l->to);
	buf_reset(&l->head);
	return true;
}

/* table, id, the other table, from, to, on_update, on_delete */
static int take_fkey(void *arg, const struct db_value *v, size_t n)
{
	struct catalog *l = arg;
	struct ltable *t = find(l, &v[0]);

	if (!t || check_texts(l, v, n) < 0)
		return t ? -1 : 0;
	if (!l->id || l->of != t || !is(&v[1], l->id)) {
		end_fkey(l);
		begins(l, t, &v[1]);
		lower(&l->head, &v[6]);
		buf_addch(&l->head, '\n');
		lower(&l->head, &v[5]);
		buf_addch(&l->head, '\n');
		buf_add(&l->head, v[2].s, v[2].n);
	}
	add_name(&l->from, &v[3]);
	add_name(&l->to, &v[4]);
	return 0;
}

static void end_unique(struct catalog *l)
{
	struct buf json = BUF_INIT;
	struct rec w;

	if (!l->id)
		return;
	const char *name = unique_name(l->of, l->head.s);

	rec_open(&w, &json);
	put_list(&w, "columns", &l->from);
	rec_cstr(&w, "name", name);
	rec_close(&w);
	items_add(&l->of->list[L_UNIQUES], name, &json);
	free(l->id);
	l->id = NULL;
}

/* table, index, column */
static int take_unique(void *arg, const struct db_value *v, size_t n)
{
	struct catalog *l = arg;
	struct ltable *t = find(l, &v[0]);

	if (!t || check_texts(l, v, n) < 0)
		return t ? -1 : 0;
	if (!l->id || l->of != t || !is(&v[1], l->id)) {
		end_unique(l);
		begins(l, t, &v[1]);
	}
	add_name(&l->from, &v[2]);
	buf_add(&l->head, v[2].s, v[2].n);
	buf_addch(&l->head, '\n');
	return 0;
}

/* table, name, definition, unique: the last for an index alone */
static int take_named(struct catalog *l, const struct db_value *v, size_t n, int list)
{
	struct ltable *t = find(l, &v[0]);
	struct buf json = BUF_INIT;
	struct rec w;

	if (!t || check_texts(l, v, n) < 0)
		return t ? -1 : 0;
	char *name = dup(&v[1]);

	rec_open(&w, &json);
	rec_str(&w, "definition", value(&v[2]));
	rec_cstr(&w, "name", name);
	if (list == L_INDEXES)
		rec_bool(&w, "unique", is(&v[3], "1"));
	rec_close(&w);
	items_add(&t->list[list], name, &json);
	free(name);
	return 0;
}

static int take_index(void *arg, const struct db_value *v, size_t n)
{
	return take_named(arg, v, n, L_INDEXES);
}

static int take_trigger(void *arg, const struct db_value *v, size_t n)
{
	return take_named(arg, v, n, L_TRIGGERS);
}

static int ask(struct catalog *l, const char *sql, db_row *each)
{
	return l->db->ops->query(l->db, sql, NULL, 0, each, l, l->d);
}

int catalog_read(struct catalog *l, struct db *db, struct diag *d)
{
	*l = (struct catalog){ .db = db, .d = d };
	if (ask(l,
	        "SELECT m.name, m.sql FROM sqlite_master m JOIN pragma_table_list t ON t.name = m.name "
	        "WHERE m.type = 'table' AND t.schema = 'main' AND t.type IN ('table', 'virtual') AND " OURS(
			"m.name") " ORDER BY m.name",
	        take_table) < 0 ||
	    ask(l, "SELECT name, sql FROM sqlite_master m WHERE type = 'view' AND " OURS("m.name") " ORDER BY name",
	        take_view) < 0 ||
	    ask(l,
	        "SELECT m.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk FROM sqlite_master m, "
	        "pragma_table_xinfo(m.name) c WHERE m.type = 'table' AND c.hidden <> 1 ORDER BY m.rowid, c.cid",
	        take_column) < 0)
		return -1;
	/* the number of a key counts from the last one down */
	if (ask(l,
	        "SELECT m.name, f.id, f.\"table\", f.\"from\", f.\"to\", f.on_update, f.on_delete "
	        "FROM sqlite_master m, pragma_foreign_key_list(m.name) f "
	        "WHERE m.type = 'table' ORDER BY m.rowid, f.id DESC, f.seq",
	        take_fkey) < 0)
		return -1;
	end_fkey(l);
	if (ask(l,
	        "SELECT m.name, i.name, c.name FROM sqlite_master m, pragma_index_list(m.name) i, "
	        "pragma_index_info(i.name) c WHERE m.type = 'table' AND i.origin = 'u' "
	        "ORDER BY m.rowid, i.seq, c.seqno",
	        take_unique) < 0)
		return -1;
	end_unique(l);
	if (ask(l,
	        "SELECT m.tbl_name, m.name, m.sql, coalesce((SELECT i.\"unique\" FROM pragma_index_list(m.tbl_name) i "
	        "WHERE i.name = m.name), 0) FROM sqlite_master m WHERE m.type = 'index' AND m.sql IS NOT NULL",
	        take_index) < 0)
		return -1;
	return ask(l, "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'", take_trigger);
}

void catalog_release(struct catalog *l)
{
	for (size_t i = 0; i < l->ntable; i++) {
		struct ltable *t = &l->table[i];

		for (size_t k = 0; k < L_N; k++)
			items_release(&t->list[k]);
		for (size_t k = 0; k < t->nkey; k++)
			free(t->key[k]);
		free(t->key);
		free(t->name);
		free(t->sql);
		created_release(&t->created);
		buf_release(&t->columns);
	}
	for (size_t i = 0; i < l->nview; i++) {
		free(l->view[i].name);
		free(l->view[i].sql);
	}
	free(l->table);
	free(l->view);
	free(l->id);
	buf_release(&l->from);
	buf_release(&l->to);
	buf_release(&l->head);
}

static int by_name(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : strcmp(x->json, y->json);
}

void items_sort(struct items *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof *l->v, by_name);
}

void items_release(struct items *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].json);
	}
	free(l->v);
	*l = (struct items){ NULL, 0 };
}
