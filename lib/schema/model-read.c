/* model-read.c -- model_read of model.h. */
#include "canon.h"
#include "model-check.h"
#include "model-field.h"
#include "model-key.h"
#include "model-link.h"
#include "model-names.h"
#include "model-view.h"
#include "record.h"
#include "sqlname.h"
#include "stringify.h"

#include <stdlib.h>

static const char *const table_members[] = {
	"aiAccess", "allowDestructive", "allowForceDelete", "comments", "constraints", "description", "fields",
	"foreignKeys", "id", "indexes", "label", "name", "permissions", "primaryKey", "rls", "rowLevelPermissions",
	"unique", "uniqueConstraints", "views", "webhooks",
};

static char *table_name(struct declared *in, uint32_t tok)
{
	uint32_t t = declared_member(in, tok, "name", IS_STR);
	char *name = t ? declared_dup(in, t) : NULL, *snake;

	if (!name)
		return xstrdup("");
	snake = sqlname_snake((struct text){ name, strlen(name) });
	if (!sqlname_table((struct text){ name, strlen(name) }))
		declared_wrong(in, t, "schema_name", "table name \"%s\" is not ^[a-zA-Z][a-zA-Z0-9_\\s-]*$", name);
	else if (strlen(name) > SQLNAME_MAX)
		declared_wrong(in, t, "schema_name", "table name \"%s\" is longer than %d bytes", name, SQLNAME_MAX);
	else if (sqlname_reserved(snake))
		declared_wrong(in, t, "schema_reserved_word", "table name \"%s\" is a reserved word of SQL", name);
	else if (sqlname_protected(snake))
		declared_say(in, MIG_UNSAFE, t, "protected_table", "table \"%s\" is not the application's", name);
	free(name);
	return snake;
}

static void read_table(struct draft *b, uint32_t tok)
{
	struct declared *in = &b->in;
	size_t i = b->m->ntable;
	struct table_draft *td = &MORE(b->table, i);
	struct table *t = &MORE(b->m->table, b->m->ntable);

	td->tok = tok;
	t->name = table_name(in, tok);
	t->allow_destructive = declared_flag(in, tok, "allowDestructive");
	declared_int(in, tok, "id", 1, INT64_MAX / 2, &t->id);
	declared_known(in, tok, table_members, sizeof table_members / sizeof *table_members, "table");
	model_columns(b, b->m->ntable - 1);
}

static int compare_names(const void *a, const void *b)
{
	const struct table_name *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : (x->table > y->table) - (x->table < y->table);
}

static void sort_names(struct draft *b)
{
	b->nnames = b->m->ntable;
	b->by_name = xcalloc(b->nnames + 1, sizeof *b->by_name);
	for (size_t i = 0; i < b->nnames; i++)
		b->by_name[i] = (struct table_name){ b->m->table[i].name, i };
	qsort(b->by_name, b->nnames, sizeof *b->by_name, compare_names);
}

/* Tables that declare no id are counted on from the highest one: only the checksum sees these. */
static void sum_up(const struct declared *in, struct model *m, uint32_t tables)
{
	struct buf text = BUF_INIT;
	int64_t *ids = xcalloc(m->ntable + 1, sizeof *ids), next = 1;

	for (size_t i = 0; i < m->ntable; i++)
		if (m->table[i].id >= next)
			next = m->table[i].id + 1;
	for (size_t i = 0; i < m->ntable; i++)
		if (!m->table[i].id)
			ids[i] = next++;
	if (tables)
		stringify(&text, in->doc, tables, ids);
	else
		buf_add(&text, "[]", 2);
	digest_hex(text.s, text.len, m->checksum);
	buf_reset(&text);
	buf_addstr(&text, "{\"tables\":");
	if (tables)
		canon_value(&text, in->doc, tables, DOC_NONE);
	else
		buf_add(&text, "[]", 2);
	buf_addch(&text, '}');
	m->schema = buf_steal(&text);
	free(ids);
}

static void read_tables(struct draft *b, uint32_t tables)
{
	struct declared *in = &b->in;
	size_t declared;

	for (uint32_t e = declared_first(in, tables); e; e = declared_next(in, tables, e)) {
		if (in->doc->tok[e].type == DOC_OBJECT)
			read_table(b, e);
		else
			declared_wrong(in, e, "schema_shape", "not an object");
	}
	declared = b->m->ntable;
	sort_names(b);
	model_duplicates(b);
	for (size_t i = 0; i < declared; i++) {
		model_constraints(in, &b->m->table[i], b->table[i].tok);
		model_keys(b, i);
		model_views(b, i);
		model_policies(b, i);
	}
	if (!in->bad)
		sum_up(in, b->m, tables);
	model_links(b);
	model_cycles(b);
	if (!in->bad) /* a name that is there twice makes others that are */
		model_clashes(b);
}

static void release(struct draft *b, size_t ntable)
{
	for (size_t i = 0; i < ntable; i++) {
		for (size_t k = 0; k < b->table[i].nfield; k++)
			free(b->table[i].field[k].name);
		free(b->table[i].field);
	}
	free(b->table);
	free(b->by_name);
}

struct model *model_read(const struct doc *doc, uint32_t root, enum dialect dialect, const char *where, struct diag *d)
{
	struct draft b = { .in = { .doc = doc, .root = root, .dialect = dialect, .where = where, .d = d } };
	struct model *m = b.m = xcalloc(1, sizeof *m);

	if (doc->tok[root].type != DOC_OBJECT) {
		declared_wrong(&b.in, root, "schema_shape", "not an object with \"tables\"");
	} else {
		m->name = declared_text(&b.in, root, "name", MAY_LACK);
		read_tables(&b, declared_member(&b.in, root, "tables", IS_ARR | MAY_LACK));
	}
	release(&b, m->ntable);
	if (!b.in.bad)
		return m;
	model_free(m);
	return NULL;
}
