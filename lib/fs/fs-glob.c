/* fs-glob.c -- see fs-glob.h */
#include "fs-glob.h"

#include <stdlib.h>
#include <string.h>

/* Two stars and a slash at a name's start are FOLDERS and FOLDER (inside a skipped name); two stars elsewhere ALL. */
enum glob_kind { BYTE, ANY, STAR, ALL, FOLDERS, FOLDER, END };

struct glob_token {
	enum glob_kind kind;
	char byte;
	bool first; /* a glob begins here */
};

static void compile(struct glob *g, const char *s)
{
	size_t begin = g->n;
	bool name_start = true;

	while (*s) {
		struct glob_token t = { .kind = BYTE, .byte = *s };

		if (s[0] == '*' && s[1] == '*') {
			t.kind = name_start && s[2] == '/' ? FOLDERS : ALL;
			s += t.kind == FOLDERS ? 3 : 2;
			while (t.kind == ALL && *s == '*')
				s++;
		} else {
			t.kind = *s == '*' ? STAR : *s == '?' ? ANY : BYTE;
			s++;
		}
		name_start = s[-1] == '/';
		g->token[g->n++] = t;
		if (t.kind == FOLDERS)
			g->token[g->n++] = (struct glob_token){ .kind = FOLDER };
	}
	g->token[g->n++] = (struct glob_token){ .kind = END };
	g->token[begin].first = true;
}

void glob_init(struct glob *g, char *const *globs)
{
	size_t room = 0;

	for (size_t i = 0; globs[i]; i++)
		room += strlen(globs[i]) + 1;
	*g = (struct glob){ .token = xcalloc(room ? room : 1, sizeof *g->token) };
	for (size_t i = 0; globs[i]; i++)
		compile(g, globs[i]);
}

void glob_release(struct glob *g)
{
	free(g->token);
	*g = (struct glob){ .token = NULL };
}

/* What stands for nothing may be passed over: tokens only lead forward, so one sweep does. */
static void spread(const struct glob *g, unsigned char *on)
{
	for (size_t i = 0; i < g->n; i++) {
		if (!on[i])
			continue;
		if (g->token[i].kind == STAR || g->token[i].kind == ALL)
			on[i + 1] = 1;
		else if (g->token[i].kind == FOLDERS)
			on[i + 2] = 1;
	}
}

void glob_start(const struct glob *g, unsigned char *on)
{
	for (size_t i = 0; i < g->n; i++)
		on[i] = g->token[i].first;
	spread(g, on);
}

/* From the last token to the first, so that a state set for this byte is not taken for one of the last. */
static bool step(const struct glob *g, unsigned char *on, char c)
{
	bool any = false;

	for (size_t i = g->n; i-- > 0;) {
		const struct glob_token *t = &g->token[i];

		if (!on[i])
			continue;
		any = true;
		on[i] = 0;
		switch (t->kind) {
		case BYTE:
			if (c == t->byte)
				on[i + 1] = 1;
			break;
		case ANY:
			if (c != '/')
				on[i + 1] = 1;
			break;
		case STAR:
			on[i] = c != '/';
			break;
		case ALL:
			on[i] = 1;
			break;
		case FOLDERS:
			/* no name is empty, so a "/" means that FOLDER has just set this state */
			on[c == '/' ? i : i + 1] = 1;
			break;
		case FOLDER:
			if (c == '/')
				on[i - 1] = 1;
			else
				on[i] = 1;
			break;
		case END:
			break;
		}
	}
	spread(g, on);
	return any;
}

/* Are all states inside of skipped names?  Then they stay so up to the next slash. */
static bool skips_names(const struct glob *g, const unsigned char *on)
{
	for (size_t i = 0; i < g->n; i++)
		if (on[i] && g->token[i].kind != FOLDER)
			return false;
	return true;
}

bool glob_step(const struct glob *g, const unsigned char *on, const char *s, size_t n, unsigned char *next)
{
	const char *end = s + n;

	if (next != on)
		memcpy(next, on, g->n);
	while (s && s < end) {
		if (!step(g, next, *s++))
			return false;
		if (skips_names(g, next))
			s = memchr(s, '/', (size_t)(end - s));
	}
	return g->n && memchr(next, 1, g->n);
}

bool glob_accepts(const struct glob *g, const unsigned char *on)
{
	for (size_t i = 0; i < g->n; i++)
		if (on[i] && g->token[i].kind == END)
			return true;
	return false;
}
