/*
 * header.h -- what plans and outcomes say of themselves, kept for a report.
 *
 * Floor 7.
 */
#ifndef MIG_HEADER_H
#define MIG_HEADER_H

#include "page.h"
#include "record.h"

/* The first header of a stream; texts are fit to be shown, NULL where not given. */
struct header {
	bool any;
	char *env, *migration, *target, *mode, *tenant, *project, *set_id, *set_hash, *reason, *undoes, *tool_version;
	char *phase;            /* "3 of 7, backfill: copy" */
	int64_t records, changes, current, rejects, parts;
	uint64_t others;        /* plans whose header speaks of something else */
	char *other;            /* what the first of them speaks of */
	struct buf same, scratch; /* private */
};

void header_release(struct header *h);

/*
 * Take note of the header object at t.  0, or -1 after a finding of MIG_USAGE
 * "bad_record" at where if it has no env, migration_id or target_version.
 */
int header_add(struct header *h, const struct doc *d, uint32_t t, const char *where, struct diag *diag);

bool header_rollback(const struct header *h);

/* "manifest to 1.2.0 in dev" appended. */
void header_name(const struct header *h, struct buf *out);

/* The lines of a page: scope, set, what it undoes and why, and whether others came. */
void header_page(const struct header *h, struct page *p);

/* "env=dev migration=manifest target=1.2.0" LF, and "scope=acme/site" LF where a scope is given. */
void header_lines(const struct header *h, struct buf *out);

/* Append as a JSON object. */
void header_json(const struct header *h, struct buf *out);

/* "--env prod --tenant acme --prod-override TICKET": the flags that mig-gate needs for it, quoted for a shell. */
void header_flags(const struct header *h, struct buf *out);

#endif
