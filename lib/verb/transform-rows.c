/* transform-rows.c -- see transform-rows.h */
#include "transform-rows.h"

#include "rowref.h"

#include <inttypes.h>
#include <stdlib.h>

/* One record of a row. */
struct made {
	const struct target *target;
	struct text id;
	uint32_t data;     /* DOC_NONE: it is to be deleted */
	struct text links; /* {"thread":{"entity":"thread_threads","ids":["7"]}} */
	size_t place;      /* among the outputs */
};

void rowmaker_release(struct rowmaker *m)
{
	for (size_t i = 0; i < m->ntext; i++)
		buf_release(&m->text[i]);
	free(m->text);
	free(m->made);
	buf_release(&m->lines);
	buf_release(&m->scratch);
	buf_release(&m->reason);
}

/* A reject: its code, with "record 2 (thread_items): what" for its reason. */
static const char *reject(struct rowmaker *m, const struct made *x, const char *code, const char *what,
                          const char *more)
{
	buf_reset(&m->reason);
	buf_addf(&m->reason, "record %zu", x->place + 1);
	if (x->target)
		buf_addf(&m->reason, " (%s)", x->target->entity);
	buf_addf(&m->reason, ": %s%s%s", what, *more ? " " : "", more);
	return code;
}

static const char *check_members(struct rowmaker *m, const struct made *x, const struct doc *d, uint32_t t)
{
	static const char *const names[] = { "data", "entity", "id", "links", "op", NULL };
	struct doc_walk w;
	uint32_t key;

	if (d->tok[t].type != DOC_OBJECT)
		return reject(m, x, "bad_row", "not an object with entity, id and data", "");
	for (doc_walk_init(&w, d, t); (key = doc_walk_next(&w));) {
		const char *const *n = names;

		while (*n && !doc_equals(d, key, *n, strlen(*n)))
			n++;
		if (!*n)
			return reject(m, x, "bad_row", "has a member that is none of entity, id, data, links, op", "");
	}
	return NULL;
}

/* A text or an integer, as the text it is spelled with, appended to b; false for anything else, null included. */
static bool id_text(const struct doc *d, uint32_t t, struct buf *b)
{
	size_t n;
	const char *s = doc_span(d, t, &n);

	if (d->tok[t].type == DOC_STRING)
		doc_string(d, t, b);
	else if (d->tok[t].type == DOC_NUMBER && d->tok[t].flags & DOC_INTEGER)
		buf_add(b, s, n);
	else
		return false;
	return true;
}

/*
 * Make an id what the entity wants, in place; false if it cannot be.  A UUID
 * keeps its value in lower case; of any other id the name is "entity/id".
 */
static bool fit_id(const struct targets *all, const struct target *t, struct buf *b, size_t at)
{
	unsigned char uuid[UUID_BYTES];
	char spelled[UUID_SIZE];
	struct text id = { b->s + at, b->len - at };

	if (!rowref_id_valid(id))
		return false;
	if (!t || !t->uuid)
		return true;
	if (!uuid_read(id, uuid)) {
		if (!t->named)
			return false;
		struct buf name = BUF_INIT;

		buf_addf(&name, "%s/", t->entity);
		buf_add(&name, id.s, id.n);
		uuid_v5(all->space, (struct text){ name.s, name.len }, uuid);
		buf_release(&name);
	}
	uuid_write(uuid, spelled);
	buf_setlen(b, at);
	buf_addstr(b, spelled);
	return true;
}

static const char *take_id(struct rowmaker *m, struct made *x, const struct doc *d, uint32_t t, struct buf *b)
{
	uint32_t id = doc_member(d, t, "id", 2);

	if (id == DOC_NONE || d->tok[id].type == DOC_NULL || (d->tok[id].type == DOC_STRING && d->tok[id].len == 2))
		return reject(m, x, "missing_id", "it has no id", "");
	if (!id_text(d, id, b))
		return reject(m, x, "bad_id", "its id is neither a text nor an integer", "");
	if (!rowref_id_valid((struct text){ b->s, b->len }))
		return reject(m, x, "bad_id", "its id holds a control character, or is over 1024 bytes", "");
	if (!fit_id(m->set->targets, x->target, b, 0))
		return reject(m, x, "not_a_uuid", "its id is no UUID:", b->s);
	x->id.n = b->len; /* where it begins is known when b has grown */
	return NULL;
}

/* ---- links ---- */

/* Ids of one link, as they lie in a buffer. */
struct ids {
	struct buf text;
	struct text *v;
	size_t n, cap;
};

