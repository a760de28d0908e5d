/* fs-revert.c -- see fs-revert.h */
#include "fs-revert.h"

#include "fs-exchange.h"

#include <stdlib.h>

/* Put one original back; after FS_FAILED the document still has its new bytes. */
static enum fs_result put_back(struct fs_run *r, size_t i)
{
	char *kept = NULL;
	enum fs_result rc = fs_exchange_back(&r->fs->state, &r->file[i], &kept, r->d);

	free(kept);
	if (rc == FS_OK && i != r->failed)
		outcome_set(r->outcome, i, STEP_UNDONE, "its original is back in place");
	else if (rc != FS_OK)
		fs_run_failed(r, i, r->d);
	fs_run_close(r, i);
	return rc;
}

/* The last first, but not what somebody else has put there: how many are left with their new bytes. */
static size_t put_all_back(struct fs_run *r, bool *clean)
{
	size_t left = 0;

	for (size_t i = r->n; i-- > 0;)
		if (r->file[i].exchanged && i != r->conflict) {
			enum fs_result rc = put_back(r, i);

			*clean = *clean && rc == FS_OK;
			left += rc == FS_FAILED;
		}
	return left;
}

/* Not all could be put back: the plan stays begun, so that the next run finds it. */
static void explain_left(struct fs_run *r, size_t left)
{
	diag_add(r->d, MIG_ERROR, "not_undone", r->fs->root.name,
	         "%zu document%s new bytes, the originals are in %s/objects: "
	         "apply the same plan again to complete it, or undo it with --recover undo",
	         left, left == 1 ? " still has its" : "s still have their", FS_STATE);
}

/* A sync after the exchange failed: say exactly what is left, and touch nothing. */
static void explain_lost(struct fs_run *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->file[i].exchanged)
			outcome_set(r->outcome, i, STEP_FAILED,
			            "its new bytes are in place, but the disk did not confirm them");
	diag_add(r->d, MIG_ERROR, "unconfirmed", r->fs->root.name,
	         "%zu documents have their new bytes and their originals are in %s/objects, "
	         "but the disk did not confirm it: look after the disk, then apply the same plan again",
	         r->todo, FS_STATE);
}

/* Has the ledger to hear of it?  Of a plan that it says was begun; and of a conflict, as that is in it too. */
static bool is_news(const struct fs_run *r)
{
	return r->begun || (r->undoing && r->conflict < r->n);
}

void fs_revert(struct fs_run *r)
{
	bool clean = r->conflict == r->n;

	/* what could not be written is undone; what may be on the disk is not */
	if (r->exchanged && r->sync_lost) {
		explain_lost(r);
		return;
	}
	size_t left = put_all_back(r, &clean);

	for (size_t i = 0; i < r->n; i++)
		fs_exchange_forget(&r->fs->state, &r->file[i], clean);
	if (!is_news(r) || r->sync_lost || (r->exchanged && fs_run_sync(r) < 0))
		return;
	if (left)
		explain_left(r, left);
	else if (r->begun)
		fs_run_append(r, "undo");
	if (!left || r->conflict < r->n)
		fs_run_sync_ledger(r);
}
