/* names.c -- see names.h */
#include "names.h"

#include <stdlib.h>

void names_release(struct names *t)
{
	free(t->key);
	free(t->value);
	*t = (struct names)NAMES_INIT;
}

/* The slot that holds the key, or the free one where it belongs. */
static uint32_t slot_of(const struct names *t, struct text key)
{
	uint32_t i = text_hash(key) & (t->nslot - 1);

	while (t->key[i].s && !text_same(t->key[i], key))
		i = (i + 1) & (t->nslot - 1);
	return i;
}

static void grow(struct names *t)
{
	struct names old = *t;

	t->nslot = old.nslot ? old.nslot * 2 : 16;
	t->key = xcalloc(t->nslot, sizeof *t->key);
	t->value = xcalloc(t->nslot, sizeof *t->value);
	for (uint32_t i = 0; i < old.nslot; i++) {
		if (!old.key[i].s)
			continue;
		uint32_t to = slot_of(t, old.key[i]);

		t->key[to] = old.key[i];
		t->value[to] = old.value[i];
	}
	free(old.key);
	free(old.value);
}

int32_t names_add(struct names *t, struct text key, int32_t value)
{
	if (t->n * 2 >= t->nslot)
		grow(t);
	uint32_t i = slot_of(t, key);

	if (!t->key[i].s) {
		t->key[i] = key;
		t->value[i] = value;
		t->n++;
	}
	return t->value[i];
}

int32_t names_get(const struct names *t, struct text key)
{
	if (!t->nslot)
		return NAMES_NONE;
	uint32_t i = slot_of(t, key);

	return t->key[i].s ? t->value[i] : NAMES_NONE;
}
