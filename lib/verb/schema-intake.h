/*
 * schema-intake.h -- the one schema record that an SQL plan is made from.
 *
 * Floor 13.
 */
#ifndef MIG_SCHEMA_INTAKE_H
#define MIG_SCHEMA_INTAKE_H

#include "model.h"
#include "stream.h"

struct schema_intake {
	struct buf line;   /* the record's text */
	struct doc doc;    /* its index */
	char hash[HEX_SIZE]; /* of live, recomputed */
	enum dialect dialect;
	/* tokens in doc */
	uint32_t applied, estimates, live, recorded; /* recorded: an object or null */
	uint32_t tables, views;                      /* of live: arrays */
};

#define SCHEMA_INTAKE_INIT { .doc = DOC_INIT }

/*
 * Read the stream to its end: one schema record, whose hash holds, and the end
 * that says so.  0 (also where a fault came in and was forwarded: in->fault, and
 * nothing else holds), or -1 after a finding.
 */
int schema_intake_read(struct schema_intake *x, struct stream *in, struct out *out, struct diag *d);
void schema_intake_release(struct schema_intake *x);

/* The table of that name in live, or DOC_NONE. */
uint32_t schema_intake_table(const struct schema_intake *x, const char *name);

/* The estimated rows of a table, or -1. */
int64_t schema_intake_rows(const struct schema_intake *x, const char *table);

#endif
