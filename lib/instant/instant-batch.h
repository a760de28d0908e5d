/*
 * instant-batch.h -- the rows that one batch names, and what is there of them.
 *
 * Floor 9.
 */
#ifndef MIG_INSTANT_BATCH_H
#define MIG_INSTANT_BATCH_H

#include "instant-app.h"
#include "plan.h"
#include "uuid.h"

/* Rows of one entity, which stand together. */
struct instant_group {
	char *entity;
	size_t first, n;
	char **label; /* of the links that are looked at, in canonical order */
	size_t nlabel;
};

/* One action; tokens are of the plan's doc. */
struct instant_row {
	unsigned char uuid[UUID_BYTES];
	char id[UUID_SIZE]; /* as InstantDB spells it */
	uint32_t action, data, links;
	size_t group;
	uint32_t there; /* the row in the app's answer; DOC_NONE: there is none */
};

struct instant_batch {
	const struct doc *plan; /* borrowed */
	const struct step *step;
	struct instant_group *group;
	size_t ngroup;
	struct instant_row *row;
	size_t n;
};

/*
 * Take the rows of step st of p, a forward one: 0, or -1 after MIG_INVALID for
 * what InstantDB could not hold as it is: "bad_id" (no UUID, or one that is a row twice),
 * "bad_data", "inexact_number".  Nobody is asked.
 */
int instant_batch_read(struct instant_batch *b, const struct plan *p, const struct step *st, struct diag *d);
void instant_batch_release(struct instant_batch *b);

/*
 * Ask the app once for the rows and their links: 0, and each row's there is in
 * a->doc; or -1 after a finding of instant_query, "bad_answer" where rows came that
 * were not asked for.
 */
int instant_batch_look(struct instant_batch *b, struct instant_app *a, struct diag *d);

/* The ids that a link of a row in an answer leads to, ascending, each once: new. */
struct instant_ids {
	char (*v)[UUID_SIZE];
	size_t n;
};

/* From a label in an answer, {"id":..}, [{"id":..},..] or nothing, or from a list of ids: false if it is none. */
bool instant_ids_read(struct instant_ids *ids, const struct doc *d, uint32_t value);
bool instant_ids_have(const struct instant_ids *ids, const char *id);
bool instant_ids_same(const struct instant_ids *a, const struct instant_ids *b);
void instant_ids_write(const struct instant_ids *ids, struct buf *out); /* ["1c..","2f.."] */
void instant_ids_release(struct instant_ids *ids);

/* Is the member of a row one of the labels that were looked at? */
bool instant_is_label(const struct instant_group *g, const struct doc *d, uint32_t key);

/*
 * Append row i as it is there, as far as its action names it, in the shape that
 * look of struct store_ops has.  Only of a row that is there.
 */
int instant_row_write(const struct instant_batch *b, const struct instant_app *a, size_t i, struct buf *out,
                      struct diag *d);

/*
 * Do the rows, as they are there, come to what a list of "rows" checks in plan says?
 * 1, 0, or -1 after a finding.
 */
int instant_batch_holds(const struct instant_batch *b, const struct instant_app *a, const struct doc *plan,
                        uint32_t checks, struct diag *d);

#endif
