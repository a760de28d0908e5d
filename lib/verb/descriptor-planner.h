/*
 * descriptor-planner.h -- from two descriptors, or from a planner's steps, to a plan of instructions.
 *
 * Floor 15.  Pure: files have been read before.
 */
#ifndef MIG_DESCRIPTOR_PLANNER_H
#define MIG_DESCRIPTOR_PLANNER_H

#include "docfile.h"
#include "plan-ask.h"
#include "stream.h"

/* What is compared, from files; doc is borrowed. */
struct descriptor_ask {
	struct plan_ask plan;
	const struct doc *target, *source; /* source: NULL: the snapshot on stdin */
	const char *target_file, *source_file;
};

/*
 * Write the plan that makes the source descriptor the target, if they differ, and its end.
 * Without a source, read it from the snapshot record of in, a stream of
 * mig-extract's, whose documents are counted and dropped.  0, or -1 after
 * findings: MIG_INVALID "bad_descriptor", "no_descriptor" for a stream without one.
 */
int descriptor_planner_run(const struct descriptor_ask *ask, struct stream *in, struct out *out, struct diag *d);

/* The same of the steps that InstantDB's planner gave, in file; MIG_INVALID "bad_steps". */
int steps_planner_run(const struct plan_ask *ask, const struct doc *steps, const char *file, struct out *out,
                      struct diag *d);

#endif
