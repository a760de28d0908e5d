/*
 * sql-text.h -- the text of a plan of SQL or of descriptors: header, steps, rollback entries.
 *
 * Floor 14.
 */
#ifndef MIG_SQL_TEXT_H
#define MIG_SQL_TEXT_H

#include "model.h"
#include "plan-ask.h"
#include "stream.h"

/* What the header says beside the ask. */
struct sql_header {
	const struct plan_ask *ask;
	enum dialect dialect;
	const char *language;      /* what header.dialect says instead, or NULL */
	const char *digest;        /* of what was planned from: the live schema, or a stream of documents, */
	int64_t records, current;  /* how many tables, documents or things it holds, and stay as they are */
	const char *set_id, *set_hash, *target_version;
	size_t part, parts, nstep; /* nstep: of all parts */
	size_t max;                /* bytes of a record that filters read */
};

/* One direction of a step; lists of objects without their brackets, parted by commas. */
struct sql_way {
	struct text actions, findings, pre, post;
	const char *type;
	bool no_transaction;
};

struct sql_step {
	const char *object, *what, *from, *to; /* step_id is object:what@from..to */
	const char *description;
	struct sql_way forth, back;
	bool reversible;
	const char *note;
	char **levers; /* NULL-ended */
};

/* A plan being put together. */
struct sql_plan {
	struct buf steps, entries, text;
	size_t *entry; /* where each rollback entry begins in entries */
	size_t n, cap;
};

#define SQL_PLAN_INIT { .n = 0 }

void sql_plan_release(struct sql_plan *p);

/* Append a step and its rollback entry. */
void sql_plan_add(struct sql_plan *p, const struct sql_header *h, const struct sql_step *s);

/* Write the plan, count it in t, and be empty again.  -1 after a finding: a plan that no filter would read. */
int sql_plan_put(struct sql_plan *p, const struct sql_header *h, struct out *out, struct tally *t, struct diag *d);

#endif
