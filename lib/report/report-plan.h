/*
 * report-plan.h -- the reviewer's page: what plans will do, in two screens.
 *
 * Floor 10.
 */
#ifndef MIG_REPORT_PLAN_H
#define MIG_REPORT_PLAN_H

#include "header.h"
#include "kinds.h"
#include "permit.h"
#include "plan.h"
#include "rejects.h"
#include "report-descriptor.h"
#include "report-rows.h"
#include "report-sql.h"

enum { NAMED_HASHES = 3, NAMED_IRREVERSIBLE = 5, NAMED_DESTRUCTIVE = 2 };

struct plan_view {
	struct header header;
	uint64_t plans, steps, entries;    /* entries: of their rollback lists */
	struct kinds kinds;
	struct sql_view sql;               /* in the place of kinds where the plans are of SQL */
	struct rows_view rows;             /* plans of rows, in place of kinds */
	struct descriptor_view descriptor; /* plans of descriptors, likewise */
	struct counts stamps, backups;     /* pointers; suffixes */
	struct counts levers, notes;
	uint64_t destructive, irreversible, major; /* major: to a greater major version, which is reviewed */
	char *destroys[NAMED_DESTRUCTIVE];     /* step_ids */
	char *forever[NAMED_IRREVERSIBLE];     /* "step_id: note" */
	char *hash[NAMED_HASHES];
	struct {                               /* of the first permit */
		bool any, apply, dry_run, allow_destructive;
		char *actor, *ticket, *issued_at, *env;
		struct buf rules;              /* parted by blanks */
		struct page waivers;
	} grant;
};

void plan_view_init(struct plan_view *v);
void plan_view_release(struct plan_view *v);
int plan_view_add(struct plan_view *v, const struct plan *p, const char *where, struct diag *d);

/* Keep the first permit's grant, which was read from d. */
void plan_view_grant(struct plan_view *v, const struct grant *g, const struct doc *d);

/*
 * Put it on a page of at most lines lines.  digest: of the verified end, which
 * approvals name, or NULL if the stream cannot be trusted.
 */
void plan_view_page(struct plan_view *v, struct rejects *rejects, const char *digest, struct page *p, size_t lines);

/* Append the same facts as a JSON object. */
void plan_view_json(struct plan_view *v, struct buf *out);

#endif
