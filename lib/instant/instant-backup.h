/*
 * instant-backup.h -- what a batch found, kept in a file.
 *
 * Floor 10.  STATE/backups/<first 16 digits of the plan's hash>.<seq of its begin>.<batch>.ndjson,
 * a canonical line an action, in their order; of one that was not there data and links are null:
 *
 *	{"data":{"title":"Hello"},"entity":"posts","id":"1c..","links":{"author":["7e.."]}}
 *
 * It has all members of the row, and the links of the labels that were looked at.
 */
#ifndef MIG_INSTANT_BACKUP_H
#define MIG_INSTANT_BACKUP_H

#include "instant-batch.h"
#include "instant-state.h"

struct instant_backup {
	char name[80];
	char hash[HEX_SIZE]; /* SHA-256 of the file */
	struct buf text;     /* its lines, as one array */
	struct doc doc;      /* of that */
	uint32_t *row;       /* its rows' tokens */
	size_t n;
};

#define INSTANT_BACKUP_INIT { .doc = DOC_INIT }

void instant_backup_release(struct instant_backup *k);

/* The name of the backup of a batch of the plan, as it was begun by entry seq. */
void instant_backup_name(char name[80], const char *plan_hash, int64_t seq, struct text batch);

/*
 * Keep the rows of b as they are there, unless the file is there already: that
 * is what the batch found first.  Either way k is what the file holds.  0 once it
 * is on the disk, or -1 after a finding.
 */
int instant_backup_keep(struct instant_backup *k, struct instant_state *s, const struct instant_batch *b,
                        const struct instant_app *a, struct diag *d);

/*
 * Read the backup of batch b, whose hash must be hash if that is not NULL: 1, 0 if there is none, or -1
 * after MIG_INVALID "backup_damaged".
 */
int instant_backup_read(struct instant_backup *k, const struct instant_state *s, const struct instant_batch *b,
                        const char *hash, struct diag *d);

#endif
