/* fs-apply.c -- see fs-apply.h */
#include "fs-apply.h"

#include "fs-judge.h"
#include "fs-revert.h"
#include "fs-work.h"

#include <stdlib.h>

/* What a dry run says of a step that is to do. */
static void foretell(struct fs_run *r, size_t i)
{
	const struct plan *p = r->plan;
	const struct step *s = &p->step[i];
	struct buf b = BUF_INIT;

	if (s->restore) {
		buf_addf(&b, "would restore %.*s", (int)s->raw.n, s->raw.s);
		if (s->backup_suffix.n)
			buf_addf(&b, ", remove its backup");
	} else {
		uint32_t n = p->doc->tok[s->patch].n;

		buf_addf(&b, "would patch %u operation%s", n, n == 1 ? "" : "s");
		if (s->stamp_entry)
			buf_addf(&b, ", stamp %.*s", (int)s->without.n, s->without.s);
		if (s->backup_suffix.n)
			buf_addf(&b, ", back up to %s%.*s", r->file[i].base, (int)s->backup_suffix.n,
			         s->backup_suffix.s);
	}
	outcome_set(r->outcome, i, STEP_SKIPPED, "%s", b.s);
	buf_release(&b);
}

static void foretell_all(struct fs_run *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->file[i].todo)
			foretell(r, i);
}

static int apply(struct fs_run *r)
{
	if (fs_judge(r) < 0)
		return -1;
	if (r->ctx->grant->dry_run) {
		foretell_all(r);
		return 0;
	}
	if (!r->todo)
		return fs_work_end(r);
	if (fs_work(r) == 0)
		return 0;
	fs_revert(r);
	return -1;
}

static int check_kind(const struct plan *p, struct diag *d)
{
	if (plan_of_rows(p))
		return diag_add(d, MIG_INVALID, "foreign_plan", NULL, "a plan of rows: this store holds documents");
	if (plan_of_descriptor(p))
		return diag_add(d, MIG_INVALID, "foreign_plan", NULL, "a plan of descriptors: no store takes it");
	if (plan_of_sql(p))
		return diag_add(d, MIG_INVALID, "foreign_plan", NULL,
		                "the plan was made for a database, this store is a folder");
	return 0;
}

/* Run one verb over a plan from its start; the outcome says when and how long. */
static int run(struct fs *fs, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d,
               int (*verb)(struct fs_run *r))
{
	struct fs_run r;

	fs_run_init(&r, fs, p, c, o, d);
	int rc = check_kind(p, d) < 0 ? -1 : verb(&r);

	free(o->started_at);
	o->started_at = xstrdup(r.time);
	o->dry_run = c->grant->dry_run;
	o->duration_ms = fs_run_elapsed(&r);
	fs_run_release(&r);
	return rc;
}

int fs_apply(struct fs *fs, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d)
{
	return run(fs, p, c, o, d, apply);
}

int fs_check(struct fs *fs, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d)
{
	return run(fs, p, c, o, d, fs_judge);
}

static int apply_undo(struct fs_run *r)
{
	r->undoing = true;
	return apply(r);
}

int fs_apply_undo(struct fs *fs, const struct plan *inverse, const struct apply_ctx *c, struct diag *d)
{
	struct outcome unasked;

	outcome_init(&unasked, inverse->nstep);
	int rc = run(fs, inverse, c, &unasked, d, apply_undo);

	outcome_release(&unasked);
	return rc;
}
