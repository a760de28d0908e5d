/* rowmade.c -- see rowmade.h */
#include "rowmade.h"

#include "rowid.h"
#include "rowref.h"

#include <stdlib.h>

void rowmade_work_release(struct rowmade_work *w)
{
	buf_release(&w->scratch);
	buf_release(&w->reason);
}

const char *rowmade_reject(const struct rowmade *x, struct rowmade_work *w, const char *code, const char *what,
                           const char *more)
{
	buf_reset(&w->reason);
	buf_addf(&w->reason, "record %zu", x->place + 1);
	if (x->target)
		buf_addf(&w->reason, " (%s)", x->target->entity);
	buf_addf(&w->reason, ": %s%s%s", what, *more ? " " : "", more);
	return code;
}

static const char *check_members(const struct rowmade *x, struct rowmade_work *w, const struct doc *d, uint32_t t)
{
	static const char *const names[] = { "data", "entity", "id", "links", "op", NULL };
	struct doc_walk walk;
	uint32_t key;

	if (d->tok[t].type != DOC_OBJECT)
		return rowmade_reject(x, w, "bad_row", "not an object with entity, id and data", "");
	for (doc_walk_init(&walk, d, t); (key = doc_walk_next(&walk));) {
		const char *const *n = names;

		while (*n && !doc_equals(d, key, *n, strlen(*n)))
			n++;
		if (!*n)
			return rowmade_reject(x, w, "bad_row",
			                      "has a member that is none of entity, id, data, links, op", "");
	}
	return NULL;
}

static const char *take_id(struct rowmade *x, struct rowmade_work *w, const struct doc *d, uint32_t t)
{
	uint32_t id = doc_member(d, t, "id", 2);
	struct buf *b = &x->text;

	if (id == DOC_NONE || d->tok[id].type == DOC_NULL || (d->tok[id].type == DOC_STRING && d->tok[id].len == 2))
		return rowmade_reject(x, w, "missing_id", "it has no id", "");
	if (!rowid_read(d, id, b))
		return rowmade_reject(x, w, "bad_id", "its id is neither a text nor an integer", "");
	if (!rowref_id_valid((struct text){ b->s, b->len }))
		return rowmade_reject(x, w, "bad_id", "its id holds a control character, or is over 1024 bytes", "");
	if (!rowid_fit(w->targets, x->target, b, 0))
		return rowmade_reject(x, w, "not_a_uuid", "its id is no UUID:", b->s);
	x->id.n = b->len; /* where it begins is known when b has grown */
	return NULL;
}

/* ---- links ---- */

/* Ids of one link, as they lie in a buffer. */
struct ids {
	struct buf text;
	struct text *v;
	size_t n;
};

static int by_bytes(const void *a, const void *b)
{
	const struct text *x = a, *y = b;

	return text_compare(*x, *y);
}

/* One id or a list of them, made what the entity at the other end wants; false if one cannot be. */
static bool read_ids(const struct targets *all, const struct target *to, const struct doc *d, uint32_t t,
                     struct ids *ids)
{
	bool list = d->tok[t].type == DOC_ARRAY;
	uint32_t end = list ? d->tok[t].next : t + 1;
	size_t *at = xcalloc(list ? d->tok[t].n + 1 : 2, sizeof *at);
	bool ok = true;

	for (uint32_t e = list ? t + 1 : t; ok && e < end; e = d->tok[e].next) {
		at[ids->n] = ids->text.len;
		ok = rowid_read(d, e, &ids->text) && rowid_fit(all, to, &ids->text, at[ids->n]);
		ids->n++;
		if (!list)
			break;
	}
	ids->v = xcalloc(ids->n + 1, sizeof *ids->v);
	at[ids->n] = ids->text.len;
	for (size_t i = 0; i < ids->n; i++)
		ids->v[i] = (struct text){ ids->text.s + at[i], at[i + 1] - at[i] };
	free(at);
	return ok;
}

/* {"entity":E,"ids":[..],"outside":true?}: sorted, each once */
static void write_link(struct buf *b, const struct target_link *l, struct ids *ids)
{
	struct rec w;

	if (ids->n)
		qsort(ids->v, ids->n, sizeof *ids->v, by_bytes);
	rec_open(&w, b);
	rec_cstr(&w, "entity", l->entity);
	rec_name(&w, "ids");
	buf_addch(b, '[');
	for (size_t i = 0; i < ids->n; i++) {
		if (i && text_same(ids->v[i], ids->v[i - 1]))
			continue;
		if (i)
			buf_addch(b, ',');
		canon_string(b, ids->v[i].s, ids->v[i].n);
	}
	buf_addch(b, ']');
	if (l->outside)
		rec_bool(&w, "outside", true);
	rec_close(&w);
}

static bool is_empty(const struct doc *d, uint32_t t)
{
	return d->tok[t].type == DOC_NULL || (d->tok[t].type == DOC_ARRAY && d->tok[t].n == 0);
}

