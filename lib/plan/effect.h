/*
 * effect.h -- what a plan's step does to the bytes of a document.
 *
 * Floor 9.  Pure.
 */
#ifndef MIG_EFFECT_H
#define MIG_EFFECT_H

#include "plan.h"

/* Room that is used again from document to document. */
struct effect {
	struct doc before, after, stamp;
	struct buf op;
};

#define EFFECT_INIT { .before = DOC_INIT, .after = DOC_INIT, .stamp = DOC_INIT, .op = BUF_INIT }

void effect_release(struct effect *e);

/* The content hash of a document's bytes, the member at pointer without left out: false if they are not JSON. */
bool effect_content(struct effect *e, const struct buf *bytes, struct text without, char hex[HEX_SIZE]);

/*
 * Append to out the bytes of a document after the forward step s of p: patched,
 * and stamped with the step's history entry and applied_at.  0, or -1 after a
 * finding of MIG_INVALID at where: "patch_failed", "history_not_array", or
 * "postcondition_failed" if the new content has not the hash the plan promises;
 * out is then as it was.
 */
int effect_forward(struct effect *e, const struct plan *p, const struct step *s, const struct buf *bytes,
                   const char *applied_at, struct buf *out, const char *where, struct diag *d);

#endif
