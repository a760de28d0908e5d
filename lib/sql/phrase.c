/* phrase.c -- see phrase.h */
#include "phrase.h"

#include "base.h"

#include <stdlib.h>
#include <strings.h>

void phrase_release(struct phrase *p)
{
	free(p->tok);
	*p = (struct phrase)PHRASE_INIT;
}

void phrase_read(struct phrase *p, const char *s, size_t n, enum dialect dialect)
{
	struct lex l;
	unsigned depth = 0;

	p->s = s;
	p->dialect = dialect;
	p->n = 0;
	lex_init(&l, s, n, dialect);
	while (lex_next(&l) != LEX_END) {
		if (l.kind == LEX_SPACE || l.kind == LEX_COMMENT)
			continue;
		if (p->n == p->cap) {
			p->cap = p->cap ? p->cap * 2 : 64;
			p->tok = xrealloc(p->tok, p->cap, sizeof *p->tok);
		}
		if (l.kind == LEX_CLOSE && depth)
			depth--;
		p->tok[p->n++] = (struct token){ l.kind, l.at, l.len, depth };
		if (l.kind == LEX_OPEN)
			depth++;
	}
}

bool phrase_is(const struct phrase *p, size_t i, const char *keyword)
{
	return i < p->n && p->tok[i].kind == LEX_WORD && p->tok[i].len == strlen(keyword) &&
	       strncasecmp(p->s + p->tok[i].at, keyword, p->tok[i].len) == 0;
}

bool phrase_op(const struct phrase *p, size_t i, char op)
{
	return i < p->n && p->tok[i].kind == LEX_OTHER && p->s[p->tok[i].at] == op;
}

bool phrase_take(const struct phrase *p, size_t *i, const char *keywords)
{
	size_t at = *i;
	char word[32];

	while (*keywords) {
		size_t n = strcspn(keywords, " ");

		memcpy(word, keywords, n);
		word[n] = '\0';
		if (!phrase_is(p, at++, word))
			return false;
		keywords += n + (keywords[n] == ' ');
	}
	*i = at;
	return true;
}

size_t phrase_find(const struct phrase *p, size_t i, const char *keyword, unsigned depth)
{
	while (i < p->n && !(p->tok[i].depth == depth && phrase_is(p, i, keyword)))
		i++;
	return i;
}

size_t phrase_item_end(const struct phrase *p, size_t i)
{
	unsigned depth = i < p->n ? p->tok[i].depth : 0;

	while (i < p->n && !(p->tok[i].depth == depth && phrase_op(p, i, ',')))
		i++;
	return i;
}

/* "a""b" is a"b; [a]b] cannot be. */
static char *unquoted(const char *s, size_t n)
{
	char *name = xmalloc(n), *to = name, close = s[n - 1];

	for (size_t i = 1; i + 1 < n; i++) {
		*to++ = s[i];
		if (s[i] == close && close != ']')
			i++;
	}
	*to = '\0';
	return name;
}

static char *plain(const struct phrase *p, const struct token *t)
{
	char *name = xmemdup(p->s + t->at, t->len);

	for (char *c = name; p->dialect == DIALECT_POSTGRESQL && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	return name;
}

/* SQLite takes a string for a name where it needs one. */
static char *part(const struct phrase *p, size_t i)
{
	const struct token *t = i < p->n ? &p->tok[i] : NULL;

	if (!t)
		return NULL;
	if (t->kind == LEX_WORD)
		return plain(p, t);
	if (t->kind == LEX_NAME || (t->kind == LEX_STRING && p->dialect == DIALECT_SQLITE))
		return unquoted(p->s + t->at, t->len);
	return NULL;
}

void dotted_release(struct dotted *n)
{
	free(n->schema);
	free(n->name);
	*n = (struct dotted)DOTTED_INIT;
}

const char *dotted_read(struct dotted *n, const struct phrase *p, size_t *i)
{
	dotted_release(n);
	if (!(n->name = part(p, *i)))
		return NULL;
	++*i;
	while (phrase_op(p, *i, '.')) {
		char *next = part(p, *i + 1);

		if (!next)
			break;
		free(n->schema);
		n->schema = n->name;
		n->name = next;
		*i += 2;
	}
	return n->name;
}

bool dotted_is_local(const char *schema)
{
	return !schema || strcasecmp(schema, "main") == 0 || strcmp(schema, "public") == 0;
}

const char *dotted_local(const struct dotted *n)
{
	return dotted_is_local(n->schema) ? n->name : NULL;
}
