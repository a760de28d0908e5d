/* kinds.c -- see kinds.h */
#include "kinds.h"

#include "digest.h"
#include "shown.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MAX_KINDS = 4096,
	MAX_JSON = 200,
	EXAMPLE_OPS = 20,   /* kept of an example */
	SHAPE_COLUMNS = 400,
	FULL_LINES = 6      /* of an example, where not all have room for all */
};

void kinds_init(struct kinds *k)
{
	*k = (struct kinds){ .part = NULL };
	counts_init(&k->c, MAX_KINDS);
}

void kinds_release(struct kinds *k)
{
	counts_release(&k->c);
	buf_release(&k->key);
	buf_release(&k->shape);
	buf_release(&k->example);
	for (size_t i = 0; i < k->partcap; i++)
		buf_release(&k->part[i]);
	free(k->part);
}

static int by_text(const void *a, const void *b)
{
	const struct buf *x = a, *y = b;

	/* the path before the sign: "+ /a" */
	int c = strcmp(x->s + 2, y->s + 2);

	return c ? c : x->s[0] - y->s[0];
}

/* The distinct shapes of the operations, sorted: "+ /a, ~ /b", in k->shape. */
static void make_shape(struct kinds *k, const struct change *c)
{
	const struct doc *d = c->doc;
	size_t n = 0;

	if (k->partcap < d->tok[c->patch].n) {
		k->part = xrealloc(k->part, d->tok[c->patch].n, sizeof *k->part);
		while (k->partcap < d->tok[c->patch].n)
			k->part[k->partcap++] = (struct buf)BUF_INIT;
	}
	for (uint32_t op = c->patch + 1; op < d->tok[c->patch].next; op = d->tok[op].next) {
		buf_reset(&k->part[n]);
		shown_op_shape(&k->part[n], d, op);
		if (n == 0 || strcmp(k->part[n].s, k->part[n - 1].s) != 0)
			n++;
	}
	if (n)
		qsort(k->part, n, sizeof *k->part, by_text);
	buf_reset(&k->shape);
	for (size_t i = 0; i < n; i++) {
		if (i && strcmp(k->part[i].s, k->part[i - 1].s) == 0)
			continue;
		if (i)
			buf_addstr(&k->shape, ", ");
		buf_add(&k->shape, k->part[i].s, k->part[i].len);
	}
}

static void add_clean(struct buf *b, struct text t)
{
	char *s = shown_text(t);

	buf_addstr(b, s ? s : "?");
	free(s);
}

/* TYPE LF FROM LF TO LF SHAPE, and its hash where the shape was cut. */
static void make_key(struct kinds *k, const struct change *c)
{
	char hex[HEX_SIZE];
	size_t at;

	buf_reset(&k->key);
	add_clean(&k->key, c->type);
	buf_addch(&k->key, '\n');
	add_clean(&k->key, c->from);
	buf_addch(&k->key, '\n');
	add_clean(&k->key, c->to);
	buf_addch(&k->key, '\n');
	at = k->key.len;
	if (k->shape.len)
		page_clean(&k->key, k->shape.s, k->shape.len, SHAPE_COLUMNS);
	if (k->key.len - at != k->shape.len) {
		digest_hex(k->shape.s, k->shape.len, hex);
		buf_addf(&k->key, "\n%s", hex);
	}
}

/* The i-th element from the end of an array of n. */
static uint32_t mirror(const struct doc *d, uint32_t list, uint32_t i)
{
	uint32_t e = list + 1;

	for (i = d->tok[list].n - 1 - i; i; i--)
		e = d->tok[e].next;
	return e;
}

/* REF LF NUMBER-OF-OPERATIONS LF, and a line for each of the first ones; the undo list mirrors the patch. */
static void make_example(struct kinds *k, const struct change *c)
{
	const struct doc *d = c->doc;
	uint32_t n = d->tok[c->patch].n, i = 0;
	bool mirrored = c->undo != DOC_NONE && d->tok[c->undo].n == n;

	buf_reset(&k->example);
	add_clean(&k->example, c->ref);
	buf_addf(&k->example, "\n%u\n", n);
	for (uint32_t op = c->patch + 1; op < d->tok[c->patch].next && i < EXAMPLE_OPS; op = d->tok[op].next, i++) {
		shown_op(&k->example, d, op, mirrored ? mirror(d, c->undo, i) : DOC_NONE);
		buf_addch(&k->example, '\n');
	}
}

void kinds_add(struct kinds *k, const struct change *c)
{
	char hex[HEX_SIZE];
	size_t n;
	const char *patch = doc_span(c->doc, c->after ? c->after : c->patch, &n);

	make_shape(k, c);
	make_key(k, c);
	struct count *e = counts_add(&k->c, k->key.s, k->key.len);

	if (!e)
		return;
	digest_hex(patch, n, hex);
	hex[16] = '\0';
	uint64_t mark = strtoull(hex, NULL, 16);

	if (e->n == 1) {
		e->mark = mark;
		make_example(k, c);
		count_example(e, k->example.s, k->example.len);
	} else if (e->mark != mark) {
		e->varies = true;
	}
}

void kinds_sort(struct kinds *k)
{
	counts_sort(&k->c);
}

/* The next line of s, which is moved behind it. */
static struct text line_of(const char **s)
{
	size_t n = strcspn(*s, "\n");
	struct text t = { *s, n };

	*s += n + ((*s)[n] == '\n');
	return t;
}

