/* transform-rows.c -- see transform-rows.h */
#include "transform-rows.h"

#include "rowref.h"

#include <inttypes.h>
#include <stdlib.h>

void rowmaker_release(struct rowmaker *m)
{
	for (size_t i = 0; i < m->cap; i++)
		buf_release(&m->made[i].text);
	free(m->made);
	buf_release(&m->lines);
	rowmade_work_release(&m->work);
}

static int by_key(const void *a, const void *b)
{
	const struct rowmade *x = a, *y = b;
	int c = strcmp(x->target->entity, y->target->entity);

	if (!c)
		c = text_compare(x->id, y->id);
	return c ? c : (x->place > y->place) - (x->place < y->place);
}

/* SHA-256 of {"data":D,"links":L} */
static void hash_after(struct rowmaker *m, const struct rowmade *x, const struct doc *d, char hex[HEX_SIZE])
{
	struct rec w;

	buf_reset(&m->work.scratch);
	rec_open(&w, &m->work.scratch);
	rec_name(&w, "data");
	canon_value(&m->work.scratch, d, x->data, DOC_NONE);
	rec_raw(&w, "links", x->links.s, x->links.n);
	rec_close(&w);
	digest_hex(m->work.scratch.s, m->work.scratch.len, hex);
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

static void write_change(struct rowmaker *m, const struct rowmade *x, const struct record *r, const struct way *way,
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
	rec_cstr(&w, "duplicates", m->work.targets->last ? "last" : "error");
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
	if (m->cap >= n)
		return;
	m->made = xrealloc(m->made, n, sizeof *m->made);
	while (m->cap < n)
		m->made[m->cap++] = (struct rowmade){ .text = BUF_INIT };
}

const char *rowmaker_take(struct rowmaker *m, const struct record *r, const struct way *way, const struct doc *out)
{
	const char *code;

	m->n = 0;
	buf_reset(&m->lines);
	have_room(m, out->tok[0].n);
	for (uint32_t t = 1; t < out->tok[0].next; t = out->tok[t].next, m->n++)
		if ((code = rowmade_take(&m->made[m->n], &m->work, out, t, m->n)))
			return code;
	if (m->n == 0 && !m->work.targets->skips) {
		buf_reset(&m->work.reason);
		buf_addstr(&m->work.reason, "the program gave no record");
		return "no_record";
	}
	if (m->n)
		qsort(m->made, m->n, sizeof *m->made, by_key);
	for (size_t i = 0; i < m->n; i++) {
		size_t at = m->lines.len;

		write_change(m, &m->made[i], r, way, out, i);
		if (m->lines.len - at > m->max)
			return rowmade_reject(&m->made[i], &m->work, "too_large",
			                      "the change is larger than a quarter of", "MIG_MAX_RECORD");
	}
	return NULL;
}
