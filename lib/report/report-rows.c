/* report-rows.c -- see report-rows.h */
#include "report-rows.h"

#include "shown.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MAX_ENTITIES = 256, MAX_LINKS = 4, MAX_INVARIANTS = 5, ID_COLUMNS = 40, VALUE_COLUMNS = 86 };

void rows_view_init(struct rows_view *v)
{
	*v = (struct rows_view){ .any = false };
	counts_init(&v->puts, MAX_ENTITIES);
	counts_init(&v->deletes, MAX_ENTITIES);
}

void rows_view_release(struct rows_view *v)
{
	counts_release(&v->puts);
	counts_release(&v->deletes);
	buf_release(&v->invariants);
	buf_release(&v->arena);
	buf_release(&v->text);
}

void rows_view_begin(struct rows_view *v, const struct doc *d, const struct row_totals *t)
{
	struct invariant x;
	struct diag unseen = DIAG_INIT;
	uint32_t list = t->invariants;

	v->any = true;
	v->totals = *t;
	for (uint32_t i = list + 1; list && i < d->tok[list].next; i = d->tok[i].next) {
		if (invariant_read(&x, d, i, "", NULL, &unseen) < 0)
			continue;
		char *message = record_dup(d, doc_member(d, i, "message", 7)),
		     *what = record_dup(d, x.jq ? x.jq : doc_member(d, i, "sql", 3));

		page_clean(&v->invariants, message, strlen(message), VALUE_COLUMNS);
		buf_addstr(&v->invariants, x.jq ? "\njq " : "\n");
		page_clean(&v->invariants, what, strlen(what), VALUE_COLUMNS);
		buf_addch(&v->invariants, '\n');
		free(message);
		free(what);
	}
	diag_release(&unseen);
}

/* "author -> users 7 and 2 more" on a line of its own for each of the first links */
static void add_links(struct buf *out, const struct doc *d, uint32_t links)
{
	struct doc_walk w;
	uint32_t key;
	int n = 0;

	for (doc_walk_init(&w, d, links); n < MAX_LINKS && (key = doc_walk_next(&w)); n++) {
		uint32_t ids = doc_member(d, key + 1, "ids", 3);
		char *label = record_dup(d, key), *entity = record_dup(d, doc_member(d, key + 1, "entity", 6));
		char *id = record_dup(d, ids + 1);
		struct buf b = BUF_INIT;

		buf_addf(&b, "%s -> %s %s", label, entity, id);
		buf_addch(out, '\n');
		page_clean(out, b.s, b.len, VALUE_COLUMNS - 20);
		if (d->tok[ids].n > 1)
			buf_addf(out, " and %" PRIu32 " more", d->tok[ids].n - 1);
		buf_release(&b);
		free(label);
		free(entity);
		free(id);
	}
}

static void add_example(struct rows_view *v, struct count *c, const struct doc *d, const struct row_action *a)
{
	buf_reset(&v->text);
	page_clean(&v->text, a->id.s, a->id.n, ID_COLUMNS);
	if (a->data != DOC_NONE) {
		buf_addch(&v->text, ' ');
		shown_value(&v->text, d, a->data, false, VALUE_COLUMNS - v->text.len);
		add_links(&v->text, d, a->links);
	}
	count_example(c, v->text.s, v->text.len);
}

void rows_view_add(struct rows_view *v, const struct doc *d, const struct row_batch *b)
{
	uint32_t t = b->first;

	if (b->deletes)
		v->delete_batches++;
	else
		v->put_batches++;
	for (uint32_t i = 0; i < b->n; i++, t = d->tok[t].next) {
		struct row_action a = row_action_at(d, t, &v->arena);
		struct count *c = counts_add(b->deletes ? &v->deletes : &v->puts, a.entity.s, a.entity.n);

		if (c && !c->example[0])
			add_example(v, c, d, &a);
	}
}

