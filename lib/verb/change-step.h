/*
 * change-step.h -- the change of a document as a step of a plan, and its rollback entry.
 *
 * Floor 9.  Pure.
 */
#ifndef MIG_CHANGE_STEP_H
#define MIG_CHANGE_STEP_H

#include "plan-ask.h"
#include "record.h"

/* The parts of a step that its rollback entry repeats; their room is used again from change to change. */
struct change_step {
	struct buf step_id, description, quoted;
	char key[HEX_SIZE];
};

#define CHANGE_STEP_INIT { .key = "" }

void change_step_release(struct change_step *x);

/*
 * Append the canonical texts of the step, an LF and its rollback entry; both have
 * a NUL for their index, as plan-parts.h wants them.
 */
void change_step_write(struct change_step *x, const struct plan_ask *ask, const struct record *r, struct buf *out);

#endif
