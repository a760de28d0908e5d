/*
 * pg-words.h -- the first words of a statement, as PostgreSQL reads them.
 *
 * Floor 2.  Words are parted by white space and comments, which nest; what
 * stands before the first one, semicolons included, is passed over.
 */
#ifndef MIG_PG_WORDS_H
#define MIG_PG_WORDS_H

#include "buf.h"

#include <stdbool.h>

/* The first word of s, or its end. */
const char *pg_word(const char *s);

/* Is the keyword next?  Then *s is behind it, at the next word. */
bool pg_take(const char **s, const char *keyword);

/* Take a name, unquoted and in the case that the server gives it, into out.  False: there is none. */
bool pg_take_name(const char **s, struct buf *out);

#endif