/* Each entity with its count, and an example where there is room for one; returns the lines that are left. */
static size_t put_entities(const struct counts *c, struct page *p, size_t room)
{
	size_t shown = 0;

	for (; shown < c->n && room > 1; shown++, room--) {
		const char *s = c->v[shown].example[0];
		size_t rest = c->n - shown - 1;
		unsigned lines = 1;

		page_line(p, 1, "%" PRIu64 " x %s", c->v[shown].n, c->v[shown].key);
		for (; s && *s && room > rest + 2; lines++, room--) {
			size_t n = strcspn(s, "\n");

			page_line(p, 2, "%s%.*s", lines == 1 ? "e.g. " : "     ", (int)n, s);
			s += s[n] ? n + 1 : n;
		}
	}
	if (shown < c->n || c->others)
		page_line(p, 1, "and %zu more entities", c->n - shown + (c->others ? 1 : 0));
	return room;
}

/* What must hold, each with how it is asked. */
static size_t put_invariants(const struct rows_view *v, struct page *p, size_t room)
{
	const char *s = v->invariants.s;
	size_t n = 0;

	if (!v->invariants.len)
		return room;
	page_line(p, 0, "invariants that it will be held to");
	for (; *s; n++) {
		size_t message = strcspn(s, "\n"), what = strcspn(s + message + 1, "\n");

		if (n < MAX_INVARIANTS) {
			page_line(p, 1, "%.*s", (int)message, s);
			page_line(p, 2, "%.*s", (int)what, s + message + 1);
			room = room > 2 ? room - 2 : 0;
		}
		s += message + what + 2;
	}
	if (n > MAX_INVARIANTS)
		page_line(p, 1, "and %zu more", n - MAX_INVARIANTS);
	return room;
}

void rows_view_page(struct rows_view *v, struct page *p, size_t room)
{
	const struct row_totals *t = &v->totals;

	counts_sort(&v->puts);
	counts_sort(&v->deletes);
	room -= 5;
	if (v->puts.n || v->deletes.n)
		room = put_invariants(v, p, room > 8 ? room - 2 : room);
	/* a rollback plan leaves the rows to the backups */
	if (!v->puts.n && !v->deletes.n)
		page_line(p, 0, "undo %" PRIu64 " batches that put %" PRId64 " rows, %" PRIu64 " that deleted %" PRId64,
		          v->put_batches, t->puts, v->delete_batches, t->deletes);
	if (v->puts.n) {
		page_line(p, 0, "put %" PRIu64 " rows, batches: %" PRIu64, v->puts.total, v->put_batches);
		room = put_entities(&v->puts, p, v->deletes.n ? room - 2 : room);
	}
	if (v->deletes.n) {
		page_line(p, 0, "DELETE %" PRIu64 " rows, batches: %" PRIu64, v->deletes.total, v->delete_batches);
		put_entities(&v->deletes, p, room + 2);
	}
	page_line(p, 0,
	          "batches   %" PRId64 " rows at most, each is one transaction; what is replaced or deleted is kept",
	          t->batch);
	page_line(p, 0, "links     %" PRId64 ", %" PRId64 " of them may lead to rows that are not in these plans",
	          t->links, t->outside);
	if (t->duplicates)
		page_line(p, 0, "duplicate %" PRId64 " rows gave way to later ones with the same entity and id",
		          t->duplicates);
}

static void counts_json(struct rec *w, const char *name, const struct counts *c)
{
	struct rec in;

	rec_name(w, name);
	buf_addch(w->b, '[');
	for (size_t i = 0; i < c->n; i++) {
		if (i)
			buf_addch(w->b, ',');
		rec_open(&in, w->b);
		rec_int(&in, "count", (int64_t)c->v[i].n);
		rec_cstr(&in, "entity", c->v[i].key);
		rec_cstr(&in, "example", c->v[i].example[0] ? c->v[i].example[0] : "");
		rec_close(&in);
	}
	buf_addch(w->b, ']');
}

void rows_view_json(struct rows_view *v, struct buf *out)
{
	struct rec w;

	counts_sort(&v->puts);
	counts_sort(&v->deletes);
	rec_open(&w, out);
	rec_int(&w, "batch", v->totals.batch);
	rec_int(&w, "delete_batches", (int64_t)v->delete_batches);
	counts_json(&w, "deletes", &v->deletes);
	rec_int(&w, "duplicates", v->totals.duplicates);
	rec_int(&w, "links", v->totals.links);
	rec_int(&w, "outside", v->totals.outside);
	rec_int(&w, "put_batches", (int64_t)v->put_batches);
	counts_json(&w, "puts", &v->puts);
	rec_close(&w);
}
