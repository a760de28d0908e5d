/* fs-run.c -- see fs-run.h */
#include "fs-run.h"

#include "moment.h"

#include <stdlib.h>

void fs_run_init(struct fs_run *r, struct fs *fs, const struct plan *p, const struct apply_ctx *c, struct outcome *o,
                 struct diag *d)
{
	size_t n = p->nstep;

	*r = (struct fs_run){ .fs = fs, .plan = p, .ctx = c, .outcome = o, .d = d, .n = n, .failed = n, .conflict = n };
	r->start = moment_ticks();
	ledger_time(c->now, r->time);
	r->file = xcalloc(n, sizeof *r->file);
	for (size_t i = 0; i < n; i++)
		r->file[i].parent = r->file[i].fd = -1;
}

void fs_run_release(struct fs_run *r)
{
	for (size_t i = 0; i < r->n; i++)
		fs_file_release(&r->file[i]);
	free(r->file);
	fs_claims_release(&r->claims);
}

void fs_run_close(struct fs_run *r, size_t i)
{
	if (i >= r->fs->max_open)
		fs_file_close(&r->file[i]);
}

void fs_run_failed(struct fs_run *r, size_t i, const struct diag *d)
{
	outcome_set(r->outcome, i, STEP_FAILED, "%s", d->n ? d->list[d->n - 1].message : "failed");
}

int fs_run_interrupted(struct fs_run *r)
{
	return store_interrupted() ? diag_add(r->d, MIG_ERROR, "interrupted", NULL, "stopped by a signal") : 0;
}

int64_t fs_run_elapsed(const struct fs_run *r)
{
	return r->ctx->now ? 0 : moment_since(r->start);
}

struct entry fs_run_entry(const struct fs_run *r, const char *event)
{
	struct entry e;

	entry_init(&e, event, r->plan, r->ctx->grant, r->fs->user, r->time);
	return e;
}

static bool makes_backups(const struct plan *p)
{
	for (size_t i = 0; i < p->nstep; i++)
		if (p->step[i].backup_suffix.n && !p->step[i].restore)
			return true;
	return false;
}

void fs_run_put(struct fs_run *r, struct entry *e)
{
	char *list = makes_backups(r->plan) ? fs_claims_list(r->file, r->n) : NULL;

	e->backups = list;
	ledger_append(&r->fs->ledger, e);
	e->backups = NULL;
	free(list);
}

void fs_run_append(struct fs_run *r, const char *event)
{
	struct entry e = fs_run_entry(r, event);

	fs_run_put(r, &e);
}

int fs_run_sync_ledger(struct fs_run *r)
{
	struct ledger *l = &r->fs->ledger;
	bool unsure;
	int rc = ledger_sync(l, r->exchanged, &unsure, r->d);

	if (unsure)
		r->sync_lost = true;
	if (rc == 0) {
		r->outcome->ledger_seq = l->seq;
		memcpy(r->outcome->ledger_head, l->head, HEX_SIZE);
	}
	return rc;
}

int fs_run_sync(struct fs_run *r)
{
	if (fs_state_sync(&r->fs->state, r->d) == 0)
		return 0;
	r->sync_lost = true;
	return -1;
}