static int by_bytes(const void *a, const void *b)
{
	const struct text *x = a, *y = b;
	int c = memcmp(x->s, y->s, x->n < y->n ? x->n : y->n);

	return c ? c : (x->n > y->n) - (x->n < y->n);
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
		ok = id_text(d, e, &ids->text) && fit_id(all, to, &ids->text, at[ids->n]);
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

/* Append the link of the label; a null or an empty list is none. */
static const char *take_link(struct rowmaker *m, const struct made *x, const struct doc *d, uint32_t key, struct buf *b,
                             bool *any)
{
	buf_reset(&m->scratch);
	doc_string(d, key, &m->scratch);
	const struct target_link *l = target_link(x->target, (struct text){ m->scratch.s, m->scratch.len });
	struct ids ids = { .n = 0 };
	const char *code = NULL;

	if (!l)
		return reject(m, x, "unknown_link", "the set declares no link", m->scratch.s ? m->scratch.s : "");
	if (is_empty(d, key + 1))
		return NULL;
	const struct target *to = targets_find(m->set->targets, (struct text){ l->entity, strlen(l->entity) });

	if (!read_ids(m->set->targets, to, d, key + 1, &ids)) {
		code = reject(m, x, "bad_link", "not an id, or ids, of what it leads to:", l->label);
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

static const char *take_links(struct rowmaker *m, struct made *x, const struct doc *d, uint32_t t, struct buf *b)
{
	uint32_t links = doc_member(d, t, "links", 5), key;
	const char *code = NULL;
	struct doc_walk w;
	bool any = false;

	if (links != DOC_NONE && d->tok[links].type != DOC_OBJECT && d->tok[links].type != DOC_NULL)
		return reject(m, x, "bad_link", "its links are not an object", "");
	if (links == DOC_NONE || d->tok[links].type != DOC_OBJECT)
		links = DOC_NONE;
	for (size_t i = 0; i < x->target->nlink; i++) {
		const struct target_link *l = &x->target->link[i];
		uint32_t v = links == DOC_NONE ? DOC_NONE : doc_member(d, links, l->label, strlen(l->label));

		if (!l->optional && (v == DOC_NONE || is_empty(d, v)))
			return reject(m, x, "missing_link", "it has no link", l->label);
	}
	buf_addch(b, '{');
	if (links != DOC_NONE)
		for (doc_walk_init(&w, d, links); !code && (key = doc_walk_next(&w));)
			code = take_link(m, x, d, key, b, &any);
	buf_addch(b, '}');
	return code;
}

/* ---- records ---- */

static const char *take_data(struct rowmaker *m, struct made *x, const struct doc *d, uint32_t t)
{
	uint32_t v;

	x->data = doc_member(d, t, "data", 4);
	if (x->data == DOC_NONE || d->tok[x->data].type != DOC_OBJECT)
		return reject(m, x, "bad_data", "its data is not an object", "");
	for (char **p = x->target->required; *p; p++)
		if (!pointer_find(d, x->data, *p, strlen(*p), &v) || d->tok[v].type == DOC_NULL)
			return reject(m, x, "required_missing", "required, and absent or null:", *p);
	return NULL;
}

static const char *take_record(struct rowmaker *m, struct made *x, const struct doc *d, uint32_t t, struct buf *b)
{
	const char *code = check_members(m, x, d, t);

	if (code)
		return code;
	uint32_t entity = doc_member(d, t, "entity", 6), op = doc_member(d, t, "op", 2);
	bool deletes = op != DOC_NONE && doc_equals(d, op, "delete", 6);

	if (entity == DOC_NONE || d->tok[entity].type != DOC_STRING)
		return reject(m, x, "unknown_entity", "it has no entity", "");
	x->target = targets_find(m->set->targets, record_text(d, entity, b));
	buf_reset(b);
	if (!x->target)
		return reject(m, x, "unknown_entity", "its entity is none of the set's targets", "");
	if ((code = take_id(m, x, d, t, b)))
		return code;
	if (op != DOC_NONE && !deletes && !doc_equals(d, op, "put", 3))
		return reject(m, x, "bad_row", "its op is neither put nor delete", "");
	if (deletes && (doc_member(d, t, "data", 4) || doc_member(d, t, "links", 5)))
		return reject(m, x, "bad_row", "what is deleted has neither data nor links", "");
	if (!deletes && ((code = take_data(m, x, d, t)) || (code = take_links(m, x, d, t, b))))
		return code;
	x->links = (struct text){ b->s + x->id.n, b->len - x->id.n };
	x->id.s = b->s;
	return NULL;
}

static int by_place_of_key(const void *a, const void *b)
{
	const struct made *x = a, *y = b;
	int c = strcmp(x->target->entity, y->target->entity);

	if (!c)
		c = by_bytes(&x->id, &y->id);
	return c ? c : (x->place > y->place) - (x->place < y->place);
}

/* SHA-256 of {"data":D,"links":L} */
static void hash_after(struct rowmaker *m, const struct made *x, const struct doc *d, char hex[HEX_SIZE])
{
	struct rec w;

	buf_reset(&m->scratch);
	rec_open(&w, &m->scratch);
	rec_name(&w, "data");
	canon_value(&m->scratch, d, x->data, DOC_NONE);
	rec_raw(&w, "links", x->links.s, x->links.n);
	rec_close(&w);
	digest_hex(m->scratch.s, m->scratch.len, hex);
}

static void add_span(struct rec *w, const char *name, const struct record *r, const char *member)
{
	size_t n;
	const char *s = doc_span(r->doc, record_get(r, member), &n);

	rec_raw(w, name, s, n);
}

/* {"entity":E,"hash":H,"index":1,"of":3,"ref":R}: the row it stems from */
static void add_from(struct rec *w, const struct record *r, size_t index, size_t of)
{
	struct rec in;

	rec_name(w, "from");
	rec_open(&in, w->b);
	add_span(&in, "entity", r, "entity");
	add_span(&in, "hash", r, "hash");
	rec_int(&in, "index", (int64_t)index);
	rec_int(&in, "of", (int64_t)of);
	add_span(&in, "ref", r, "ref");
	rec_close(&in);
}

static void write_change(struct rowmaker *m, const struct made *x, const struct record *r, const struct way *way,
                         const struct doc *d, size_t index)
{
	bool put = x->data != DOC_NONE;
	struct text entity = { x->target->entity, strlen(x->target->entity) };
	struct buf ref = BUF_INIT, line = BUF_INIT;
	char after[HEX_SIZE];
	struct rec w;

	if (put)
		hash_after(m, x, d, after);
	rowref_write(&ref, entity, x->id);
	rec_open(&w, &line);
	rec_cstr(&w, "after", put ? after : NULL);
	rec_null(&w, "before");
	buf_add(&line, way->changes.s, way->changes.len);
	if (put) {
		rec_name(&w, "data");
		canon_value(&line, d, x->data, DOC_NONE);
	}
	buf_add(&line, way->safety.s, way->safety.len);
	rec_bool(&w, "destructive", !put);
	rec_cstr(&w, "duplicates", m->set->targets->last ? "last" : "error");
	rec_str(&w, "entity", entity);
	add_from(&w, r, index + 1, m->n);
	buf_add(&line, way->about.s, way->about.len);
	if (put)
		rec_raw(&w, "links", x->links.s, x->links.n);
	rec_cstr(&w, "op", put ? "put" : "delete");
	rec_raw(&w, "patch", "[]", 2);
	rec_null(&w, "raw");
	rec_str(&w, "ref", (struct text){ ref.s, ref.len });
	buf_add(&line, way->set.s, way->set.len);
	size_t at = line.len + 1;

	buf_add(&line, way->target.s, way->target.len);
	rec_cstr(&w, "type", put ? "data" : "cleanup");
	rec_raw(&w, "undo", "[]", 2);
	rec_close(&w);
	rec_sum(&line, at);
	buf_add(&m->lines, line.s, line.len);
	buf_addch(&m->lines, '\n');
	buf_release(&line);
	buf_release(&ref);
}

static void have_room(struct rowmaker *m, size_t n)
{
	if (m->cap < n) {
		m->cap = n;
		m->made = xrealloc(m->made, m->cap, sizeof *m->made);
	}
	if (m->ntext < n) {
		m->text = xrealloc(m->text, n, sizeof *m->text);
		while (m->ntext < n)
			m->text[m->ntext++] = (struct buf)BUF_INIT;
	}
}

const char *rowmaker_take(struct rowmaker *m, const struct record *r, const struct way *way, const struct doc *out)
{
	const char *code;

	m->n = 0;
	buf_reset(&m->lines);
	have_room(m, out->tok[0].n);
	for (uint32_t t = 1; t < out->tok[0].next; t = out->tok[t].next, m->n++) {
		m->made[m->n] = (struct made){ .place = m->n };
		buf_reset(&m->text[m->n]);
		if ((code = take_record(m, &m->made[m->n], out, t, &m->text[m->n])))
			return code;
	}
	if (m->n == 0 && !m->set->targets->skips) {
		buf_reset(&m->reason);
		buf_addstr(&m->reason, "the program gave no record");
		return "no_record";
	}
	if (m->n)
		qsort(m->made, m->n, sizeof *m->made, by_place_of_key);
	for (size_t i = 0; i < m->n; i++) {
		size_t at = m->lines.len;

		write_change(m, &m->made[i], r, way, out, i);
		if (m->lines.len - at > m->max)
			return reject(m, &m->made[i], "too_large", "the change is larger than a quarter of",
			              "MIG_MAX_RECORD");
	}
	return NULL;
}
