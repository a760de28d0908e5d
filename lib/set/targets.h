/*
 * targets.h -- what the records of a set of mode "records" are to be.
 *
 * Floor 6.  mig-set(5) describes the members.
 *
 *	"duplicates": "error",
 *	"uuid": {"entities": ["users"], "namespace": "6ba7b811-9dad-11d1-80b4-00c04fd430c8"},
 *	"targets": {
 *	  "users": {"key": "uuid", "required": ["/email"]},
 *	  "posts": {"links": {"author": "users"}, "optional": ["author"]}}
 */
#ifndef MIG_TARGETS_H
#define MIG_TARGETS_H

#include "pointer.h"
#include "record.h"
#include "uuid.h"

struct target_link {
	char *label, *entity; /* the entity that it leads to */
	bool optional;        /* a record may lack it */
	bool outside;         /* it may lead to a row that the stream does not hold */
};

struct target {
	char *entity;
	bool uuid;  /* ids are UUIDs, */
	bool named; /* and one that is none is made into one */
	struct target_link *link; /* by label */
	size_t nlink;
	char **required; /* pointers into data; ended by NULL */
};

struct targets {
	struct target *v; /* by entity */
	size_t n;
	bool last;  /* of records with the same entity and id the last one counts; else they are an error */
	bool skips; /* a row may give no record at all */
	unsigned char space[UUID_BYTES];
};

/*
 * Read the members duplicates, skips, targets and uuid of the object at the root
 * of doc.  Returns new targets, or NULL after findings of MIG_INVALID "bad_set" at file.
 */
struct targets *targets_read(const struct doc *doc, const char *file, struct diag *d);
void targets_free(struct targets *t);

/* Borrowed; NULL: no such entity, no such label. */
const struct target *targets_find(const struct targets *t, struct text entity);
const struct target_link *target_link(const struct target *t, struct text label);

#endif
