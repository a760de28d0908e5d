/* plan-rows-once.c -- each row once, in order: see rowplan_finish in plan-rows.h */
#include "plan-rows.h"

#include "rowref.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MAX_NAMED = 20, MAX_WARNED = 5 };

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
