/* sqlite-create.c -- see sqlite-create.h */
#include "sqlite-create.h"

#include "base.h"

#include <stdlib.h>
#include <strings.h>

enum word { W_END, W_NAME, W_QUOTED, W_STRING, W_OTHER };

/* One token: a name, quoted or not; a string; or one character of anything else. */
struct lexer {
	const char *p;    /* behind the token */
	const char *from; /* its first byte */
	enum word kind;
};

static const char *behind_comment(const char *p)
{
	if (p[0] == '-' && p[1] == '-')
		return p + strcspn(p, "\n");
	const char *end = strstr(p + 2, "*/");

	return end ? end + 2 : p + strlen(p);
}

static const char *behind_space(const char *p)
{
	for (;;) {
		p += strspn(p, " \t\r\n\f");
		if ((p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*'))
			p = behind_comment(p);
		else
			return p;
	}
}

static const char *behind_quotes(const char *p)
{
	char close = *p == '[' ? ']' : *p;

	for (p++; *p; p++) {
		if (*p != close)
			continue;
		if (close == ']' || p[1] != close)
			return p + 1;
		p++;
	}
	return p;
}

static bool in_word(char c)
{
	return (unsigned char)c >= 0x80 || c == '_' || c == '$' || (c >= '0' && c <= '9') ||
	       ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static void next(struct lexer *x)
{
	x->from = behind_space(x->p);
	x->p = x->from;
	if (!*x->p) {
		x->kind = W_END;
	} else if (strchr("\"`[", *x->p)) {
		x->kind = W_QUOTED;
		x->p = behind_quotes(x->p);
	} else if (*x->p == '\'') {
		x->kind = W_STRING;
		x->p = behind_quotes(x->p);
	} else if (in_word(*x->p)) {
		x->kind = W_NAME;
		while (in_word(*x->p))
			x->p++;
	} else {
		x->kind = W_OTHER;
		x->p++;
	}
}

static bool is_char(const struct lexer *x, char c)
{
	return x->kind == W_OTHER && *x->from == c;
}

static bool is_word(const struct lexer *x, const char *word)
{
	size_t n = (size_t)(x->p - x->from);

	return x->kind == W_NAME && strlen(word) == n && strncasecmp(x->from, word, n) == 0;
}

/* Append the token's characters without its quotes. */
static void unquote(const struct lexer *x, struct buf *out)
{
	const char *p = x->from, *end = x->p;

	if (x->kind == W_NAME) {
		buf_add(out, p, (size_t)(end - p));
		return;
	}
	char close = *p == '[' ? ']' : *p;

	for (p++; p < end - 1; p++) {
		if (*p == close && close != ']')
			p++;
		buf_addch(out, *p);
	}
}

/* From an opening bracket to behind the one that closes it; gives what is between, white space around it cut off. */
static struct text group(struct lexer *x)
{
	const char *from = behind_space(x->p), *to = from;
	int depth = 1;

	while (depth) {
		next(x);
		if (x->kind == W_END)
			break;
		depth += is_char(x, '(') - is_char(x, ')');
		if (depth)
			to = x->p;
	}
	return (struct text){ from, (size_t)(to - from) };
}

struct reading {
	struct lexer x;
	struct created_list *l;
	struct buf name, column; /* of the constraint and of the column at hand */
};

static void add(struct reading *r, enum created_kind kind, const char *text, size_t n)
{
	struct created_list *l = r->l;

	l->v = xrealloc(l->v, l->n + 1, sizeof *l->v);
	l->v[l->n++] =
		(struct created){ kind, xmemdup(r->name.len ? r->name.s : "", r->name.len), xmemdup(n ? text : "", n) };
	buf_reset(&r->name);
}

/* UNIQUE (a, b COLLATE nocase), at its bracket: the first word of each element. */
static void add_unique_list(struct reading *r)
{
	struct buf columns = BUF_INIT;
	bool first = true;
	int depth = 1;

	while (depth) {
		next(&r->x);
		if (r->x.kind == W_END)
			break;
		depth += is_char(&r->x, '(') - is_char(&r->x, ')');
		if (first && depth == 1 && r->x.kind != W_OTHER) {
			unquote(&r->x, &columns);
			buf_addch(&columns, '\n');
			first = false;
		}
		if (depth == 1 && is_char(&r->x, ','))
			first = true;
	}
	add(r, CREATED_UNIQUE, columns.s, columns.len);
	buf_release(&columns);
}

/* One token of a column or table constraint, already read; of_table: no column is at hand. */
static void constraint(struct reading *r, bool of_table)
{
	struct lexer *x = &r->x;

	if (is_word(x, "CONSTRAINT")) {
		next(x);
		buf_reset(&r->name);
		unquote(x, &r->name);
	} else if (is_word(x, "CHECK")) {
		next(x);
		struct text t = group(x);

		add(r, CREATED_CHECK, t.s, t.n);
	} else if (is_word(x, "UNIQUE") && !of_table) {
		buf_addch(&r->column, '\n');
		add(r, CREATED_UNIQUE, r->column.s, r->column.len);
		buf_setlen(&r->column, r->column.len - 1);
	} else if (is_word(x, "UNIQUE")) {
		next(x);
		add_unique_list(r);
	} else if (is_word(x, "REFERENCES")) {
		add(r, CREATED_FOREIGN_KEY, "", 0);
	} else if (is_word(x, "PRIMARY") || is_word(x, "NOT") || is_word(x, "DEFAULT")) {
		buf_reset(&r->name);
	} else if (is_char(x, '(')) {
		group(x);
	}
}

static bool begins_constraint(const struct lexer *x)
{
	return is_word(x, "CONSTRAINT") || is_word(x, "PRIMARY") || is_word(x, "UNIQUE") || is_word(x, "CHECK") ||
	       is_word(x, "FOREIGN");
}

void created_read(struct created_list *l, const char *sql)
{
	struct reading r = { .x = { .p = sql }, .l = l, .name = BUF_INIT, .column = BUF_INIT };
	bool starts = true, of_table = false;

	*l = (struct created_list){ NULL, 0 };
	do
		next(&r.x);
	while (r.x.kind != W_END && !is_char(&r.x, '('));
	for (next(&r.x); r.x.kind != W_END && !is_char(&r.x, ')'); next(&r.x)) {
		if (is_char(&r.x, ',')) {
			starts = true;
			buf_reset(&r.name);
		} else if (starts && !begins_constraint(&r.x)) {
			buf_reset(&r.column);
			unquote(&r.x, &r.column);
			starts = of_table = false;
		} else {
			if (starts)
				of_table = true;
			starts = false;
			constraint(&r, of_table);
		}
	}
	buf_release(&r.name);
	buf_release(&r.column);
}

void created_release(struct created_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].text);
	}
	free(l->v);
	*l = (struct created_list){ NULL, 0 };
}

void created_words(const char *sql, void (*each)(void *arg, struct text word), void *arg)
{
	struct lexer x = { .p = sql };
	struct buf b = BUF_INIT;

	for (next(&x); x.kind != W_END; next(&x)) {
		if (x.kind != W_NAME && x.kind != W_QUOTED)
			continue;
		buf_reset(&b);
		unquote(&x, &b);
		each(arg, (struct text){ b.s, b.len });
	}
	buf_release(&b);
}
