/* overlay.c -- see overlay.h; its text is written by overlay-text.c */
#include "overlay.h"

enum {
	FEW = 32,           /* members that are looked through one by one */
	MAX_COPIED = 1 << 20 /* slots: copies of copies grow like 2^n */
};

void overlay_init(struct overlay *o, const struct doc *src)
{
	o->src = src;
	o->root = (struct value){ .d = src };
	arena_init(&o->mem);
	o->room = (struct buf)BUF_INIT;
	o->copied = 0;
	o->style = NULL;
}

void overlay_release(struct overlay *o)
{
	arena_release(&o->mem);
	buf_release(&o->room);
}

struct text overlay_string(struct overlay *o, const struct doc *d, uint32_t t)
{
	struct text s;

	if (!(d->tok[t].flags & DOC_ESCAPED)) {
		s.s = doc_span(d, t, &s.n) + 1;
		s.n -= 2;
		return s;
	}
	buf_reset(&o->room);
	doc_string(d, t, &o->room);
	return (struct text){ arena_copy(&o->mem, o->room.s, o->room.len), o->room.len };
}

/* ---- opening ---- */

/* A patch's objects are read in canonical order, so that what is put in is sorted. */
static void open_object(struct overlay *o, struct box *b)
{
	const struct tok *tok = b->d->tok;
	struct slot *s = b->kids;
	struct doc_walk w;
	bool in_order = b->d == o->src;
	uint32_t key = b->t + 1;

	if (!in_order)
		doc_walk_init(&w, b->d, b->t);
	for (uint32_t i = 0; i < b->nkids; i++, s++) {
		if (!in_order)
			key = doc_walk_next(&w);
		*s = (struct slot){
			.v = { .d = b->d, .t = key + 1 },
			.name = overlay_string(o, b->d, key),
			.home = key + 1,
		};
		key = tok[key + 1].next;
	}
}

static void open_array(struct overlay *o, struct box *b)
{
	uint32_t t = b->t + 1;

	b->list = arena_get(&o->mem, (size_t)b->nkids * sizeof *b->list);
	b->nlist = b->cap = b->gap = b->nkids;
	for (uint32_t i = 0; i < b->nkids; i++) {
		b->kids[i] = (struct slot){ .v = { .d = b->d, .t = t }, .home = t };
		b->list[i] = &b->kids[i];
		t = b->d->tok[t].next;
	}
}

struct box *overlay_open(struct overlay *o, struct value *v)
{
	const struct tok *tok = &v->d->tok[v->t];

	if (v->box || (tok->type != DOC_OBJECT && tok->type != DOC_ARRAY))
		return v->box;
	struct box *b = arena_get(&o->mem, sizeof *b);

	*b = (struct box){
		.d = v->d, .t = v->t, .object = tok->type == DOC_OBJECT, .n = tok->n, .nkids = tok->n,
	};
	b->kids = arena_get(&o->mem, (size_t)b->nkids * sizeof *b->kids);
	if (b->object)
		open_object(o, b);
	else
		open_array(o, b);
	v->box = b;
	return b;
}

/* ---- members ---- */

/* Where the map has the name, or has room for it. */
static struct slot **map_place(struct box *b, struct text name)
{
	uint32_t i = text_hash(name) & b->mask;

	while (b->map[i] && !text_same(b->map[i]->name, name))
		i = (i + 1) & b->mask;
	return &b->map[i];
}

/* (Re)build the map with room for as many again. */
static void map_build(struct overlay *o, struct box *b)
{
	size_t need = 4 * ((size_t)b->nkids + b->nlist), size = 64;

	while (size < need)
		size *= 2;
	b->map = arena_get(&o->mem, size * sizeof *b->map);
	memset(b->map, 0, size * sizeof *b->map);
	b->mask = (uint32_t)(size - 1);
	b->nmap = b->nkids + b->nlist;
	for (uint32_t i = 0; i < b->nkids; i++)
		*map_place(b, b->kids[i].name) = &b->kids[i];
	for (uint32_t i = 0; i < b->nlist; i++)
		*map_place(b, b->list[i]->name) = b->list[i];
}

/* Enter a member that has got its name just now. */
static void map_add(struct overlay *o, struct box *b, struct slot *s)
{
	if (!b->map)
		return;
	/* a name that was given up keeps its place until the map is built anew */
	if (2 * (size_t)++b->nmap > b->mask)
		map_build(o, b);
	else
		*map_place(b, s->name) = s;
}

/* Also one that is gone. */
static struct slot *find_member(struct overlay *o, struct box *b, struct text name)
{
	if (b->nkids + b->nlist > FEW) {
		if (!b->map)
			map_build(o, b);
		return *map_place(b, name);
	}
	for (uint32_t i = 0; i < b->nkids; i++)
		if (text_same(b->kids[i].name, name))
			return &b->kids[i];
	for (uint32_t i = 0; i < b->nlist; i++)
		if (text_same(b->list[i]->name, name))
			return b->list[i];
	return NULL;
}

