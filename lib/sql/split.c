/* split.c -- see split.h */
#include "split.h"

#include "buf.h"
#include "utf8.h"

#include <stdlib.h>
#include <strings.h>

void script_release(struct script *s)
{
	free(s->list);
	*s = (struct script)SCRIPT_INIT;
}

void script_fold(struct buf *out, const char *s, size_t n)
{
	if (n >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0) {
		s += 3;
		n -= 3;
	}
	for (const char *end = s + n, *cr; s < end; s = cr + 1) {
		cr = memmem(s, (size_t)(end - s), "\r\n", 2);
		if (!cr) {
			buf_add(out, s, (size_t)(end - s));
			return;
		}
		buf_add(out, s, (size_t)(cr - s));
	}
}

/*
 * Where in a statement the splitter is.  The words up to the one that names the
 * thing decide whether it has a body:
 *
 *	CREATE TEMP TRIGGER ..  BEGIN ..; ..; END		SQLite
 *	CREATE OR REPLACE FUNCTION ..  BEGIN ATOMIC ..; END	PostgreSQL
 */
struct splitter {
	struct lex lex;
	struct script *out;
	const char *where;
	struct diag *d;
	size_t start, end, line; /* of the statement, line 0: none has begun */
	enum { HEAD_START, HEAD_EXPLAIN, HEAD_CREATE, HEAD_OTHER } head;
	bool trigger, routine;
	bool after_semi, ending; /* in a trigger: behind a semicolon; behind "; END" */
	bool begun;              /* in a routine: the word before was BEGIN */
	size_t parens, depth;    /* open parentheses; BEGIN ATOMIC and CASE without END */
	int copy;                /* COPY .. FROM STDIN: how many of the words have been met */
};

static int refuse(struct splitter *p, size_t line, const char *what)
{
	char *where = xasprintf("%s:%zu", p->where, line);
	int rc = diag_add(p->d, MIG_INVALID, "bad_script", where, "%s", what);

	free(where);
	return rc;
}

static void begin_statement(struct splitter *p)
{
	p->line = p->lex.line;
	p->start = p->lex.at;
	p->head = HEAD_START;
	p->trigger = p->routine = p->after_semi = p->ending = p->begun = false;
	p->parens = p->depth = 0;
	p->copy = 0;
}

static void end_statement(struct splitter *p)
{
	struct script *o = p->out;

	if (p->line == 0)
		return;
	if (o->n == o->cap) {
		o->cap = o->cap ? o->cap * 2 : 16;
		o->list = xrealloc(o->list, o->cap, sizeof *o->list);
	}
	o->list[o->n++] = (struct statement){ p->start, p->end - p->start, p->line };
	p->line = 0;
}

/* SQLite: EXPLAIN .. CREATE TEMP TRIGGER, as sqlite3_complete has it. */
static void trigger_head(struct splitter *p)
{
	const struct lex *l = &p->lex;
	bool temp = lex_is(l, "temp") || lex_is(l, "temporary");

	switch (p->head) {
	case HEAD_START:
		p->head = lex_is(l, "create") ? HEAD_CREATE : lex_is(l, "explain") ? HEAD_EXPLAIN : HEAD_OTHER;
		break;
	case HEAD_EXPLAIN:
		if (lex_is(l, "create"))
			p->head = HEAD_CREATE;
		else if (temp || lex_is(l, "explain") || lex_is(l, "trigger") || lex_is(l, "end"))
			p->head = HEAD_OTHER;
		break;
	case HEAD_CREATE:
		p->trigger = lex_is(l, "trigger");
		if (!temp)
			p->head = HEAD_OTHER;
		break;
	case HEAD_OTHER:
		break;
	}
}

static void routine_head(struct splitter *p)
{
	const struct lex *l = &p->lex;

	if (p->head == HEAD_CREATE && (lex_is(l, "or") || lex_is(l, "replace")))
		return;
	if (p->head == HEAD_CREATE && (lex_is(l, "function") || lex_is(l, "procedure")))
		p->routine = true;
	p->head = p->head == HEAD_START && lex_is(l, "create") ? HEAD_CREATE : HEAD_OTHER;
}

/* BEGIN ATOMIC opens a body, CASE opens what another END closes. */
static void routine_depth(struct splitter *p)
{
	const struct lex *l = &p->lex;

	if (p->parens)
		return;
	if ((p->begun && lex_is(l, "atomic")) || (p->depth && lex_is(l, "case")))
		p->depth++;
	else if (p->depth && lex_is(l, "end"))
		p->depth--;
	p->begun = lex_is(l, "begin");
}