/* Append the link of the label at key; a null or an empty list is none. */
static const char *take_link(struct rowmade *x, struct rowmade_work *w, const struct doc *d, uint32_t key, bool *any)
{
	struct buf *b = &x->text;

	buf_reset(&w->scratch);
	doc_string(d, key, &w->scratch);
	const struct target_link *l = target_link(x->target, (struct text){ w->scratch.s, w->scratch.len });
	struct ids ids = { .n = 0 };
	const char *code = NULL;

	if (!l)
		return rowmade_reject(x, w, "unknown_link", "the set declares no link",
		                      w->scratch.s ? w->scratch.s : "");
	if (is_empty(d, key + 1))
		return NULL;
	if (!read_ids(w->targets, targets_find(w->targets, text_cstr(l->entity)), d, key + 1, &ids)) {
		code = rowmade_reject(x, w, "bad_link", "not an id, or ids, of what it leads to:", l->label);
	} else {
		if (*any)
			buf_addch(b, ',');
		*any = true;
		canon_string(b, l->label, strlen(l->label));
		buf_addch(b, ':');
		write_link(b, l, &ids);
	}
	free(ids.v);
	buf_release(&ids.text);
	return code;
}

/* Are all links there that the target wants?  links: an object, or DOC_NONE. */
static const char *check_wanted(const struct rowmade *x, struct rowmade_work *w, const struct doc *d, uint32_t links)
{
	for (size_t i = 0; i < x->target->nlink; i++) {
		const struct target_link *l = &x->target->link[i];
		uint32_t v = links == DOC_NONE ? DOC_NONE : doc_member(d, links, l->label, strlen(l->label));

		if (!l->optional && (v == DOC_NONE || is_empty(d, v)))
			return rowmade_reject(x, w, "missing_link", "it has no link", l->label);
	}
	return NULL;
}

static const char *take_links(struct rowmade *x, struct rowmade_work *w, const struct doc *d, uint32_t t)
{
	uint32_t links = doc_member(d, t, "links", 5), key;
	struct doc_walk walk;
	bool any = false;

	if (links != DOC_NONE && d->tok[links].type == DOC_NULL)
		links = DOC_NONE;
	if (links != DOC_NONE && d->tok[links].type != DOC_OBJECT)
		return rowmade_reject(x, w, "bad_link", "its links are not an object", "");
	const char *code = check_wanted(x, w, d, links);

	buf_addch(&x->text, '{');
	if (links != DOC_NONE)
		for (doc_walk_init(&walk, d, links); !code && (key = doc_walk_next(&walk));)
			code = take_link(x, w, d, key, &any);
	buf_addch(&x->text, '}');
	return code;
}

/* ---- all of it ---- */

static const char *take_target(struct rowmade *x, struct rowmade_work *w, const struct doc *d, uint32_t t)
{
	uint32_t entity = doc_member(d, t, "entity", 6);

	if (entity == DOC_NONE || d->tok[entity].type != DOC_STRING)
		return rowmade_reject(x, w, "unknown_entity", "it has no entity", "");
	buf_reset(&w->scratch);
	x->target = targets_find(w->targets, record_text(d, entity, &w->scratch));
	if (!x->target)
		return rowmade_reject(x, w, "unknown_entity", "its entity is none of the set's targets", "");
	return NULL;
}

static const char *take_data(struct rowmade *x, struct rowmade_work *w, const struct doc *d, uint32_t t)
{
	uint32_t v;

	x->data = doc_member(d, t, "data", 4);
	if (x->data == DOC_NONE || d->tok[x->data].type != DOC_OBJECT)
		return rowmade_reject(x, w, "bad_data", "its data is not an object", "");
	for (char **p = x->target->required; *p; p++)
		if (!pointer_find(d, x->data, *p, strlen(*p), &v) || d->tok[v].type == DOC_NULL)
			return rowmade_reject(x, w, "required_missing", "required, and absent or null:", *p);
	return NULL;
}

const char *rowmade_take(struct rowmade *x, struct rowmade_work *w, const struct doc *d, uint32_t t, size_t place)
{
	const char *code;

	*x = (struct rowmade){ .place = place, .text = x->text };
	buf_reset(&x->text);
	if ((code = check_members(x, w, d, t)) || (code = take_target(x, w, d, t)) || (code = take_id(x, w, d, t)))
		return code;
	uint32_t op = doc_member(d, t, "op", 2);
	bool deletes = op != DOC_NONE && doc_equals(d, op, "delete", 6);

	if (op != DOC_NONE && !deletes && !doc_equals(d, op, "put", 3))
		return rowmade_reject(x, w, "bad_row", "its op is neither put nor delete", "");
	if (deletes && (doc_member(d, t, "data", 4) || doc_member(d, t, "links", 5)))
		return rowmade_reject(x, w, "bad_row", "what is deleted has neither data nor links", "");
	if (!deletes && ((code = take_data(x, w, d, t)) || (code = take_links(x, w, d, t))))
		return code;
	x->id.s = x->text.s;
	x->links = (struct text){ x->text.s + x->id.n, x->text.len - x->id.n };
	return NULL;
}
