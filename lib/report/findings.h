/*
 * findings.h -- the first findings of outcomes and verdicts.
 *
 * Floor 7.
 */
#ifndef MIG_FINDINGS_H
#define MIG_FINDINGS_H

#include "page.h"
#include "record.h"

enum { FINDINGS_MAX = 20 };

struct shown_finding {
	char *rule, *severity, *ref, *message, *expected, *actual; /* NULL: not given */
	struct buf diff;                                           /* lines, expected to actual */
};

struct findings {
	struct shown_finding list[FINDINGS_MAX];
	size_t max;                 /* how many are kept, up to FINDINGS_MAX; errors before warnings */
	size_t n;
	uint64_t errors, warnings;
	char *first;                /* rule of the first error; NULL: none */
};

void findings_init(struct findings *f, size_t max);
void findings_release(struct findings *f);

/* Take in a record's array of findings. */
void findings_add(struct findings *f, const struct doc *d, uint32_t list);

/* A section with the kept ones and how many more there are; nothing if there are none. */
void findings_page(const struct findings *f, struct page *p);

/* Append as a JSON array. */
void findings_json(const struct findings *f, struct buf *out);

#endif
