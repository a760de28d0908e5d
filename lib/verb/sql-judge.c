/* sql-judge.c -- see sql-judge.h */
#include "sql-judge.h"

#include "classify.h"

#include <stdlib.h>
#include <strings.h>

/* ---- names ---- */

static bool same(const struct judge *j, const char *a, const char *b)
{
	return (j->schema->dialect == DIALECT_SQLITE ? strcasecmp(a, b) : strcmp(a, b)) == 0;
}

static bool holds(const struct judge *j, const struct table_names *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (same(j, l->list[i], name))
			return true;
	return false;
}

static void put(const struct judge *j, struct table_names *l, const char *name)
{
	if (holds(j, l, name))
		return;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->list = xrealloc(l->list, l->cap, sizeof *l->list);
	}
	l->list[l->n++] = xstrdup(name);
}

static void take_out(const struct judge *j, struct table_names *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (same(j, l->list[i], name)) {
			free(l->list[i]);
			l->list[i--] = l->list[--l->n];
		}
}

static void empty(struct table_names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->list[i]);
	l->n = 0;
}

static void add_live(struct judge *j, uint32_t list)
{
	const struct doc *d = &j->schema->doc;

	for (uint32_t t = list + 1; t < d->tok[list].next; t = d->tok[t].next) {
		char *name = record_dup(d, doc_member(d, t, "name", 4));

		if (name && j->known.n == j->known.cap) {
			j->known.cap = j->known.cap ? j->known.cap * 2 : 64;
			j->known.list = xrealloc(j->known.list, j->known.cap, sizeof *j->known.list);
		}
		if (name)
			j->known.list[j->known.n++] = name;
	}
}

void judge_init(struct judge *j, const struct schema_intake *schema, struct diag *d)
{
	*j = (struct judge){ .schema = schema, .d = d, .m = MEANING_INIT };
	add_live(j, schema->tables);
	add_live(j, schema->views);
}

void judge_release(struct judge *j)
{
	struct table_names *all[] = { &j->known, &j->changed, &j->fresh };

	for (size_t i = 0; i < 3; i++) {
		empty(all[i]);
		free(all[i]->list);
	}
	meaning_release(&j->m);
}

void judge_hop(struct judge *j)
{
	empty(&j->fresh);
}

void judged_release(struct judged *to)
{
	buf_release(&to->actions);
	buf_release(&to->findings);
}

/* ---- refusals ---- */

struct at {
	struct judge *j;
	const struct sqlfile *f;
	size_t line;
};

static int refuse(const struct at *at, enum mig_exit exit, const char *rule, const char *what, const char *name)
{
	char *where = xasprintf("%s:%zu", at->f->name, at->line);
	int rc = diag_add(at->j->d, exit, rule, where, "%s%s%s", what, name ? " " : "", name ? name : "");

	free(where);
	return rc;
}

/* In a schema that is not the one planned for, anything may be; so after what cannot be followed. */
static bool may_be_there(const struct judge *j, const struct usage *u)
{
	return !dotted_is_local(u->schema) || j->opaque || meaning_protected(NULL, u->name, j->schema->dialect) ||
	       holds(j, &j->known, u->name);
}

static int check(const struct at *at, bool back)
{
	struct judge *j = at->j;
	const struct meaning *m = &j->m;

	if (m->control) {
		diag_hint(j->d, "a script is one transaction, or none with -- mig:transaction=none at its top");
		return refuse(at, MIG_INVALID, "transaction_control", "begins or ends a transaction", NULL);
	}
	if (m->outside)
		return refuse(at, MIG_UNSAFE, "outside_store", "reaches another database than the store's", NULL);
	if (m->protects)
		return refuse(at, MIG_UNSAFE, "protected_table", "writes to a table that is not a migration's:",
		              m->protects);
	if (m->no_transaction && !at->f->script.no_transaction) {
		diag_hint(j->d, "-- mig:transaction=none at the top of the script runs it outside of one");
		return refuse(at, MIG_INVALID, "no_transaction", "cannot run in a transaction", NULL);
	}
	for (size_t i = 0; i < m->nusage && !back; i++) {
		const struct usage *u = &m->usage[i];

		if ((u->use == USE_NEEDS || u->use == USE_ALTERS) && !m->opaque && !may_be_there(j, u))
			return refuse(at, MIG_INVALID, "missing_dependency", "dependency not found: there is no table",
			              u->name);
	}
	return 0;
}

/* ---- actions ---- */

static void part(struct buf *b)
{
	if (b->len)
		buf_addch(b, ',');
}

