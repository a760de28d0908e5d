/* rules-sql.c -- see rules-sql.h */
#include "rules-sql.h"

#include <stdlib.h>

/* The finding's message, redacted by whoever shows it.  New. */
static char *message_of(const struct plan *p, const struct sqlfinding *f)
{
	return record_dup(p->doc, f->message);
}

static void warn(const struct plan *p, const struct step *s, const struct sqlfinding *f, const char *prefix,
                 struct diag *d)
{
	char *rule = xmemdup(f->rule.s, f->rule.n), *object = xmemdup(s->ref.s, s->ref.n), *message = message_of(p, f);

	diag_warn(d, rule, object, "%s: %s: %s", prefix, rule, message);
	free(rule);
	free(object);
	free(message);
}

const struct step *sql_review(const struct plan *p, const struct grant *g, struct diag *d)
{
	const struct step *first = NULL;
	struct sqlfinding f;

	for (size_t i = 0; i < p->nstep && (d || !first); i++) {
		const struct step *s = &p->step[i];

		for (uint32_t e = s->findings + 1; e < p->doc->tok[s->findings].next; e = p->doc->tok[e].next) {
			sqlfinding_get(&f, p->doc, e);
			if (!sqlfinding_review(&f))
				continue;
			bool waived = grant_waives(g, f.rule);

			if (d)
				warn(p, s, &f, waived ? "waived" : "review", d);
			if (!waived && !first)
				first = s;
		}
	}
	return first;
}

/* The first finding of the step that says what it destroys. */
static char *what_destroys(const struct plan *p, const struct step *s)
{
	struct sqlfinding f;

	for (uint32_t e = s->findings + 1; e < p->doc->tok[s->findings].next; e = p->doc->tok[e].next) {
		sqlfinding_get(&f, p->doc, e);
		if (sqlfinding_destroys(&f))
			return message_of(p, &f);
	}
	return xstrdup("");
}

static int blame(struct diag *d, const char *rule, const struct step *s, size_t n, const char *what,
                 const char *message)
{
	char *object = xmemdup(s->ref.s, s->ref.n), *more = n > 1 ? xasprintf(" (and %zu more)", n - 1) : xstrdup("");

	diag_hint(d, "read the plan with mig-report, then mig-gate .. --allow-destructive");
	diag_add(d, MIG_UNSAFE, rule, object, "%s%s%s%s: requires --allow-destructive", what, *message ? ": " : "",
	         message, more);
	free(object);
	free(more);
	return -1;
}

static int check_flag(const struct plan *p, struct diag *d)
{
	const struct step *destroys = NULL, *forever = NULL;
	size_t ndestroy = 0, nforever = 0;
	int rc = 0;

	for (size_t i = 0; i < p->nstep; i++) {
		const struct step *s = &p->step[i];

		if (step_destroys(p, s) && ndestroy++ == 0)
			destroys = s;
		if (!s->reversible && nforever++ == 0)
			forever = s;
	}
	if (destroys) {
		char *what = what_destroys(p, destroys);

		rc = blame(d, "destructive_flag", destroys, ndestroy, "destructive operation, data loss", what);
		free(what);
	}
	if (forever)
		rc = blame(d, "irreversible_flag", forever, nforever, "the step cannot be undone", "");
	return rc;
}

static bool has_op(const struct plan *p, const struct step *s, const char *op, const char *member)
{
	const struct doc *d = p->doc;

	for (uint32_t a = s->actions + 1; a < d->tok[s->actions].next; a = d->tok[a].next)
		if (doc_equals(d, doc_member(d, a, "op", 2), op, strlen(op)) &&
		    (!member || doc_member(d, a, member, strlen(member))))
			return true;
	return false;
}

static bool takes_rows(const struct plan *p, const struct step *s)
{
	struct sqlfinding f;

	for (uint32_t e = s->findings + 1; e < p->doc->tok[s->findings].next; e = p->doc->tok[e].next) {
		sqlfinding_get(&f, p->doc, e);
		if (text_is(f.rule, "drop_table") || text_is(f.rule, "drop_column") || text_is(f.rule, "narrowing"))
			return true;
	}
	return false;
}

/* What was written by hand may name what we cannot know; a declared schema's plan was made by us. */
static bool is_declared(const struct plan *p)
{
	for (size_t i = p->nstep; i-- > 0;)
		if (has_op(p, &p->step[i], "record", "schema"))
			return true;
	return false;
}

static int check_backup(const struct plan *p, struct diag *d)
{
	int rc = 0;

	if (p->rollback_mode || !is_declared(p))
		return 0;
	for (size_t i = 0; i < p->nstep; i++) {
		const struct step *s = &p->step[i];

		if (s->type != STEP_CLEANUP || !takes_rows(p, s) || has_op(p, s, "backup", NULL))
			continue;
		char *object = xmemdup(s->ref.s, s->ref.n);

		rc = diag_add(d, MIG_UNSAFE, "backup_first", object,
		              "the step takes rows away and makes no backup of them");
		free(object);
	}
	return rc;
}

int sql_destruction(const struct plan *p, const struct grant *g, struct diag *d)
{
	int rc = check_backup(p, d);

	if (!g->allow_destructive && !g->dry_run && check_flag(p, d) < 0)
		rc = -1;
	return rc;
}