struct slot *box_member(struct overlay *o, struct box *b, struct text name)
{
	struct slot *s = find_member(o, b, name);

	return s && !s->gone ? s : NULL;
}

/* Twice the room for b->list; an array's gap widens where it is. */
static void list_grow(struct overlay *o, struct box *b)
{
	uint32_t more = b->cap ? b->cap : 8, behind = b->nlist - (b->object ? b->nlist : b->gap);
	struct slot **list = arena_get(&o->mem, ((size_t)b->cap + more) * sizeof *list);

	if (b->nlist > behind)
		memcpy(list, b->list, (b->nlist - behind) * sizeof *list);
	if (behind > 0)
		memcpy(list + b->cap + more - behind, b->list + b->cap - behind, behind * sizeof *list);
	b->list = list;
	b->cap += more;
}

static struct slot *new_slot(struct overlay *o, struct text name, struct value v)
{
	struct slot *s = arena_get(&o->mem, sizeof *s);

	*s = (struct slot){ .v = v, .name = name, .home = DOC_NONE };
	return s;
}

void box_put(struct overlay *o, struct box *b, struct text name, struct value v)
{
	struct slot *s = find_member(o, b, name);

	if (s) {
		b->n += s->gone;
		s->gone = false;
		s->v = v;
		return;
	}
	if (b->nlist == b->cap)
		list_grow(o, b);
	s = new_slot(o, name, v);
	b->list[b->nlist++] = s;
	b->n++;
	map_add(o, b, s);
}

void box_drop(struct box *b, struct slot *member)
{
	member->gone = true;
	b->n--;
}

bool box_rename(struct overlay *o, struct box *b, struct slot *member, struct text name)
{
	if (b->d != o->src || !(b->d->tok[b->t].flags & DOC_UNSORTED) || find_member(o, b, name))
		return false;
	member->name = name;
	member->renamed = true;
	map_add(o, b, member);
	return true;
}

/* ---- elements ---- */

struct slot *box_element(const struct box *b, uint32_t i)
{
	return b->list[i < b->gap ? i : i + (b->cap - b->nlist)];
}

/* Edits come in runs, so the gap seldom travels far. */
static void gap_to(struct box *b, uint32_t i)
{
	uint32_t room = b->cap - b->nlist;

	if (i < b->gap)
		memmove(b->list + i + room, b->list + i, (b->gap - i) * sizeof *b->list);
	else if (i > b->gap)
		memmove(b->list + b->gap, b->list + b->gap + room, (i - b->gap) * sizeof *b->list);
	b->gap = i;
}

void box_insert(struct overlay *o, struct box *b, uint32_t i, struct value v)
{
	if (b->nlist == b->cap)
		list_grow(o, b);
	gap_to(b, i);
	b->list[b->gap++] = new_slot(o, (struct text){ "", 0 }, v);
	b->n = ++b->nlist;
}

void box_remove(struct box *b, uint32_t i)
{
	gap_to(b, i);
	b->n = --b->nlist;
}

/* ---- copies ---- */

static int copy_box(struct overlay *o, const struct box *b, struct box **to, unsigned depth);

static int copy_value(struct overlay *o, const struct value *v, struct value *to, unsigned depth)
{
	*to = *v;
	return v->box ? copy_box(o, v->box, &to->box, depth + 1) : 0;
}

static int copy_box(struct overlay *o, const struct box *b, struct box **to, unsigned depth)
{
	if (depth > RECORD_MAX_DEPTH || b->nkids > MAX_COPIED - o->copied)
		return -1;
	o->copied += b->nkids;
	if (b->nlist > MAX_COPIED - o->copied)
		return -1;
	o->copied += b->nlist;

	struct box *c = arena_get(&o->mem, sizeof *c);

	*c = *b;
	c->map = NULL;
	c->kids = arena_get(&o->mem, (size_t)b->nkids * sizeof *c->kids);
	c->list = arena_get(&o->mem, (size_t)b->nlist * sizeof *c->list);
	c->cap = c->gap = b->nlist;
	for (uint32_t i = 0; i < b->nkids; i++) {
		c->kids[i] = b->kids[i];
		if (copy_value(o, &b->kids[i].v, &c->kids[i].v, depth) < 0)
			return -1;
	}
	for (uint32_t i = 0; i < b->nlist; i++) {
		struct slot *s = b->object ? b->list[i] : box_element(b, i);

		if (s->home != DOC_NONE) {
			c->list[i] = c->kids + (s - b->kids);
			continue;
		}
		c->list[i] = new_slot(o, s->name, s->v);
		c->list[i]->gone = s->gone;
		if (copy_value(o, &s->v, &c->list[i]->v, depth) < 0)
			return -1;
	}
	*to = c;
	return 0;
}

int overlay_copy(struct overlay *o, const struct value *v, struct value *to)
{
	return copy_value(o, v, to, 0);
}
