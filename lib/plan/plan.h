/*
 * plan.h -- the plan: what will change, step by step, and its inverse.
 *
 * Floor 8.  A strict view of a plan record: nothing unknown, nothing missing,
 * hashes and keys recomputed, the rollback list really the inverse.  How it is
 * read, plan-read.h tells.
 */
#ifndef MIG_PLAN_H
#define MIG_PLAN_H

#include "rows.h"
#include "stream.h"

enum step_type { STEP_SCHEMA, STEP_DATA, STEP_CONFIG, STEP_PROFILE, STEP_INDEX, STEP_CLEANUP, STEP_NTYPES };

/* "schema" .. "cleanup"; and back: -1 if there is no such type. */
const char *step_type_name(enum step_type t);
int step_type_of(struct text name);

/* One step, or one rollback entry.  Tokens are in the plan's doc; 0 where absent. */
struct step {
	uint32_t tok;          /* the step's object */
	int64_t index;
	struct text step_id;
	enum step_type type;
	struct text description;
	struct text key;       /* idempotency_key, 64 hex */
	struct text ref;
	struct text raw;       /* SHA-256 of the file's bytes before the forward step */
	struct text after;     /* content hash after the forward step */
	struct text without;   /* pointer of the history member left out of it; n == 0: none */
	bool restore;          /* a rollback entry: put the bytes of raw back */
	uint32_t patch;        /* forward: the operations */
	uint32_t stamp_entry;  /* forward: the history entry to append at without; 0: no history */
	struct text from_version, to_version; /* parsed from step_id <ref>@<from>..<to> */
	struct text backup_suffix; /* n == 0: none */
	/* rollback entries only */
	struct text previous_version;
	uint32_t levers;       /* array of texts */
	uint32_t undo;         /* the inverse operations, for reviewers */
	bool reversible;
	struct text note;      /* data_safety.note */
	/* of SQL and descriptors only: ref is the <object> of <object>:<what>@<from>..<to>; the lists are arrays */
	struct text what;      /* "add_column" */
	uint32_t actions, pre, post, findings;
	bool outside;          /* "transaction":false: after the others, by itself */
	struct row_batch rows; /* of a plan of rows */
};

/* Which phase of a migration a plan is; id.s NULL: of none. */
struct plan_phase {
	struct text id, kind, strategy;
	int64_t index, of;
};

struct plan {
	const struct doc *doc;
	uint32_t root;
	char hash[HEX_SIZE];
	bool known;                  /* hash and keys were checked before */
	struct text env, migration_id, target_version, tool_version;
	struct text tenant, project; /* s == NULL: not given */
	struct text set_id, set_hash;
	struct text undoes;          /* rollback: the plan_hash it undoes */
	struct text reason;          /* rollback: why, or s == NULL */
	struct plan_phase phase;
	bool rollback_mode;
	struct text dialect;         /* "sqlite", "postgresql": of SQL; "rows"; "descriptor"; s NULL: documents */
	struct row_totals rows;      /* of a plan of rows */
	int64_t part, parts;
	struct text digest;          /* snapshot */
	int64_t records, changes, current, rejects;
	struct step *step;
	size_t nstep;
	struct step *undo;           /* the rollback list; empty in a rollback plan */
	size_t nundo;
	/* private: escaped texts, decoded */
	char **owned;
	size_t nowned, ownedcap;
	size_t stepcap, undocap;
};

#define PLAN_INIT { .doc = NULL }

/*
 * Read the plan at token root of doc, which is borrowed; p is reused.  0, or -1
 * after a finding at where: MIG_USAGE for unknown, missing or mistyped members,
 * MIG_INVALID for a hash ("plan_hash_integrity_failed" with expected and
 * actual), an unknown step type, keys or order that are wrong, or a rollback
 * list that is not the inverse of the steps.
 */
int plan_read(struct plan *p, const struct doc *doc, uint32_t root, const char *where, struct diag *d);

/*
 * Only the steps of a plan that plan_read has accepted before, byte for byte:
 * its hash, keys and rollback list are believed.  nundo is 0, every step reversible.
 */
int plan_reread(struct plan *p, const struct doc *doc, uint32_t root, const char *where, struct diag *d);
void plan_release(struct plan *p);

/* Is it a plan of SQL, of rows, of descriptors?  If none of these, of documents. */
bool plan_of_sql(const struct plan *p);
bool plan_of_rows(const struct plan *p);
bool plan_of_descriptor(const struct plan *p);

/* Does a step destroy: a cleanup, or a patch that removes; of SQL, what a critical finding says destroys? */
bool step_destroys(const struct plan *p, const struct step *s);

/*
 * The idempotency key of a step: the SHA-256 of the canonical
 * [env,tenant,project,migration_id,step_id], null where s is NULL.
 */
void plan_key(struct text env, struct text tenant, struct text project, struct text migration_id,
              struct text step_id, char hex[HEX_SIZE]);

/*
 * Write the plan whose text without plan_hash is in b, with its hash put in at
 * offset at, and count it in t:
 *
 *	{"header":..,"kind":"plan",   at: "plan_hash":H,   "rollback":..,"steps":..}
 */
int plan_put(struct out *o, const struct buf *b, size_t at, struct tally *t);

#endif
