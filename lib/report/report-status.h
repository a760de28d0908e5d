/*
 * report-status.h -- how a store stands, by its ledger: what is applied, what was begun and left.
 *
 * Floor 9.  Keeps some bytes for each plan that the ledger speaks of.
 */
#ifndef MIG_REPORT_STATUS_H
#define MIG_REPORT_STATUS_H

#include "report-history.h"
#include "report-tree.h"

struct status_plan;

/* Plans of one migration, version, env and scope. */
struct status_group {
	struct history_row last; /* its newest commit */
	uint64_t plans, documents;
	uint64_t pruned;         /* of these plans: they cannot be rolled back */
	char *key;
};

struct status_view {
	uint64_t entries;
	struct status_plan *plan;
	size_t nplan, plancap, nslot;
	uint32_t *slot;
	struct status_group *group;
	size_t ngroup;
	int64_t seq;
	char *head;              /* of the last entry */
};

void status_view_release(struct status_view *v);
void status_view_add(struct status_view *v, const struct record *r);
void status_view_page(const struct status_view *v, struct page *p);
void status_view_json(const struct status_view *v, struct buf *out);

/* What is pending: documents below target, or where it is NULL below the set's latest version, and the next command. */
void status_pending_page(const struct version_view *v, const char *target, struct page *p);

#endif