/* An entry taken apart. */
struct shown_kind {
	uint64_t n;
	bool varies;
	struct text type, from, to, shape, ref;
	unsigned nops;
	const char *ops; /* lines */
};

static struct shown_kind kind_of(const struct count *e)
{
	struct shown_kind k = { .n = e->n, .varies = e->varies };
	const char *key = e->key, *s = e->example[0];

	k.type = line_of(&key);
	k.from = line_of(&key);
	k.to = line_of(&key);
	k.shape = line_of(&key);
	k.ref = line_of(&s);
	k.nops = (unsigned)strtoul(line_of(&s).s, NULL, 10);
	k.ops = s;
	return k;
}

static const char *sameness(const struct shown_kind *k)
{
	return k->n == 1 ? "" : k->varies ? ", the values differ" : ", the same in each";
}

static size_t shown_ops(const struct shown_kind *k)
{
	return k->nops < EXAMPLE_OPS ? k->nops : EXAMPLE_OPS;
}

/* Lines that a kind takes with all that is kept of its example. */
static size_t need(const struct shown_kind *k)
{
	return 2 + shown_ops(k) + (k->nops > EXAMPLE_OPS);
}

/* A kind in at most room lines, which are at least 4; returns how many it took. */
static size_t put_full(struct page *p, const struct shown_kind *k, size_t room)
{
	size_t before = p->nline, ops = need(k) <= room ? shown_ops(k) : room - 3;
	const char *s = k->ops;

	page_line(p, 0, "%" PRIu64 " x %.*s %.*s -> %.*s%s", k->n, (int)k->type.n, k->type.s, (int)k->from.n, k->from.s,
	          (int)k->to.n, k->to.s, sameness(k));
	page_line(p, 1, "e.g. %.*s", (int)k->ref.n, k->ref.s);
	for (size_t i = 0; i < ops; i++) {
		struct text line = line_of(&s);

		page_put(p, 2, line.s, line.n);
	}
	if (ops < k->nops)
		page_line(p, 2, "and %zu more operations", k->nops - ops);
	return p->nline - before;
}

static void put_short(struct page *p, const struct shown_kind *k)
{
	page_line(p, 0, "%" PRIu64 " x %.*s %.*s -> %.*s: %.*s", k->n, (int)k->type.n, k->type.s, (int)k->from.n,
	          k->from.s, (int)k->to.n, k->to.s, (int)k->shape.n, k->shape.s);
}

static void put_more(const struct kinds *k, struct page *p, size_t first)
{
	uint64_t changes = k->c.others;

	for (size_t i = first; i < k->c.n; i++)
		changes += k->c.v[i].n;
	if (changes)
		page_line(p, 0, "and %s%zu more kind%s (%" PRIu64 " change%s)", k->c.others ? "more than " : "",
		          k->c.n - first, k->c.n - first == 1 ? "" : "s", changes, changes == 1 ? "" : "s");
}

/* Do all kinds fit, each with its whole example, or at least FULL_LINES of it? */
static bool all_fit(const struct kinds *k, size_t room)
{
	size_t total = k->c.others > 0;

	for (size_t i = 0; i < k->c.n && total <= room; i++) {
		struct shown_kind kind = kind_of(&k->c.v[i]);

		total += need(&kind) < FULL_LINES ? need(&kind) : FULL_LINES;
	}
	return total <= room;
}

void kinds_page(const struct kinds *k, struct page *p, size_t room)
{
	size_t full = k->c.n, i = 0, left = room - (k->c.others > 0);

	if (!all_fit(k, room)) {
		full = room * 2 / 3 / FULL_LINES;
		full = full ? full : 1;
		left = full * FULL_LINES;
		room -= left + 1; /* the last line: how many more */
	} else {
		room = 0;
	}
	for (; i < full; i++) {
		struct shown_kind kind = kind_of(&k->c.v[i]);
		size_t share = left / (full - i);

		/* those that follow never need more than FULL_LINES where not everything fits */
		left -= put_full(p, &kind, share < FULL_LINES ? FULL_LINES : share);
	}
	room += left;
	for (; i < k->c.n && room-- > 0; i++) {
		struct shown_kind kind = kind_of(&k->c.v[i]);

		put_short(p, &kind);
	}
	put_more(k, p, i);
}

void kinds_json(const struct kinds *k, struct buf *out)
{
	buf_addch(out, '[');
	for (size_t i = 0; i < k->c.n && i < MAX_JSON; i++) {
		struct shown_kind kind = kind_of(&k->c.v[i]);
		const char *s = kind.ops;
		struct rec w, in;

		if (i)
			buf_addch(out, ',');
		rec_open(&w, out);
		rec_int(&w, "count", (int64_t)kind.n);
		rec_name(&w, "example");
		rec_open(&in, out);
		rec_name(&in, "lines");
		buf_addch(out, '[');
		for (size_t n = 0; *s; n++) {
			struct text line = line_of(&s);

			if (n)
				buf_addch(out, ',');
			canon_string(out, line.s, line.n);
		}
		buf_addch(out, ']');
		rec_int(&in, "operations", kind.nops);
		rec_str(&in, "ref", kind.ref);
		rec_close(&in);
		rec_str(&w, "from", kind.from);
		rec_bool(&w, "same", !kind.varies);
		rec_str(&w, "shape", kind.shape);
		rec_str(&w, "to", kind.to);
		rec_str(&w, "type", kind.type);
		rec_close(&w);
	}
	buf_addch(out, ']');
}
