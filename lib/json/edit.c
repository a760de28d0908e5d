/* edit.c -- see edit.h */
#include "edit.h"

#include "lcs.h"

enum { MAX_DIFFERING = 4096 }; /* elements of one array; past it the array is replaced */

/* One step of the path to where the walk stands. */
struct frame {
	const struct frame *up;
	const char *key; /* the name as its canonical string spells it, without quotes; NULL: an element */
	uint32_t n;      /* bytes of key, or the index */
};

/* ---- paths ---- */

size_t edit_ref_size(struct text name)
{
	size_t size = 1 + name.n;

	for (size_t i = 0; i < name.n; i++)
		size += name.s[i] == '~' || name.s[i] == '/';
	return size;
}

void edit_put_ref(char *to, struct text name)
{
	*to++ = '/';
	for (size_t i = 0; i < name.n; i++) {
		if (name.s[i] == '~' || name.s[i] == '/') {
			*to++ = '~';
			*to++ = name.s[i] == '~' ? '0' : '1';
		} else {
			*to++ = name.s[i];
		}
	}
}

/* The reference token of a step; an index's digits are written to the end of room. */
static struct text ref_of(const struct frame *f, char room[10])
{
	char *p = room + 10;
	uint32_t i = f->n;

	if (f->key)
		return (struct text){ f->key, f->n };
	do
		*--p = (char)('0' + i % 10);
	while ((i /= 10) > 0);
	return (struct text){ p, (size_t)(room + 10 - p) };
}

static struct text path_of(struct diff *x, const struct frame *f)
{
	struct text path = { "", 0 };
	char room[10];

	for (const struct frame *p = f; p; p = p->up)
		path.n += edit_ref_size(ref_of(p, room));
	if (path.n == 0)
		return path;
	char *s = arena_get(&x->mem, path.n), *at = s + path.n;

	for (const struct frame *p = f; p; p = p->up) {
		struct text ref = ref_of(p, room);

		at -= edit_ref_size(ref);
		edit_put_ref(at, ref);
	}
	path.s = s;
	return path;
}

/* ---- objects ---- */

static struct edit *edit_add(struct diff *x, struct edits *e, enum edit_verb verb, const struct frame *f)
{
	if (e->n == e->cap) {
		uint32_t more = e->cap ? e->cap : 32;

		e->list = arena_more(&x->mem, e->list, e->n * sizeof *e->list, more * sizeof *e->list);
		e->cap += more;
	}
	e->list[e->n] = (struct edit){ .verb = verb, .path = path_of(x, f) };
	return &e->list[e->n++];
}

static void walk(struct diff *x, const struct frame *f, uint32_t old, uint32_t new);

static void replace(struct diff *x, const struct frame *f, uint32_t old, uint32_t new)
{
	struct edit *e = edit_add(x, &x->members, EDIT_REPLACE, f);

	e->old = old;
	e->new = new;
}

static struct text unescaped(const struct doc *d, uint32_t key, struct buf *room)
{
	if (!(d->tok[key].flags & DOC_ESCAPED))
		return edit_inside(d, key);
	buf_reset(room);
	doc_string(d, key, room);
	return (struct text){ room->s, room->len };
}

static int compare_names(struct diff *x, uint32_t old, uint32_t new)
{
	if (text_same(edit_span(x->before, old), edit_span(x->after, new)))
		return 0;
	struct text a = unescaped(x->before, old, &x->name[0]);
	struct text b = unescaped(x->after, new, &x->name[1]);

	return doc_compare_keys(a.s, a.n, b.s, b.n);
}

static void walk_object(struct diff *x, const struct frame *f, uint32_t old, uint32_t new)
{
	const struct tok *b = x->before->tok, *a = x->after->tok;
	uint32_t kb = old + 1, ka = new + 1, endb = b[old].next, enda = a[new].next;
	uint32_t object = x->nobjects++;

	while (kb < endb || ka < enda) {
		int c = kb == endb ? 1 : ka == enda ? -1 : compare_names(x, kb, ka);
		struct text name = c <= 0 ? edit_inside(x->before, kb) : edit_inside(x->after, ka);
		struct frame here = { f, name.s, (uint32_t)name.n };

		if (c < 0) {
			struct edit *e = edit_add(x, &x->members, EDIT_REMOVE, &here);

			e->old = kb + 1;
			e->object = object;
			x->nremoved++;
		} else if (c > 0) {
			struct edit *e = edit_add(x, &x->members, EDIT_ADD, &here);

			e->new = ka + 1;
			e->object = object;
			x->nadded++;
		} else {
			walk(x, &here, kb + 1, ka + 1);
		}
		if (c <= 0)
			kb = b[kb + 1].next;
		if (c >= 0)
			ka = a[ka + 1].next;
	}
}

