/* fs-undo.c -- see fs-undo.h */
#include "fs-undo.h"

#include "fs-apply.h"
#include "fs-inverse.h"
#include "fs-stored.h"

#include <stdlib.h>

/* The stored text of a plan, read: 0, or -1 after a finding. */
static int load(struct fs *fs, const char *hash, struct buf *text, struct doc *doc, struct plan *p, struct diag *d)
{
	int rc = fs_stored_plan(&fs->state, hash, text, d);

	if (rc == 0)
		return diag_add(d, MIG_PRECONDITION, "missing_plan", hash, "this store has no such plan");
	if (rc < 0)
		return -1;
	if (!text->s || doc_parse(doc, text->s, text->len, RECORD_MAX_DEPTH) < 0)
		return diag_add(d, MIG_INVALID, "plan_hash_integrity_failed", hash, "the stored plan is damaged");
	if (plan_read(p, doc, 0, hash, d) < 0)
		return -1;
	if (strcmp(p->hash, hash) != 0)
		return diag_add(d, MIG_INVALID, "plan_hash_integrity_failed", hash, "the stored plan is another one");
	return 0;
}

static int undo_one(struct fs *fs, const char *hash, const struct apply_ctx *c, struct diag *d)
{
	struct plan p = PLAN_INIT;
	struct doc doc = DOC_INIT;
	struct buf text = BUF_INIT;
	struct fs_inverse v = FS_INVERSE_INIT;
	int rc = load(fs, hash, &text, &doc, &p, d);

	if (rc == 0)
		rc = fs_inverse_init(&v, fs, &p, d);
	if (rc == 0)
		rc = fs_apply_undo(fs, &v.plan, c, d);
	if (rc == 0)
		diag_warn(d, "undone", NULL, "plan %s was begun and never committed: what was done of it is undone",
		          hash);
	else
		diag_hint(d, "plan %s is not undone: see to what is named, then do the same again, "
		          "or apply the plan again to complete it", hash);
	fs_inverse_release(&v);
	plan_release(&p);
	doc_release(&doc);
	buf_release(&text);
	return rc;
}

int fs_undo(struct fs *fs, const struct apply_ctx *c, struct diag *d)
{
	char **hash;
	size_t n;
	int rc = ledger_unfinished(&fs->ledger, &hash, &n, d);

	for (size_t i = 0; i < n; i++) {
		if (rc == 0 && c->recovery == STORE_UNDO)
			rc = undo_one(fs, hash[i], c, d);
		else if (rc == 0)
			diag_warn(d, "unfinished", NULL,
			          "plan %s was begun and never committed: apply it again to complete it, "
			          "or undo it with --recover undo", hash[i]);
		free(hash[i]);
	}
	free(hash);
	return rc;
}