/* {"columns":[..],"key":[..],"name":"users","op":"backup","table":"users"} */
static void add_backup(struct buf *b, const struct doc *d, uint32_t table)
{
	struct rec w;
	uint32_t columns = doc_member(d, table, "columns", 7), key = doc_member(d, table, "primary_key", 11);
	uint32_t name = doc_member(d, table, "name", 4);
	bool any = false;

	part(b);
	rec_open(&w, b);
	rec_name(&w, "columns");
	buf_addch(b, '[');
	for (uint32_t t = columns + 1; columns && t < d->tok[columns].next; t = d->tok[t].next) {
		if (any)
			buf_addch(b, ',');
		any = true;
		canon_value(b, d, doc_member(d, t, "name", 4), DOC_NONE);
	}
	buf_addch(b, ']');
	rec_name(&w, "key");
	if (key)
		canon_value(b, d, key, DOC_NONE);
	else
		buf_addstr(b, "[]");
	rec_name(&w, "name");
	canon_value(b, d, name, DOC_NONE);
	rec_cstr(&w, "op", "backup");
	rec_name(&w, "table");
	canon_value(b, d, name, DOC_NONE);
	rec_close(&w);
}

/* The live table whose rows can be kept as they were planned, or DOC_NONE. */
static uint32_t kept(const struct judge *j, const char *schema, const char *table)
{
	bool as_planned = dotted_is_local(schema) && !holds(j, &j->changed, table);

	return as_planned ? schema_intake_table(j->schema, table) : DOC_NONE;
}

static void add_backups(struct judge *j, struct buf *b)
{
	for (size_t i = 0; i < j->m.nusage; i++) {
		const struct usage *u = &j->m.usage[i];
		uint32_t t = u->use == USE_LOSES ? kept(j, u->schema, u->name) : DOC_NONE;

		if (t != DOC_NONE)
			add_backup(b, &j->schema->doc, t);
	}
}

/* What a plan makes itself holds no rows of anybody, nor does what is not there. */
static bool is_idle(const struct judge *j, const struct remark *r)
{
	struct usage u = { .name = r->table };

	if (!r->table)
		return false;
	return holds(j, &j->fresh, r->table) ||
	       (r->severity == SEVERITY_CRITICAL && strcmp(r->rule, "drop_table") == 0 && !may_be_there(j, &u));
}

static void add_finding(const struct at *at, const struct remark *r, bool back, struct buf *b)
{
	const struct judge *j = at->j;
	int64_t rows = r->table ? schema_intake_rows(j->schema, r->table) : -1;
	bool bare = !back && r->severity == SEVERITY_CRITICAL && (!r->table || !kept(j, NULL, r->table));
	const char *slash = strrchr(at->f->name, '/');
	char *message = xasprintf("%s:%zu: %s%s", slash ? slash + 1 : at->f->name, at->line, r->message,
	                          bare ? "; no backup is made of it" : "");
	struct rec w;

	part(b);
	rec_open(&w, b);
	rec_cstr(&w, "message", message);
	if (rows < 0)
		rec_null(&w, "rows");
	else
		rec_int(&w, "rows", rows);
	rec_cstr(&w, "rule_id", r->rule);
	rec_cstr(&w, "severity", severity_name(r->severity));
	rec_close(&w);
	free(message);
}

/* Remember what the statement makes of the tables.  One that was renamed may hold rows of anybody. */
static void follow(struct judge *j)
{
	bool renames = false;

	for (size_t i = 0; i < j->m.nusage; i++) {
		const struct usage *u = &j->m.usage[i];

		if (!dotted_is_local(u->schema))
			continue;
		renames |= u->use == USE_RENAMES;
		if (u->use == USE_CREATES && !holds(j, &j->known, u->name)) {
			put(j, &j->known, u->name);
			if (!renames)
				put(j, &j->fresh, u->name);
		} else if (u->use == USE_DROPS || u->use == USE_RENAMES) {
			take_out(j, &j->known, u->name);
			take_out(j, &j->fresh, u->name);
		}
		if (u->use != USE_NEEDS && u->use != USE_LOSES)
			put(j, &j->changed, u->name);
	}
	j->opaque |= j->m.opaque;
}

int judge_statement(struct judge *j, const struct sqlfile *f, size_t i, bool back, struct judged *to)
{
	const struct statement *st = &f->script.list[i];
	struct at at = { j, f, st->line };
	struct rec w;

	classify(&j->m, f->text + st->at, st->n, j->schema->dialect);
	if (check(&at, back) < 0)
		return -1;
	if (!back)
		add_backups(j, &to->actions);
	part(&to->actions);
	rec_open(&w, &to->actions);
	rec_cstr(&w, "op", "sql");
	rec_str(&w, "sql", (struct text){ f->text + st->at, st->n });
	rec_close(&w);
	for (size_t k = 0; k < j->m.nremark; k++) {
		const struct remark *r = &j->m.remark[k];

		if (!back && is_idle(j, r))
			continue;
		add_finding(&at, r, back, &to->findings);
		to->destroys |= r->severity == SEVERITY_CRITICAL;
	}
	if (!back)
		follow(j);
	return 0;
}
