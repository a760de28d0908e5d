/*
 * hasher.h -- canonical JSON, its hashes, and the hashes inside records.
 *
 * Floor 13.  Pure.
 */
#ifndef MIG_HASHER_H
#define MIG_HASHER_H

#include "io.h"

enum hasher_mode { HASHER_HASH, HASHER_CANONICAL, HASHER_CHECK };
enum hasher_format { HASHER_BARE, HASHER_TEXT, HASHER_JSON };

struct hasher {
	enum hasher_mode mode;
	enum hasher_format format;
	const char *without; /* pointer of a member to leave out, or NULL */
};

/*
 * Go through the JSON values of fd, which findings call name.  HASHER_HASH: a
 * line with the SHA-256 of each value's canonical text; HASHER_CANONICAL: that
 * text; HASHER_CHECK: recompute every sum, plan_hash and end digest, and with
 * without also the hashes of documents: MIG_INVALID for each that does not hold.
 */
int hasher_run(const struct hasher *h, int fd, const char *name, struct out *out, struct diag *d);

#endif
