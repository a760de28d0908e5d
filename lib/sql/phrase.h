/*
 * phrase.h -- one statement as its tokens, without space and comments.
 *
 * Floor 8.
 *
 *	ALTER TABLE IF EXISTS app."T" DROP (..)		depth 0 0 0 0 0 0 0 0 0 1 1 0
 */
#ifndef MIG_PHRASE_H
#define MIG_PHRASE_H

#include "lex.h"

struct token {
	enum lex_kind kind;
	size_t at, len;
	unsigned depth; /* open parentheses around it; those themselves do not count */
};

struct phrase {
	const char *s; /* borrowed */
	enum dialect dialect;
	struct token *tok;
	size_t n, cap;
};

#define PHRASE_INIT { .s = NULL }

/* Read the statement of n bytes at s; p is reused. */
void phrase_read(struct phrase *p, const char *s, size_t n, enum dialect dialect);
void phrase_release(struct phrase *p);

/* Is token i this keyword?  False behind the last. */
bool phrase_is(const struct phrase *p, size_t i, const char *keyword);

/* Is token i this one byte of an operator or punctuation? */
bool phrase_op(const struct phrase *p, size_t i, char op);

/* If the keywords, separated by blanks, stand at *i, step over them: true. */
bool phrase_take(const struct phrase *p, size_t *i, const char *keywords);

/* The index of the first token from i on that is this keyword at depth, or p->n. */
size_t phrase_find(const struct phrase *p, size_t i, const char *keyword, unsigned depth);

/* Where the item that begins at i ends: at a comma of its depth, or behind the last token. */
size_t phrase_item_end(const struct phrase *p, size_t i);

/*
 * A table's or another thing's name, perhaps with its schema's in front, as the
 * engine keeps it: without quotes, and in PostgreSQL folded where it had none.
 */
struct dotted {
	char *schema; /* or NULL */
	char *name;   /* NULL: there is none */
};

#define DOTTED_INIT { NULL, NULL }

void dotted_release(struct dotted *n);

/* Read the name at *i into n, which is reused, and step over it: its last part, or NULL where none stands. */
const char *dotted_read(struct dotted *n, const struct phrase *p, size_t *i);

/* Is it in the schema that plans are about: none named, SQLite's main, PostgreSQL's public? */
bool dotted_is_local(const char *schema);

/* The name where it is local, else NULL. */
const char *dotted_local(const struct dotted *n);

#endif