/* ---- arrays ---- */

static uint32_t *elements(struct diff *x, const struct doc *d, uint32_t array)
{
	uint32_t *list = arena_get(&x->mem, d->tok[array].n * sizeof *list), n = 0;

	for (uint32_t t = array + 1; t < d->tok[array].next; t = d->tok[t].next)
		list[n++] = t;
	return list;
}

/* An open-addressing table of distinct texts. */
struct names {
	struct text *list; /* by number */
	uint32_t n;
	uint32_t *slot;    /* number + 1, or 0 */
	uint32_t mask;
};

/* The number of a text, from 0; equal texts have equal numbers. */
static uint32_t number_of(struct names *names, struct text t)
{
	uint32_t i = text_hash(t) & names->mask;

	for (; names->slot[i]; i = (i + 1) & names->mask)
		if (text_same(names->list[names->slot[i] - 1], t))
			return names->slot[i] - 1;
	names->list[names->n] = t;
	return (names->slot[i] = ++names->n) - 1;
}

/* The part of an array that differs: elements from lo to hi. */
struct window {
	const struct doc *d;
	const uint32_t *elem;
	uint32_t lo, hi;
	uint32_t *number; /* by index - lo, then of those that both sides have */
	uint32_t *at;     /* the index of each of the latter */
	uint32_t n;       /* how many there are */
};

static void number_elements(struct diff *x, struct window *w, struct names *names)
{
	uint32_t n = w->hi - w->lo;

	w->number = arena_get(&x->mem, n * sizeof *w->number);
	w->at = arena_get(&x->mem, n * sizeof *w->at);
	for (uint32_t i = 0; i < n; i++)
		w->number[i] = number_of(names, edit_span(w->d, w->elem[w->lo + i]));
}

/* Leave only the elements that the other side has, too: no other can be in a common subsequence. */
static void keep_shared(struct window *w, const char *seen, char both)
{
	uint32_t n = w->hi - w->lo;

	for (uint32_t i = 0; i < n; i++) {
		if (seen[w->number[i]] == both) {
			w->at[w->n] = w->lo + i;
			w->number[w->n++] = w->number[i];
		}
	}
}

/* Fill match, the index in after of each element of before or -1, for two windows; false: too different. */
static bool match_windows(struct diff *x, struct window *b, struct window *a, int32_t *match)
{
	uint32_t nb = b->hi - b->lo, na = a->hi - a->lo;
	struct names names = { .mask = 1 };

	while (names.mask < 2 * ((size_t)nb + na))
		names.mask = names.mask * 2 + 1;
	names.list = arena_get(&x->mem, ((size_t)nb + na) * sizeof *names.list);
	names.slot = arena_get(&x->mem, ((size_t)names.mask + 1) * sizeof *names.slot);
	memset(names.slot, 0, ((size_t)names.mask + 1) * sizeof *names.slot);
	number_elements(x, b, &names);
	number_elements(x, a, &names);

	char *seen = arena_get(&x->mem, names.n);

	memset(seen, 0, names.n);
	for (uint32_t i = 0; i < nb; i++)
		seen[b->number[i]] |= 1;
	for (uint32_t i = 0; i < na; i++)
		seen[a->number[i]] |= 2;
	keep_shared(b, seen, 3);
	keep_shared(a, seen, 3);
	if (b->n == 0)
		return true;

	int32_t *common = arena_get(&x->mem, b->n * sizeof *common);

	if (lcs_match(b->number, b->n, a->number, a->n, MAX_DIFFERING, common) != 0)
		return false;
	for (uint32_t i = 0; i < b->n; i++)
		if (common[i] >= 0)
			match[b->at[i]] = (int32_t)a->at[common[i]];
	return true;
}

/*
 * A run of elements of before, from b0 to b1, in whose place after has those
 * from a0 to a1.  As many as both have are changed in place, the rest comes or goes.
 */
struct gap {
	uint32_t b0, b1, a0, a1;
};

static struct gap *find_gaps(struct diff *x, uint32_t nb, uint32_t na, const int32_t *match, uint32_t *n)
{
	struct gap *gaps = NULL;
	uint32_t b = 0, a = 0, cap = 0;

	*n = 0;
	for (;;) {
		struct gap g = { b, b, a, na };

		while (g.b1 < nb && match[g.b1] < 0)
			g.b1++;
		if (g.b1 < nb)
			g.a1 = (uint32_t)match[g.b1];
		if (g.b0 < g.b1 || g.a0 < g.a1) {
			if (*n == cap) {
				uint32_t more = cap ? cap : 16;

				gaps = arena_more(&x->mem, gaps, *n * sizeof *gaps, more * sizeof *gaps);
				cap += more;
			}
			gaps[(*n)++] = g;
		}
		if (g.b1 == nb)
			return gaps;
		b = g.b1 + 1;
		a = g.a1 + 1;
	}
}

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max(uint32_t a, uint32_t b)
{
	return a < b ? b : a;
}