static bool is_from_stdin(struct splitter *p)
{
	const struct lex *l = &p->lex;

	if (p->copy == 1 && lex_is(l, "from"))
		p->copy = 2;
	else if (p->copy == 2 && lex_is(l, "stdin"))
		return true;
	else if (p->copy == 2)
		p->copy = 1;
	return false;
}

static int postgresql_token(struct splitter *p)
{
	enum lex_kind k = p->lex.kind;

	if (k == LEX_OTHER && p->lex.s[p->lex.at] == '\\')
		return refuse(p, p->lex.line, "a command of psql, which the server does not know");
	if (p->head == HEAD_START && lex_is(&p->lex, "copy"))
		p->copy = 1;
	else if (p->parens == 0 && is_from_stdin(p))
		return refuse(p, p->lex.line, "COPY FROM STDIN: its rows are not statements; use INSERT");
	routine_head(p);
	if (k == LEX_OPEN)
		p->parens++;
	else if (k == LEX_CLOSE && p->parens)
		p->parens--;
	else if (p->routine)
		routine_depth(p);
	return 0;
}

static int sqlite_token(struct splitter *p)
{
	if (p->head == HEAD_START && p->lex.kind == LEX_OTHER && p->lex.s[p->lex.at] == '.')
		return refuse(p, p->lex.line, "a command of the sqlite3 shell, which SQLite does not know");
	if (!p->trigger) {
		trigger_head(p);
	} else {
		p->ending = p->after_semi && lex_is(&p->lex, "end");
		p->after_semi = false;
	}
	return 0;
}

/* Does the semicolon just read end the statement? */
static bool is_end(struct splitter *p)
{
	if (p->lex.dialect == DIALECT_POSTGRESQL)
		return p->parens == 0 && p->depth == 0;
	if (!p->trigger || p->ending)
		return true;
	p->after_semi = true;
	return false;
}

static int add_token(struct splitter *p)
{
	int rc = 0;

	if (p->lex.kind == LEX_SEMI && (p->line == 0 || is_end(p))) {
		end_statement(p);
		return 0;
	}
	if (p->line == 0)
		begin_statement(p);
	if (p->lex.kind != LEX_SEMI)
		rc = p->lex.dialect == DIALECT_POSTGRESQL ? postgresql_token(p) : sqlite_token(p);
	p->end = p->lex.at + p->lex.len;
	return rc;
}

/* The last statement may go without its semicolon, not without its END. */
static int close_script(struct splitter *p)
{
	if (p->line && (p->depth || (p->trigger && !p->ending)))
		return refuse(p, p->line, "the body that begins here has no END");
	if (p->line && p->parens)
		return refuse(p, p->line, "a parenthesis that opens here is not closed");
	end_statement(p);
	return 0;
}

/* "-- mig:transaction=none", with white space where it pleases. */
static bool asks_for_none(const struct lex *l)
{
	static const char name[] = "mig:transaction=none";
	const char *s = l->s + l->at, *end = s + l->len;

	for (s += 2; s < end && (*s == ' ' || *s == '\t'); s++)
		;
	while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (size_t)(end - s) == sizeof name - 1 && memcmp(s, name, sizeof name - 1) == 0;
}

int script_split(struct script *out, const char *s, size_t n, enum dialect dialect, const char *where,
                 struct diag *d)
{
	struct splitter p = { .out = out, .where = where, .d = d };
	bool comments = false;

	out->n = 0;
	out->no_transaction = false;
	if (!utf8_valid(s, n) || memchr(s, '\0', n))
		return diag_add(d, MIG_INVALID, "bad_script", where, "not a text in UTF-8");
	lex_init(&p.lex, s, n, dialect);
	while (lex_next(&p.lex) != LEX_END) {
		if (p.lex.kind == LEX_BAD) {
			char *what = xasprintf("%s that begins here does not end", p.lex.what);

			refuse(&p, p.lex.line, what);
			free(what);
			return -1;
		}
		if (p.lex.kind == LEX_COMMENT && out->n == 0 && p.line == 0 && !comments) {
			comments = true;
			out->no_transaction = asks_for_none(&p.lex);
		}
		if (p.lex.kind != LEX_SPACE && p.lex.kind != LEX_COMMENT && add_token(&p) < 0)
			return -1;
	}
	return close_script(&p);
}
