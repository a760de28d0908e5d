/*
 * plan-batch.h -- batches of rows as the steps of plans.
 *
 * Floor 11.
 */
#ifndef MIG_PLAN_BATCH_H
#define MIG_PLAN_BATCH_H

#include "entities.h"
#include "plan.h"
#include "spool.h"

enum { BATCH_BYTES = 4 << 20 }; /* a batch is closed at these, however few its rows are */

/* What the steps say of themselves; borrowed. */
struct rowplan_ask {
	struct text env, tenant, project, migration_id; /* tenant, project: s NULL for none */
	const char *target;
	int64_t batch; /* rows a batch at most */
};

/*
 * A row on its way through temporary files: this, the length of a ref and the
 * ref (where the row comes from, or who wants it), and its action's text.
 */
enum row_kind { ROW_WANTED, ROW_PUT, ROW_DELETE };

struct row_head {
	enum row_kind kind;
	uint32_t links, outside;          /* how many it has; how many of them may lead outside */
	unsigned char item[DIGEST_BYTES]; /* of a put: see balance.h */
};

void row_payload(struct buf *out, const struct row_head *head, struct text ref, struct text action);
void row_read(const char *p, size_t n, struct row_head *head, struct text *ref, struct text *action);

/* Where the rows of an entity lie, puts and deletes together in the order of their ids. */
struct segment {
	uint64_t where;
	int64_t puts, deletes;
};

struct batches {
	const struct rowplan_ask *ask;
	struct spool *rows;
	const struct entities *entities;
	const struct segment *segment;    /* of each entity */
	struct text levers, note;         /* the elements of a JSON array; a text */
	bool reversible;
	int (*step)(void *arg, const struct buf *blob);
	void *arg;
};

/*
 * Give the steps to step, each with LF and its rollback entry behind it: what is
 * put first, entities that others lead to before them; then what is deleted, the
 * other way round.  0 or -1.
 */
int batches_write(const struct batches *b, struct diag *d);

#endif
