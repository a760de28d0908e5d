/*
 * bundle-stage.h -- the stages that a bundle has, and what each one's file says.
 *
 * Floor 8.
 */
#ifndef MIG_BUNDLE_STAGE_H
#define MIG_BUNDLE_STAGE_H

#include "stream.h"

enum bundle_kind { BUNDLE_RUN, BUNDLE_PR };

/* What a stage's file holds. */
enum bundle_holds {
	HOLDS_ANYTHING, /* of people, or of other tools: one or more files */
	HOLDS_SCHEMA,
	HOLDS_DOCUMENTS,
	HOLDS_CHANGES,
	HOLDS_PLANS,
	HOLDS_OUTCOMES,
	HOLDS_VERDICTS
};

/* Its files are folder/stem, folder/stem.*, and, of those that hold anything, folder/stem/.. */
struct bundle_stage {
	const char *name, *folder, *stem;
	enum bundle_holds holds;
	bool of_database; /* needed only where the plans are for one */
};

enum { BUNDLE_STAGES = 8 };

/* The stages of a kind, ended by a name of NULL; its name; and the kind of a name, -1 if there is none. */
const struct bundle_stage *bundle_stages(enum bundle_kind k);
const char *bundle_kind_name(enum bundle_kind k);
int bundle_kind_of(struct text name);

/* Where the stages of a run stand among them. */
enum { RUN_SCHEMA, RUN_PERMS, RUN_PLAN, RUN_EXTRACT, RUN_TRANSFORM, RUN_TX_PLAN, RUN_DRY_RUN, RUN_VERIFY_BEFORE };

/* Does the file at path belong to the stage? */
bool bundle_stage_has(const struct bundle_stage *s, const char *path);

/* What a stream says of itself. */
struct bundle_facts {
	bool any;                 /* it was read */
	char digest[HEX_SIZE];    /* of its end */
	uint64_t records;
	char snapshot[HEX_SIZE];  /* of plans: what they were made from; of a schema record: its hash; or "" */
	struct buf plans;         /* their hashes, or those that it speaks of: "H","H" */
	bool of_database;         /* plans of rows, or of SQL */
};

/*
 * Read the stream of fd, whole: 0, or -1 after findings about path: what stream.h
 * says of one that is cut short or edited, and MIG_INVALID "bundle_fault" (it ends
 * in one), "bundle_kind" (what does not belong there), "bundle_failed" (an outcome
 * or verdict that is not ok, or no dry run), "bundle_snapshot" (plans made
 * from different things).
 */
int bundle_stage_read(struct bundle_facts *f, const struct bundle_stage *s, int fd, const char *path, struct diag *d);
void bundle_facts_release(struct bundle_facts *f);

#endif
