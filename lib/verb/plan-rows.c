/* plan-rows.c -- see plan-rows.h */
#include "plan-rows.h"

#include "rowref.h"

#include <stdlib.h>

int rowplan_init(struct rowplan *x, struct diag *d)
{
	*x = (struct rowplan){ .sorted.file.fd = -1, .rows.fd = -1, .reversible = true };
	return sorted_init(&x->sorted, d) < 0 || spool_init(&x->rows, d) < 0 ? -1 : 0;
}

void rowplan_release(struct rowplan *x)
{
	struct buf *bufs[] = {
		&x->hops, &x->levers, &x->note, &x->key, &x->payload, &x->action, &x->arena, &x->scratch
	};

	sorted_release(&x->sorted);
	spool_release(&x->rows);
	entities_release(&x->entities);
	balance_release(&x->balance);
	free(x->segment);
	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		buf_release(bufs[i]);
}

/* ---- taking in ---- */

/* "stop a", "stop b" of all ways, each once: the elements of a JSON array. */
static void merge_levers(struct rowplan *x, const struct doc *d, uint32_t list)
{
	for (uint32_t t = list + 1; t < d->tok[list].next; t = d->tok[t].next) {
		size_t n;
		const char *s = doc_span(d, t, &n);

		if (x->levers.len && memmem(x->levers.s, x->levers.len, s, n))
			continue;
		if (x->levers.len)
			buf_addch(&x->levers, ',');
		buf_add(&x->levers, s, n);
	}
}

/* Most rows take the same hops: only the first of each way has something new to say. */
static void note_way(struct rowplan *x, const struct record *r)
{
	const struct doc *d = r->doc;
	size_t n;
	const char *hops = doc_span(d, record_get(r, "hops"), &n);
	uint32_t note = record_get(r, "data_safety");

	if (x->hops.len && memmem(x->hops.s, x->hops.len, hops, n))
		return;
	buf_add(&x->hops, hops, n);
	merge_levers(x, d, record_get(r, "levers"));
	buf_reset(&x->scratch);
	doc_string(d, note, &x->scratch);
	if (!x->note.len || !memmem(x->note.s, x->note.len, x->scratch.s, x->scratch.len)) {
		buf_addstr(&x->note, x->note.len ? "; " : "");
		buf_add(&x->note, x->scratch.s, x->scratch.len);
	}
	x->reversible = x->reversible && d->tok[record_get(r, "reversible")].type == DOC_TRUE;
}

/* The key under which a row is sorted: no entity holds a NUL. */
static struct text make_key(struct rowplan *x, struct text entity, struct text id)
{
	buf_reset(&x->key);
	buf_add(&x->key, entity.s, entity.n);
	buf_addch(&x->key, '\0');
	buf_add(&x->key, id.s, id.n);
	return (struct text){ x->key.s, x->key.len };
}

/* Sort in that row ref wants the ids of one link. */
static int want_ids(struct rowplan *x, const struct doc *doc, uint32_t ids, struct text to, struct text ref,
                    struct diag *d)
{
	const struct row_head head = { .kind = ROW_WANTED };
	struct buf id = BUF_INIT;
	int rc = 0;

	row_payload(&x->payload, &head, ref, (struct text){ "", 0 });
	for (uint32_t t = ids + 1; rc == 0 && t < doc->tok[ids].next; t = doc->tok[t].next) {
		buf_reset(&id);
		struct text key = make_key(x, to, record_text(doc, t, &id));

		rc = sorted_add(&x->sorted, key, (struct text){ x->payload.s, x->payload.len }, d);
	}
	buf_release(&id);
	return rc;
}

/* Count the links of row ref, and sort in what it wants, unless that may be elsewhere. */
static int want(struct rowplan *x, const struct doc *doc, uint32_t links, size_t from, struct row_head *head,
                struct text ref, struct diag *d)
{
	struct buf b = BUF_INIT;
	struct doc_walk w;
	uint32_t key;
	int rc = 0;

	for (doc_walk_init(&w, doc, links); rc == 0 && (key = doc_walk_next(&w));) {
		uint32_t entity = doc_member(doc, key + 1, "entity", 6), ids = doc_member(doc, key + 1, "ids", 3);
		bool outside = doc_member(doc, key + 1, "outside", 7) != DOC_NONE;

		head->links += doc->tok[ids].n;
		head->outside += outside ? doc->tok[ids].n : 0;
		buf_reset(&b);
		struct text to = record_text(doc, entity, &b);

		/* a row that may be elsewhere may be here as well, and then it comes first */
		entities_link(&x->entities, from, entities_find(&x->entities, to));
		rc = outside ? 0 : want_ids(x, doc, ids, to, ref, d);
	}
	buf_release(&b);
	return rc;
}

