/*
 * report-descriptor.h -- the reviewer's page of plans of descriptors: every instruction.
 *
 * Floor 9.  As long as it has to be.
 *
 *	GATE blocked: 1 critical, 0 for review, 1 warning, 2 safe
 *	  1 CRITICAL delete-attr notes.body
 *	            gone: attribute notes.body: string
 *	      do    keep it in the target until nothing reads or writes it ..
 */
#ifndef MIG_REPORT_DESCRIPTOR_H
#define MIG_REPORT_DESCRIPTOR_H

#include "page.h"
#include "plan.h"
#include "sqlfinding.h"

struct descriptor_view {
	uint64_t plans, findings[SQL_NSEVERITIES];
	uint64_t unknown;         /* steps of a rollback that nobody knows how to do */
	struct page steps;
	struct buf json;          /* elements of an array, parted by commas */
};

void descriptor_view_init(struct descriptor_view *v);
void descriptor_view_release(struct descriptor_view *v);
void descriptor_view_add(struct descriptor_view *v, const struct plan *p);

/* The class that mig-gate takes it for: "safe", "review", "blocked". */
const char *descriptor_view_gate(const struct descriptor_view *v);

void descriptor_view_page(const struct descriptor_view *v, struct page *p);

/* Append the same as a JSON object: gate, severities, instructions. */
void descriptor_view_json(const struct descriptor_view *v, struct buf *out);

#endif
