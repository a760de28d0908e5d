/*
 * phases.h -- a migration without downtime: which phases it has, and which plans make each.
 *
 * Floor 9.  A file:
 *
 *	{"kind":"phases","id":"contacts","description":"..","phases":[
 *	  {"id":"expand","kind":"expand","description":"..","plans":{"dev":["<plan_hash>"]}},
 *	  {"id":"dual-write","kind":"dual_write","description":"..","confirm":"release 41 writes both"},..]}
 *
 * The strategy is all of it but the hashes, which come when phases are planned;
 * each plan names the strategy that it was made for.
 */
#ifndef MIG_PHASES_H
#define MIG_PHASES_H

#include "docfile.h"
#include "plan.h"

/* In the order in which they come. */
enum phase_kind {
	PHASE_EXPAND,
	PHASE_DUAL_WRITE,
	PHASE_BACKFILL,
	PHASE_COMPARE,
	PHASE_DUAL_READ,
	PHASE_CUTOVER,
	PHASE_CONTRACT,
	PHASE_NKINDS
};

/* "expand" .. "contract" */
const char *phase_kind_name(enum phase_kind k);

struct phase {
	enum phase_kind kind;
	char *id, *description;
	char *confirm;         /* what a person confirms; NULL: it has plans */
	uint32_t plans;        /* token of {"dev":[..]} */
	char digest[HEX_SIZE]; /* what a confirmation speaks of: SHA-256 of canonical ["phase",strategy,id] */
};

struct phases {
	struct docfile file;
	char *id;
	struct phase *v;
	size_t n;
	char hash[HEX_SIZE];   /* of the strategy */
};

#define PHASES_INIT { .file = DOCFILE_INIT }

/*
 * Read the file: 0, or -1 after MIG_PRECONDITION "missing_phases", MIG_INVALID
 * "bad_json" or "bad_phases": a shape that is none, kinds that are unknown, out of
 * order or there twice, a beginning that is not expand, a contract without a compare
 * and a cutover before it, a plan_hash that is none or in two phases.
 */
int phases_read(struct phases *x, const char *path, struct diag *d);
void phases_release(struct phases *x);

/* The phase of that id, or NULL. */
const struct phase *phases_find(const struct phases *x, struct text id);

/* The hashes of a phase's plans for env, an array's token; DOC_NONE where none are listed. */
uint32_t phases_plans(const struct phases *x, const struct phase *ph, struct text env);

/* Is the plan listed there? */
bool phases_list(const struct phases *x, const struct phase *ph, struct text env, const char *plan_hash);

/* Append header.phase: {"id":"expand","index":1,"kind":"expand","of":7,"strategy":H} */
void phases_member(const struct phases *x, const struct phase *ph, struct buf *out);

#endif