/* The elements that come or go in one gap; indices behind it have been dealt with. */
static void fill_gap(struct diff *x, const struct frame *f, struct gap g, const uint32_t *eb,
                     const uint32_t *ea)
{
	uint32_t both = min(g.b1 - g.b0, g.a1 - g.a0);

	for (uint32_t i = g.b1; i > g.b0 + both; i--) {
		struct frame here = { f, NULL, i - 1 };

		edit_add(x, &x->elements, EDIT_REMOVE, &here)->old = eb[i - 1];
	}
	for (uint32_t i = g.a0 + both; i < g.a1; i++) {
		struct frame here = { f, NULL, g.b0 + (i - g.a0) };

		edit_add(x, &x->elements, EDIT_ADD, &here)->new = ea[i];
	}
}

/* Pair the equal elements of two arrays; false: too different. */
static bool match_elements(struct diff *x, struct window *b, struct window *a, int32_t *match)
{
	uint32_t nb = b->hi, na = a->hi;

	for (uint32_t i = 0; i < nb; i++)
		match[i] = -1;
	for (; b->lo < nb && b->lo < na; b->lo++) {
		if (!text_same(edit_span(b->d, b->elem[b->lo]), edit_span(a->d, a->elem[b->lo])))
			break;
		match[b->lo] = (int32_t)b->lo;
	}
	a->lo = b->lo;
	for (; b->hi > b->lo && a->hi > a->lo; b->hi--, a->hi--) {
		if (!text_same(edit_span(b->d, b->elem[b->hi - 1]), edit_span(a->d, a->elem[a->hi - 1])))
			break;
		match[b->hi - 1] = (int32_t)(a->hi - 1);
	}
	/* one against one can have nothing in common any more */
	if (b->hi == b->lo || a->hi == a->lo || (b->hi - b->lo == 1 && a->hi - a->lo == 1))
		return true;
	return match_windows(x, b, a, match);
}

static void walk_array(struct diff *x, const struct frame *f, uint32_t old, uint32_t new)
{
	uint32_t nb = x->before->tok[old].n, na = x->after->tok[new].n, ngaps = 0, differing = 0;
	struct window b = { .d = x->before, .elem = elements(x, x->before, old), .hi = nb };
	struct window a = { .d = x->after, .elem = elements(x, x->after, new), .hi = na };
	int32_t *match = arena_get(&x->mem, nb * sizeof *match);
	bool close = match_elements(x, &b, &a, match);
	struct gap *gaps = close ? find_gaps(x, nb, na, match, &ngaps) : NULL;

	for (uint32_t i = 0; i < ngaps; i++)
		differing += max(gaps[i].b1 - gaps[i].b0, gaps[i].a1 - gaps[i].a0);
	if (!close || differing > MAX_DIFFERING) {
		replace(x, f, old, new);
		return;
	}
	for (uint32_t i = 0; i < ngaps; i++) {
		uint32_t both = min(gaps[i].b1 - gaps[i].b0, gaps[i].a1 - gaps[i].a0);

		for (uint32_t j = 0; j < both; j++) {
			struct frame here = { f, NULL, gaps[i].b0 + j };

			walk(x, &here, b.elem[gaps[i].b0 + j], a.elem[gaps[i].a0 + j]);
		}
	}
	for (uint32_t i = ngaps; i-- > 0;)
		fill_gap(x, f, gaps[i], b.elem, a.elem);
}

static void walk(struct diff *x, const struct frame *f, uint32_t old, uint32_t new)
{
	enum doc_type type = x->before->tok[old].type;

	if (text_same(edit_span(x->before, old), edit_span(x->after, new)))
		return;
	if (type != x->after->tok[new].type || type < DOC_ARRAY)
		replace(x, f, old, new);
	else if (type == DOC_ARRAY)
		walk_array(x, f, old, new);
	else
		walk_object(x, f, old, new);
}

void edit_init(struct diff *x, const struct doc *before, const struct doc *after)
{
	/* member by member: the arena's room is not to be zeroed for every document */
	x->before = before;
	x->after = after;
	arena_init(&x->mem);
	x->members = x->elements = (struct edits){ 0 };
	x->cands = NULL;
	x->ncands = x->nobjects = x->nadded = x->nremoved = 0;
	x->name[0] = x->name[1] = (struct buf)BUF_INIT;
}

void edit_release(struct diff *x)
{
	buf_release(&x->name[0]);
	buf_release(&x->name[1]);
	arena_release(&x->mem);
}

void edit_collect(struct diff *x)
{
	walk(x, NULL, 0, 0);
}
