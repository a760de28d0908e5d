/*
 * declared.h -- reading the app JSON: its members, and what is wrong with them.
 *
 * Floor 7.  A fault is a finding with the JSON pointer of its place; reading goes
 * on, so that every fault is found in one go.
 */
#ifndef MIG_DECLARED_H
#define MIG_DECLARED_H

#include "model.h"
#include "text.h"

struct declared {
	const struct doc *doc;
	uint32_t root;
	enum dialect dialect;
	const char *where; /* the file */
	struct diag *d;
	bool bad;          /* a fault was found */
};

/* Add a fault at token t ("schema_*", MIG_INVALID): returns -1. */
int declared_wrong(struct declared *in, uint32_t t, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same of another exit class: MIG_UNSAFE, or MIG_OK for a warning, which is no fault. */
int declared_say(struct declared *in, enum mig_exit exit, uint32_t t, const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * The value of obj's member if it is one of the types (IS_* of record.h).  A
 * wrong type is a fault "schema_shape", a lacking one too unless types has MAY_LACK;
 * both give DOC_NONE, as does null where it may lack.
 */
uint32_t declared_member(struct declared *in, uint32_t obj, const char *name, int types);

/* The text of such a member: new, or NULL. */
char *declared_text(struct declared *in, uint32_t obj, const char *name, int must_or_may);

/* The text of string token t: new; NULL after a fault for one with U+0000 in it. */
char *declared_dup(struct declared *in, uint32_t t);

bool declared_flag(struct declared *in, uint32_t obj, const char *name); /* true where it says so */

/* A whole number from low to high: true and *v; lacking: false; another value: a fault and false. */
bool declared_int(struct declared *in, uint32_t obj, const char *name, int64_t low, int64_t high, int64_t *v);

/* Its texts, new, *n of them; a fault if it is not an array of at least one text.  NULL with *n 0 where it lacks. */
char **declared_texts(struct declared *in, uint32_t obj, const char *name, int must_or_may, size_t *n);

/* Warn of the members of obj, a "field", that are not in the sorted list of count names. */
void declared_known(struct declared *in, uint32_t obj, const char *const *names, size_t count, const char *what);

/* The first element of the array at token a, then declared_next of it; DOC_NONE at the end, or if a is DOC_NONE. */
uint32_t declared_first(const struct declared *in, uint32_t a);
uint32_t declared_next(const struct declared *in, uint32_t a, uint32_t e);

/* A growing list: the n things of size at list with room for one more, which is zeroed. */
void *declared_room(void *list, size_t n, size_t size);

#define MORE(list, n) (*((list) = declared_room((list), (n), sizeof *(list)), &(list)[(n)++]))

#endif
