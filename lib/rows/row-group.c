/* row-group.c -- see row-group.h */
#include "row-group.h"

#include "rowref.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void row_groups_release(struct row_groups *g)
{
	for (size_t i = 0; i < g->n; i++) {
		struct row_group *v = &g->v[i];

		for (size_t k = 0; k < v->nfield; k++)
			free(v->field[k].owned);
		free(v->field);
		free(v->action);
		free(v->place);
	}
	free(g->v);
	*g = (struct row_groups)ROW_GROUPS_INIT;
}

static int at_row(const struct doc *doc, uint32_t action, const char *rule, struct diag *d, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Add a finding at the row that the action names, "posts/7". */
static int at_row(const struct doc *doc, uint32_t action, const char *rule, struct diag *d, const char *fmt, ...)
{
	struct buf arena = BUF_INIT, ref = BUF_INIT;
	struct row_action a = row_action_at(doc, action, &arena);
	char *message;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		die(MIG_ERROR, "out of memory");
	va_end(ap);
	rowref_write(&ref, a.entity, a.id);
	diag_add(d, MIG_INVALID, rule, ref.s, "%s", message);
	free(message);
	buf_release(&arena);
	buf_release(&ref);
	return -1;
}

/* Are the names of the object, in canonical order, those of the fields from *at on?  Then *at is behind them. */
static bool names_fit(const struct doc *doc, uint32_t object, const struct row_group *g, bool link, size_t *at)
{
	struct doc_walk w;
	uint32_t key;

	if (object == DOC_NONE)
		return true;
	for (doc_walk_init(&w, doc, object); (key = doc_walk_next(&w)); ++*at)
		if (*at == g->nfield || g->field[*at].link != link ||
		    !doc_equals(doc, key, g->field[*at].name.s, g->field[*at].name.n))
			return false;
	return true;
}

static bool fits(const struct row_group *g, const struct doc *doc, const struct row_action *a)
{
	size_t at = 0;

	return text_is(a->entity, g->table->name) && names_fit(doc, a->data, g, false, &at) &&
	       names_fit(doc, a->links, g, true, &at) && at == g->nfield;
}

static struct row_field *add_field(struct row_group *g, const struct doc *doc, uint32_t key, bool link)
{
	g->field = xrealloc(g->field, g->nfield + 1, sizeof *g->field);
	struct row_field *f = &g->field[g->nfield++];

	*f = (struct row_field){ .link = link };
	if (doc->tok[key].flags & DOC_ESCAPED) {
		f->owned = record_dup(doc, key);
		f->name = text_cstr(f->owned);
	} else {
		f->name = record_text(doc, key, NULL);
	}
	return f;
}

static int add_data(struct row_group *g, const struct doc *doc, uint32_t action, uint32_t data, struct diag *d)
{
	struct doc_walk w;
	uint32_t key;

	if (data == DOC_NONE)
		return 0;
	for (doc_walk_init(&w, doc, data); (key = doc_walk_next(&w));) {
		struct row_field *f = add_field(g, doc, key, false);

		f->column = row_table_column(g->table, f->name);
		if (text_is(f->name, g->table->key) || (!f->column && text_is(f->name, "id")))
			f->column = NULL;
		else if (!f->column)
			return at_row(doc, action, "unknown_member", d, "the table has no column \"%.*s\"",
			              (int)f->name.n, f->name.s);
		else if (f->column->generated)
			return at_row(doc, action, "generated_column", d, "the table computes \"%.*s\" itself",
			              (int)f->name.n, f->name.s);
	}
	return 0;
}

static int add_links(struct row_group *g, const struct doc *doc, uint32_t action, uint32_t links, struct diag *d)
{
	struct buf b = BUF_INIT;
	struct doc_walk w;
	uint32_t key;
	int rc = 0;

	if (links == DOC_NONE)
		return 0;
	for (doc_walk_init(&w, doc, links); rc == 0 && (key = doc_walk_next(&w));) {
		struct row_field *f = add_field(g, doc, key, true);

		buf_reset(&b);
		f->column =
			row_table_link(g->table, f->name, record_text(doc, doc_member(doc, key + 1, "entity", 6), &b));
		if (!f->column)
			rc = at_row(doc, action, "unknown_member", d, "the table has no column for the link \"%.*s\"",
			            (int)f->name.n, f->name.s);
	}
	buf_release(&b);
	return rc;
}

/* The group that takes the action: the last one more often than not. */
static struct row_group *group_of(struct row_groups *g, struct row_tables *t, struct db *db, const struct row_action *a,
                                  uint32_t action, struct diag *d)
{
	for (size_t i = g->n; i-- > 0;)
		if (fits(&g->v[i], g->doc, a))
			return &g->v[i];
	const struct row_table *table = row_tables_find(t, db, a->entity, d);

	if (!table)
		return NULL;
	g->v = xrealloc(g->v, g->n + 1, sizeof *g->v);
	struct row_group *new = &g->v[g->n++];

	*new = (struct row_group){ .table = table, .entity = text_cstr(table->name) };
	return add_data(new, g->doc, action, a->data, d) < 0 || add_links(new, g->doc, action, a->links, d) < 0 ? NULL
	                                                                                                        : new;
}

static void add_row(struct row_group *g, uint32_t action, size_t place)
{
	if (g->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 64;
		g->action = xrealloc(g->action, g->cap, sizeof *g->action);
		g->place = xrealloc(g->place, g->cap, sizeof *g->place);
	}
	g->action[g->n] = action;
	g->place[g->n++] = place;
}

int row_groups_make(struct row_groups *g, struct row_tables *t, struct db *db, const struct doc *doc,
                    const struct row_batch *b, struct diag *d)
{
	struct buf arena = BUF_INIT;
	uint32_t action = b->first;
	int rc = 0;

	*g = (struct row_groups){ .doc = doc };
	for (size_t i = 0; i < b->n && rc == 0; i++, action = doc->tok[action].next) {
		struct row_action a = row_action_at(doc, action, &arena);
		struct row_group *to = group_of(g, t, db, &a, action, d);

		if (to)
			add_row(to, action, i);
		else
			rc = -1;
	}
	buf_release(&arena);
	return rc;
}

/* Does the value say the id once more, as a text or an integer? */
static bool says_id(const struct doc *doc, uint32_t value, struct text id)
{
	size_t n;
	const char *s = doc_span(doc, value, &n);

	if (doc->tok[value].type == DOC_STRING)
		return doc_equals(doc, value, id.s, id.n);
	return doc->tok[value].flags & DOC_INTEGER && doc->tok[value].type == DOC_NUMBER &&
	       text_same((struct text){ s, n }, id);
}

int row_group_values(const struct row_group *g, const struct doc *doc, uint32_t action, uint32_t *value, struct diag *d)
{
	struct buf arena = BUF_INIT;
	struct row_action a = row_action_at(doc, action, &arena);
	struct doc_walk w;
	uint32_t key;
	size_t i = 0;
	int rc = 0;

	if (a.data != DOC_NONE)
		for (doc_walk_init(&w, doc, a.data); rc == 0 && (key = doc_walk_next(&w)); i++) {
			value[i] = key + 1;
			if (!g->field[i].column && !says_id(doc, key + 1, a.id))
				rc = at_row(doc, action, "key_mismatch", d, "its \"%.*s\" is not its id",
				            (int)g->field[i].name.n, g->field[i].name.s);
		}
	if (a.links != DOC_NONE)
		for (doc_walk_init(&w, doc, a.links); rc == 0 && (key = doc_walk_next(&w)); i++) {
			uint32_t ids = doc_member(doc, key + 1, "ids", 3);

			value[i] = ids + 1;
			if (doc->tok[ids].n != 1)
				rc = at_row(doc, action, "link_many", d,
				            "the link \"%.*s\" leads to several rows, a column has room for one",
				            (int)g->field[i].name.n, g->field[i].name.s);
		}
	buf_release(&arena);
	return rc;
}
