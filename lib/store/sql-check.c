/* sql-check.c -- see sql-check.h */
#include "sql-check.h"

#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXAMPLES = 10, SHOWN = 60 };

static char *string(const struct doc *doc, uint32_t obj, const char *name)
{
	return record_dup(doc, doc_member(doc, obj, name, strlen(name)));
}

/* Rows as a person reads them: 7 'ada', 9 NULL, and so on. */
struct examples {
	struct buf text;
	size_t n;
};

static void show(struct buf *out, const struct db_value *v)
{
	size_t n = v->n;

	if (v->type == DB_NULL) {
		buf_addstr(out, "NULL");
	} else if (v->type == DB_BLOB || !utf8_valid(v->s, n)) {
		buf_addf(out, "%zu bytes", n);
	} else {
		if (n > SHOWN) /* not in the middle of a character */
			for (n = SHOWN; n && ((unsigned char)v->s[n] & 0xC0) == 0x80; n--)
				;
		for (size_t i = 0; i < n; i++)
			buf_addch(out, (unsigned char)v->s[i] < 0x20 || v->s[i] == 0x7f ? '?' : v->s[i]);
		if (n < v->n)
			buf_addstr(out, "..");
	}
}

static int add_example(void *arg, const struct db_value *v, size_t n)
{
	struct examples *e = arg;

	if (e->n++ >= EXAMPLES)
		return 0;
	if (e->n > 1)
		buf_addstr(&e->text, ", ");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addch(&e->text, ' ');
		show(&e->text, &v[i]);
	}
	return 0;
}

static int fail(struct db *db, const struct doc *doc, uint32_t check, const char *where, const char *found,
                const char *with, struct diag *d)
{
	struct examples e = { .text = BUF_INIT };
	char *message = string(doc, check, "message"), *sql = with ? string(doc, check, with) : NULL;

	if (sql && db->ops->query(db, sql, NULL, 0, add_example, &e, d) < 0)
		e.n = 0;
	diag_add(d, MIG_INVALID, "data", where, "%s%s%s%s%s", message ? message : "a check does not hold",
	         found ? ": " : "", found ? found : "", e.n ? "; for example " : "", e.n ? e.text.s : "");
	buf_release(&e.text);
	free(message);
	free(sql);
	return -1;
}

/* Is the text that the database gave the value in the plan?  NULL: it gave NULL, or no row. */
static bool is_value(const struct doc *doc, uint32_t t, const char *s)
{
	size_t n;
	const char *span = doc_span(doc, t, &n);

	switch (doc->tok[t].type) {
	case DOC_NULL:
		return !s;
	case DOC_TRUE:
		return s && (strcmp(s, "1") == 0 || strcmp(s, "t") == 0 || strcmp(s, "true") == 0);
	case DOC_FALSE:
		return s && (strcmp(s, "0") == 0 || strcmp(s, "f") == 0 || strcmp(s, "false") == 0);
	case DOC_NUMBER:
		return s && strlen(s) == n && memcmp(s, span, n) == 0;
	default:
		return s && doc_equals(doc, t, s, strlen(s));
	}
}

int sql_check_query(struct db *db, const struct doc *doc, uint32_t check, const char *where, struct diag *d)
{
	struct buf is = BUF_INIT;
	char *sql = string(doc, check, "sql"), *found = NULL;
	int rc = db_one(db, sql, NULL, 0, &is, d);

	free(sql);
	if (rc >= 0) {
		bool holds = is_value(doc, doc_member(doc, check, "equals", 6), rc ? is.s : NULL);

		rc = 0;
		if (!holds) {
			found = xasprintf("found %s", is.len ? is.s : "nothing");
			rc = fail(db, doc, check, where, found, "examples", d);
		}
	}
	free(found);
	buf_release(&is);
	return rc;
}

/* The first row, if any. */
struct verdict {
	bool any, holds;
};

static bool is_true(const struct db_value *v)
{
	if (v->type == DB_NULL || v->n == 0)
		return false;
	if ((v->n == 1 && *v->s == 't') || (v->n == 4 && memcmp(v->s, "true", 4) == 0))
		return true;
	return strtod(v->s, NULL) != 0;
}

static int judge(void *arg, const struct db_value *v, size_t n)
{
	struct verdict *x = arg;

	if (!x->any)
		x->holds = n && is_true(v);
	x->any = true;
	return 0;
}

static int check_verify(struct db *db, const struct doc *doc, uint32_t check, const char *where, struct diag *d)
{
	struct verdict x = { false, false };
	char *sql = string(doc, check, "sql");
	int rc = db->ops->query(db, sql, NULL, 0, judge, &x, d);

	free(sql);
	if (rc == 0 && x.any && !x.holds)
		rc = fail(db, doc, check, where, NULL, "sql", d);
	return rc;
}

static int check_schema(const struct doc *doc, uint32_t check, const char *live, struct diag *d)
{
	char *hash = string(doc, check, "hash");
	int rc = 0;

	if (live && strcmp(hash, live) != 0) {
		diag_hint(d, "mig-extract --schema | mig-plan .. again, against what is there now");
		rc = diag_add(d, MIG_INVALID, "drift", NULL,
		              "the database is not the one that was planned for: expected schema %s, found %s", hash,
		              live);
	}
	free(hash);
	return rc;
}

int sql_check(struct db *db, const struct doc *doc, uint32_t list, const char *where, const char *live, struct diag *d)
{
	int rc = 0;

	for (uint32_t t = list + 1; list && t < doc->tok[list].next; t = doc->tok[t].next) {
		int one = doc_says(doc, t, "check", "schema")   ? check_schema(doc, t, live, d)
		          : doc_says(doc, t, "check", "verify") ? check_verify(db, doc, t, where, d)
		                                            : sql_check_query(db, doc, t, where, d);

		rc = one < 0 ? -1 : rc;
		/* in a transaction that failed, PostgreSQL answers nothing more */
		if (one < 0 && db->ops->trouble(db) != DB_FINE)
			break;
	}
	return rc;
}
