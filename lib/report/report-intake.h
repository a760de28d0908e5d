/*
 * report-intake.h -- records, each checked and taken in by the view that is about it.
 *
 * Floor 12.  Pure.
 */
#ifndef MIG_REPORT_INTAKE_H
#define MIG_REPORT_INTAKE_H

#include "report-views.h"

struct report_intake {
	struct stream *in;            /* borrowed, as are views and d */
	struct report_views *views;
	struct diag *d;
	struct plan plan;             /* the last that came, in a permit or alone; good until the next record is read */
	/* private */
	struct buf arena;
	struct tally objects, plans;  /* what the end may speak of */
	bool other;                   /* a kind came whose place in the digest is not known */
	bool entries;                 /* the stream is that of a ledger */
	char digest[HEX_SIZE];        /* that the grants name; empty: no permit came */
};

void report_intake_init(struct report_intake *k, struct stream *in, struct report_views *views, struct diag *d);
void report_intake_release(struct report_intake *k);

/*
 * Take in a record of any kind.  0, or -1 after a finding: MIG_USAGE "bad_record",
 * MIG_INVALID "sum_mismatch", "entry_mismatch", "foreign_permit", and what plan_read says.
 */
int report_intake_add(struct report_intake *k, const struct record *x);

/*
 * After the last record of a stream without a fault: the end must be that of what
 * came.  0, or -1 after MIG_INVALID "foreign_permit" or what stream_verify_end says.
 */
int report_intake_end(struct report_intake *k);

#endif
