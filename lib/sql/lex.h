/*
 * lex.h -- the tokens of SQL, by each engine's own rules.
 *
 * Floor 7.  What PostgreSQL's manual 4.1 (lexical structure) and SQLite's
 * tokenizer agree and differ in: nested comments, E'' strings and dollar quotes
 * are PostgreSQL's, [names], `names` and strings in double quotes SQLite's.
 * Nothing is parsed, nothing is allocated.
 *
 *	DROP TABLE "a;b" -- gone	WORD space WORD space NAME space COMMENT
 */
#ifndef MIG_LEX_H
#define MIG_LEX_H

#include "model.h"
#include "text.h"

enum lex_kind {
	LEX_END,
	LEX_SPACE,
	LEX_COMMENT,
	LEX_WORD,   /* a keyword or a name without quotes */
	LEX_NAME,   /* a name in quotes, brackets or backquotes */
	LEX_STRING, /* a constant, its prefix included: 'a', E'a', $x$a$x$ */
	LEX_NUMBER,
	LEX_SEMI,
	LEX_OPEN,
	LEX_CLOSE,
	LEX_OTHER,  /* one byte of an operator */
	LEX_BAD     /* a string, name or comment that does not end; what says which */
};

struct lex {
	const char *s;
	size_t n;
	enum dialect dialect;
	/* the token handed out last */
	enum lex_kind kind;
	size_t at, len;   /* its bytes in s */
	size_t line;      /* where it begins, from 1 */
	const char *what; /* "a string", for LEX_BAD */
	/* private */
	size_t next, next_line;
};

/* Read the n bytes at s, which are borrowed. */
void lex_init(struct lex *l, const char *s, size_t n, enum dialect dialect);

/* The next token's kind; LEX_END at the end and for ever after, LEX_BAD once and then LEX_END. */
enum lex_kind lex_next(struct lex *l);

static inline struct text lex_text(const struct lex *l)
{
	return (struct text){ l->s + l->at, l->len };
}

/* Is the token handed out last this keyword, in any case? */
bool lex_is(const struct lex *l, const char *keyword);

#endif
