/* keyring.c -- see keyring.h */
#include "keyring.h"

#include <stdlib.h>

void keyring_release(struct keyring *k)
{
	for (size_t i = 0; i < k->n; i++)
		key_free(k->key[i]);
	free(k->key);
	*k = (struct keyring)KEYRING_INIT;
}

void keyring_add(struct keyring *k, struct key *key)
{
	k->key = xrealloc(k->key, k->n + 1, sizeof *k->key);
	k->key[k->n++] = key;
}

int keyring_read(struct keyring *k, char *const *paths, struct diag *d)
{
	int rc = 0;

	for (; paths && *paths; paths++) {
		struct key *key = key_read(*paths, false, d);

		if (key)
			keyring_add(k, key);
		else
			rc = -1;
	}
	return rc;
}

const struct key *keyring_find(const struct keyring *k, const void *p, size_t n, struct text signature)
{
	for (size_t i = 0; i < k->n; i++)
		if (key_verify(k->key[i], p, n, signature.s, signature.n))
			return k->key[i];
	return NULL;
}

bool keyring_knows(const struct keyring *k, struct text id)
{
	for (size_t i = 0; i < k->n; i++)
		if (text_is(id, key_id(k->key[i])))
			return true;
	return false;
}
