/*
 * plan-read.h -- the insides of plan_read, which the files of its parts share.
 *
 * Floor 9.  Nobody else includes it.  plan-read.c reads the record and the lists
 * of its steps; plan-header.c the header; plan-step.c what all steps have;
 * plan-document.c, plan-sql.c, plan-descriptor.c and rows.h what those of each
 * kind of plan have; plan-pairs.c and plan-sql-pairs.c say what the steps must be
 * to each other.  All of them return 0, or -1 after a finding.
 */
#ifndef MIG_PLAN_READ_H
#define MIG_PLAN_READ_H

#include "plan.h"

/* What is being read, for the messages. */
struct plan_reading {
	struct plan *p;
	const struct doc *doc; /* p's */
	const char *what;      /* "plan", "step 3", "rollback entry 3" */
	const char *where;
	struct diag *d;
};

/* Add MIG_USAGE "bad_plan", or MIG_INVALID of that rule: "<r->what>: <what>".  Both return -1. */
int plan_usage(const struct plan_reading *r, const char *what);
int plan_invalid(const struct plan_reading *r, const char *rule, const char *what);

/* shape_check for the object t of the plan, which messages call what. */
int plan_shape(const struct plan_reading *r, uint32_t t, const struct member *m, uint32_t *tok, const char *what);

/* The characters of a string token, kept by p where it is escaped; s NULL if it is none. */
struct text plan_text(struct plan *p, uint32_t t);

/* Is it 64 hexadecimal digits, in lower case? */
bool plan_is_hash(struct text t);

/* The members of header, into p. */
int plan_read_header(const struct plan_reading *r, uint32_t header);

/* The step at tok, or an entry of the rollback list, which is to be number index: into *s. */
int plan_read_step(const struct plan_reading *r, uint32_t tok, int64_t index, bool entry, struct step *s);

/* "type" of any step. */
int plan_read_type(const struct plan_reading *r, uint32_t type, struct step *s);

/* What an entry of any kind has and a forward step has not.  Its step_id was read; DOC_NONE where a member lacks. */
struct entry_members {
	uint32_t safety, levers, previous, undo;
};
int plan_read_entry(const struct plan_reading *r, const struct entry_members *t, bool entry, struct step *s);

/* Is its idempotency_key that of its step_id?  MIG_INVALID "idempotency_key" if not; a known plan's are believed. */
int plan_check_key(const struct plan_reading *r, const struct step *s, bool entry);

/* Of documents: the three lists. */
int plan_document_step(const struct plan_reading *r, bool entry, uint32_t actions, uint32_t pre, uint32_t post,
                       struct step *s);

/* Of SQL and of descriptors: all of the step at s->tok. */
int plan_sql_step(const struct plan_reading *r, struct step *s, int64_t index, bool entry);

/* Of descriptors: the lists of a step that plan_sql_step has read; is u the inverse of s? */
int plan_descriptor_step(const struct plan_reading *r, struct step *s, bool entry);
bool plan_descriptor_inverse(struct plan *p, const struct step *s, const struct step *u);

/* The order of the steps, and each rollback entry as the inverse of its step: sets reversible of the steps. */
int plan_pairs(const struct plan_reading *r);
int plan_sql_pairs(const struct plan_reading *r);

#endif
