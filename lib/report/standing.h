/*
 * standing.h -- how a store stands, by its ledger: what is applied, what was begun and left.
 *
 * Floor 9.  Keeps some bytes for each plan that the ledger speaks of.
 */
#ifndef MIG_STANDING_H
#define MIG_STANDING_H

#include "hashes.h"
#include "report-history.h"

struct status_plan {
	char hash[HEX_SIZE];
	uint32_t group;             /* of its last commit */
	bool applied;
	bool begun;                 /* and neither finished nor undone since */
	bool pruned;                /* while applied */
	int64_t seq;                /* of its last commit, */
	char nonce[HEX_SIZE];       /* and of the permits that this came by: a run's commits share it */
	char *time, *actor, *ticket; /* of it */
	int64_t documents;
	struct history_row *begin;  /* while begun */
};

/* Plans of one migration, version, env and scope. */
struct status_group {
	struct history_row last; /* its newest commit, which may have been rolled back since */
	uint64_t plans, documents;
	uint64_t pruned;         /* of these plans: they cannot be rolled back */
	char *key;
};

/* What the entries of a ledger say, in their order. */
struct status_view {
	uint64_t entries;
	struct hashes hashes;     /* of the plans, each once, */
	struct status_plan *plan; /* and beside them the rest */
	struct status_group *group;
	size_t ngroup;
	int64_t seq;
	char *head;              /* of the last entry */
};

void status_view_release(struct status_view *v);
void status_view_add(struct status_view *v, const struct record *r);

struct standing_group {
	const struct status_group *g;
	const struct status_plan *newest; /* of those applied */
};

struct standing {
	uint64_t applied, begun;
	struct standing_group *group; /* those with applied plans, newest first */
	size_t n;
	bool lost; /* the last run was pruned, some of its plans at least */
};

/* What it comes to, once all entries are in; borrows v.  The caller frees group. */
struct standing standing_of(const struct status_view *v);

/*
 * Append the command that takes back the last run (group 0), or what came after
 * group i; nothing where it would be refused, because what it needs was pruned.
 */
void standing_undo(const struct standing *s, size_t i, struct buf *out);

#endif
