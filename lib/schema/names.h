/*
 * names.h -- which number a name has.
 *
 * Floor 2.  A hash table of borrowed texts: what keeps a thousand tables linear.
 */
#ifndef MIG_NAMES_H
#define MIG_NAMES_H

#include "base.h"
#include "text.h"

struct names {
	/* private */
	struct text *key;
	int32_t *value;
	uint32_t nslot, n;
};

enum { NAMES_NONE = -1 };

#define NAMES_INIT { .key = NULL }

void names_release(struct names *t);

/* Give a name its number, unless it has one.  Borrows the text.  Returns the number that it has now. */
int32_t names_add(struct names *t, struct text key, int32_t value);

/* Its number, or NAMES_NONE. */
int32_t names_get(const struct names *t, struct text key);

static inline struct text name_text(const char *s)
{
	return (struct text){ s, strlen(s) };
}

#endif
