/*
 * keyring.h -- the keys whose signatures count.
 *
 * Floor 4.
 */
#ifndef MIG_KEYRING_H
#define MIG_KEYRING_H

#include "sign.h"
#include "text.h"

struct keyring {
	struct key **key;
	size_t n;
};

#define KEYRING_INIT { .key = NULL }

void keyring_release(struct keyring *k);
void keyring_add(struct keyring *k, struct key *key); /* keeps it */

/* Add the keys of the files, a NULL-ended list or NULL: 0, or -1 after the findings of key_read. */
int keyring_read(struct keyring *k, char *const *paths, struct diag *d);

/* The key that made the signature (hex) of n bytes, or NULL.  Borrowed. */
const struct key *keyring_find(const struct keyring *k, const void *p, size_t n, struct text signature);

/* Is this the id of one of them? */
bool keyring_knows(const struct keyring *k, struct text id);

#endif