/* A change that puts or deletes; its texts are decoded into x->arena. */
struct taken {
	bool put;
	uint32_t data, links; /* DOC_NONE where it deletes */
	struct text entity, ref, from, id;
};

static void add_span(struct rec *w, const char *name, const struct doc *doc, uint32_t t)
{
	size_t n;
	const char *s = doc_span(doc, t, &n);

	rec_raw(w, name, s, n);
}

/* {"data":..,"entity":..,"id":..,"links":..,"op":"put"} */
static void write_action(struct rowplan *x, const struct doc *doc, const struct taken *c)
{
	struct rec w;

	buf_reset(&x->action);
	rec_open(&w, &x->action);
	if (c->put)
		add_span(&w, "data", doc, c->data);
	rec_str(&w, "entity", c->entity);
	rec_str(&w, "id", c->id);
	if (c->put)
		add_span(&w, "links", doc, c->links);
	rec_cstr(&w, "op", c->put ? "put" : "delete");
	rec_close(&w);
}

/* after is the SHA-256 of {"data":D,"links":L}. */
static bool after_holds(struct rowplan *x, const struct record *r, const struct taken *c)
{
	char hex[HEX_SIZE];
	struct rec w;

	buf_reset(&x->scratch);
	rec_open(&w, &x->scratch);
	add_span(&w, "data", r->doc, c->data);
	add_span(&w, "links", r->doc, c->links);
	rec_close(&w);
	digest_hex(x->scratch.s, x->scratch.len, hex);
	return doc_equals(r->doc, record_get(r, "after"), hex, HEX_LEN);
}

static int bad(const char *where, struct diag *d, const char *what)
{
	return diag_add(d, MIG_INVALID, "bad_row", where, "%s", what);
}

/* What becomes of duplicates: all changes say the same. */
static int take_policy(struct rowplan *x, const struct record *r, const char *where, struct diag *d)
{
	uint32_t policy = record_get(r, "duplicates");
	bool last = doc_equals(r->doc, policy, "last", 4);

	if ((x->any && last != x->last) || (!last && !doc_equals(r->doc, policy, "error", 5)))
		return bad(where, d, "duplicates is neither error nor last, or not that of the changes before");
	x->last = last;
	return 0;
}

static int read_change(struct rowplan *x, const struct record *r, struct taken *c, const char *where, struct diag *d)
{
	const struct doc *doc = r->doc;

	c->put = doc_equals(doc, record_get(r, "op"), "put", 3);
	c->data = record_get(r, "data");
	c->links = record_get(r, "links");
	if (c->put != (c->links != DOC_NONE) || c->put != (c->data != DOC_NONE) ||
	    record_get(r, "duplicates") == DOC_NONE)
		return bad(where, d, "a put has data and links, a delete neither, both have duplicates");
	if (take_policy(x, r, where, d) < 0)
		return -1;
	buf_reset(&x->arena);
	buf_reserve(&x->arena, 4 * doc->len); /* four texts are decoded into it, none may move */
	c->entity = record_text(doc, record_get(r, "entity"), &x->arena);
	c->ref = record_text(doc, record_get(r, "ref"), &x->arena);
	c->from = record_text(doc, doc_member(doc, record_get(r, "from"), "ref", 3), &x->arena);
	size_t at = x->arena.len;

	if (!rowref_entity_valid(c->entity) || !rowref_id(c->ref, c->entity, &x->arena))
		return bad(where, d, "its ref is not its entity and an id");
	c->id = (struct text){ x->arena.s + at, x->arena.len - at };
	if (!rowref_id_valid(c->id) || (c->put && !row_links_fit(doc, c->links)))
		return bad(where, d, "its id or its links are malformed");
	if (c->put && !after_holds(x, r, c))
		return diag_add(d, MIG_INVALID, "hash_mismatch", where, "after is not the hash of its data and links");
	return 0;
}

int rowplan_add(struct rowplan *x, const struct record *r, const char *where, struct diag *d)
{
	struct row_head head = { .kind = ROW_DELETE };
	struct taken c;

	if (read_change(x, r, &c, where, d) < 0)
		return -1;
	if (record_get(r, "invariants") != DOC_NONE)
		doc_int(r->doc, record_get(r, "invariants"), &x->invariants);
	x->any = true;
	note_way(x, r);
	size_t place = entities_find(&x->entities, c.entity);

	if (c.put) {
		head.kind = ROW_PUT;
		balance_item(c.entity, c.id, r->doc, c.data, c.links, &x->scratch, head.item);
		if (want(x, r->doc, c.links, place, &head, c.ref, d) < 0)
			return -1;
	}
	write_action(x, r->doc, &c);
	row_payload(&x->payload, &head, c.from, (struct text){ x->action.s, x->action.len });
	return sorted_add(&x->sorted, make_key(x, c.entity, c.id), (struct text){ x->payload.s, x->payload.len }, d);
}
