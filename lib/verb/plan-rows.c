/* plan-rows.c -- see plan-rows.h */
#include "plan-rows.h"

#include "rowref.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MAX_NAMED = 20, MAX_WARNED = 5 };

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
static void note_way(struct rowplan *x, const struct doc *d, const struct record *r)
{
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

/* {"data":..,"entity":..,"id":..,"links":..,"op":"put"} */
static void write_action(struct rowplan *x, const struct record *r, bool put, struct text entity, struct text id)
{
	struct rec w;
	size_t n;
	const char *s;

	buf_reset(&x->action);
	rec_open(&w, &x->action);
	if (put) {
		s = doc_span(r->doc, record_get(r, "data"), &n);
		rec_raw(&w, "data", s, n);
	}
	rec_str(&w, "entity", entity);
	rec_str(&w, "id", id);
	if (put) {
		s = doc_span(r->doc, record_get(r, "links"), &n);
		rec_raw(&w, "links", s, n);
	}
	rec_cstr(&w, "op", put ? "put" : "delete");
	rec_close(&w);
}

/* after is the SHA-256 of {"data":D,"links":L}. */
static bool after_holds(struct rowplan *x, const struct record *r)
{
	char hex[HEX_SIZE];
	struct rec w;
	size_t n;
	const char *s = doc_span(r->doc, record_get(r, "data"), &n);

	buf_reset(&x->scratch);
	rec_open(&w, &x->scratch);
	rec_raw(&w, "data", s, n);
	s = doc_span(r->doc, record_get(r, "links"), &n);
	rec_raw(&w, "links", s, n);
	rec_close(&w);
	digest_hex(x->scratch.s, x->scratch.len, hex);
	return doc_equals(r->doc, record_get(r, "after"), hex, HEX_LEN);
}

static int bad(const char *where, struct diag *d, const char *what)
{
	return diag_add(d, MIG_INVALID, "bad_row", where, "%s", what);
}

int rowplan_add(struct rowplan *x, const struct record *r, const char *where, struct diag *d)
{
	const struct doc *doc = r->doc;
	bool put = doc_equals(doc, record_get(r, "op"), "put", 3), last = false;
	uint32_t links = record_get(r, "links"), policy = record_get(r, "duplicates");
	struct row_head head = { .kind = put ? ROW_PUT : ROW_DELETE };

	if (put != (links != DOC_NONE) || put != (record_get(r, "data") != DOC_NONE) || policy == DOC_NONE)
		return bad(where, d, "a put has data and links, a delete neither, both have duplicates");
	last = doc_equals(doc, policy, "last", 4);
	if ((x->any && last != x->last) || (!last && !doc_equals(doc, policy, "error", 5)))
		return bad(where, d, "duplicates is neither error nor last, or not that of the changes before");
	buf_reset(&x->arena);
	buf_reserve(&x->arena, 4 * doc->len); /* three texts are decoded into it, none may move */
	struct text entity = record_text(doc, record_get(r, "entity"), &x->arena);
	struct text ref = record_text(doc, record_get(r, "ref"), &x->arena);
	struct text from = record_text(doc, doc_member(doc, record_get(r, "from"), "ref", 3), &x->arena);
	size_t at = x->arena.len;

	if (!rowref_entity_valid(entity) || !rowref_id(ref, entity, &x->arena))
		return bad(where, d, "its ref is not its entity and an id");
	struct text id = { x->arena.s + at, x->arena.len - at };

	if (!rowref_id_valid(id) || (put && !row_links_fit(doc, links)))
		return bad(where, d, "its id or its links are malformed");
	if (put && !after_holds(x, r))
		return diag_add(d, MIG_INVALID, "hash_mismatch", where, "after is not the hash of its data and links");
	if (record_get(r, "invariants") != DOC_NONE)
		doc_int(doc, record_get(r, "invariants"), &x->invariants);
	x->any = true;
	x->last = last;
	note_way(x, doc, r);
	if (put)
		balance_item(entity, id, doc, record_get(r, "data"), links, &x->scratch, head.item);
	size_t place = entities_find(&x->entities, entity);

	if (put && want(x, doc, links, place, &head, ref, d) < 0)
		return -1;
	write_action(x, r, put, entity, id);
	row_payload(&x->payload, &head, from, (struct text){ x->action.s, x->action.len });
	return sorted_add(&x->sorted, make_key(x, entity, id), (struct text){ x->payload.s, x->payload.len }, d);
}

/* ---- each row once ---- */

/* What came under one key. */
struct group {
	struct buf key, row, wanted; /* the last row's payload; the ref of the first that wants it */
	struct buf first;            /* the ref of the source row of the first */
	size_t rows;
	bool is_wanted;
};

static void group_release(struct group *g)
{
	buf_release(&g->key);
	buf_release(&g->row);
	buf_release(&g->wanted);
	buf_release(&g->first);
}

static char *group_ref(const struct group *g)
{
	size_t n = strlen(g->key.s);
	struct buf b = BUF_INIT;

	rowref_write(&b, (struct text){ g->key.s, n }, (struct text){ g->key.s + n + 1, g->key.len - n - 1 });
	return buf_steal(&b);
}

/* Several rows: an error, or the last one counts. */
static void judge_duplicates(struct rowplan *x, const struct group *g, struct diag *d)
{
	struct row_head head;
	struct text from, action;
	char *ref = group_ref(g);

	row_read(g->row.s, g->row.len, &head, &from, &action);
	x->duplicates += (int64_t)g->rows - 1;
	if (!x->last && x->duplicates <= MAX_NAMED)
		diag_add(d, MIG_INVALID, "duplicate_row", ref, "made %zu times, first from %s, last from %.*s", g->rows,
		         g->first.s, (int)from.n, from.s);
	else if (x->last && x->duplicates <= MAX_WARNED)
		diag_warn(d, "duplicate_row", ref, "made %zu times: the last counts, from %.*s", g->rows, (int)from.n,
		          from.s);
	free(ref);
}

static void judge_wanted(struct rowplan *x, const struct group *g, struct diag *d)
{
	char *ref = group_ref(g);

	if (++x->dangling <= MAX_NAMED)
		diag_add(d, MIG_INVALID, "dangling_link", g->wanted.s, "leads to %s, which nothing here makes", ref);
	free(ref);
}

/* The group is complete: keep its row. */
static int close_group(struct rowplan *x, struct group *g, struct diag *d)
{
	struct row_head head = { .kind = ROW_WANTED };
	struct text from, action, entity = { g->key.s, g->key.len ? strlen(g->key.s) : 0 };

	if (!g->key.len)
		return 0;
	if (g->rows)
		row_read(g->row.s, g->row.len, &head, &from, &action);
	if (g->rows > 1)
		judge_duplicates(x, g, d);
	if (g->is_wanted && head.kind != ROW_PUT)
		judge_wanted(x, g, d);
	if (!g->rows)
		return 0;
	struct segment *s = &x->segment[entities_find(&x->entities, entity)];

	if (s->puts + s->deletes == 0)
		s->where = x->rows.size;
	if (head.kind == ROW_PUT) {
		s->puts++;
		x->puts++;
		x->links += head.links;
		x->outside += head.outside;
		balance_add(&x->balance, entity, head.item);
	} else {
		s->deletes++;
		x->deletes++;
	}
	return spool_add(&x->rows, g->row.s, g->row.len, d);
}

static void begin_group(struct group *g, struct text key)
{
	buf_reset(&g->key);
	buf_add(&g->key, key.s, key.n);
	g->rows = 0;
	g->is_wanted = false;
}

static void join_group(struct group *g, struct text payload)
{
	struct row_head head;
	struct text from, action;

	row_read(payload.s, payload.n, &head, &from, &action);
	if (head.kind == ROW_WANTED) {
		if (!g->is_wanted) {
			buf_reset(&g->wanted);
			buf_add(&g->wanted, from.s, from.n);
		}
		g->is_wanted = true;
		return;
	}
	if (g->rows++ == 0) {
		buf_reset(&g->first);
		buf_add(&g->first, from.s, from.n);
	}
	buf_reset(&g->row);
	buf_add(&g->row, payload.s, payload.n);
}

static int keep_rows(struct rowplan *x, struct diag *d)
{
	struct group g = { .rows = 0 };
	struct text key, payload;
	int rc;

	x->segment = xcalloc(x->entities.n, sizeof *x->segment);
	rc = sorted_begin(&x->sorted, d);
	while (rc >= 0 && (rc = sorted_next(&x->sorted, &key, &payload, d)) > 0) {
		if (!g.key.len || !text_same(key, (struct text){ g.key.s, g.key.len })) {
			if ((rc = close_group(x, &g, d)) < 0)
				break;
			begin_group(&g, key);
		}
		join_group(&g, payload);
	}
	if (rc == 0)
		rc = close_group(x, &g, d);
	group_release(&g);
	return rc;
}

/* How many more there are than were named. */
static int sum_up(const struct rowplan *x, struct diag *d)
{
	int64_t named = x->last ? MAX_WARNED : MAX_NAMED;

	if (x->last && x->duplicates)
		diag_warn(d, "duplicates", NULL, "%" PRId64 " rows gave way to later ones with the same entity and id",
		          x->duplicates);
	else if (x->duplicates > named)
		diag_warn(d, "more", NULL, "and %" PRId64 " more duplicates", x->duplicates - named);
	if (x->dangling > MAX_NAMED)
		diag_warn(d, "more", NULL, "and %" PRId64 " more links that lead nowhere", x->dangling - MAX_NAMED);
	return x->dangling || (x->duplicates && !x->last) ? -1 : 0;
}

int rowplan_finish(struct rowplan *x, const struct rowplan_ask *ask, int (*step)(void *arg, const struct buf *blob),
                   void *arg, struct diag *d)
{
	x->batch = ask->batch;
	if (keep_rows(x, d) < 0 || sum_up(x, d) < 0)
		return -1;
	const struct batches b = { .ask = ask,
		                   .rows = &x->rows,
		                   .entities = &x->entities,
		                   .segment = x->segment,
		                   .levers = { x->levers.s, x->levers.len },
		                   .note = { x->note.s ? x->note.s : "", x->note.len },
		                   .reversible = x->reversible,
		                   .step = step,
		                   .arg = arg };

	return batches_write(&b, d);
}

void rowplan_totals(const struct rowplan *x, struct text invariants, struct buf *out)
{
	struct rec w;

	rec_open(&w, out);
	rec_name(&w, "balance");
	balance_json(&x->balance, out);
	rec_int(&w, "batch", x->batch);
	rec_int(&w, "deletes", x->deletes);
	rec_int(&w, "duplicates", x->duplicates);
	if (invariants.s)
		rec_raw(&w, "invariants", invariants.s, invariants.n);
	rec_int(&w, "links", x->links);
	rec_int(&w, "outside", x->outside);
	rec_int(&w, "puts", x->puts);
	rec_close(&w);
}
