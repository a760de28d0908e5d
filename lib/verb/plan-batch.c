/* plan-batch.c -- see plan-batch.h */
#include "plan-batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void row_payload(struct buf *out, const struct row_head *head, struct text ref, struct text action)
{
	buf_reset(out);
	buf_add(out, (const char *)head, sizeof *head);
	buf_add(out, (const char *)&ref.n, sizeof ref.n);
	buf_add(out, ref.s, ref.n);
	buf_add(out, action.s, action.n);
}

void row_read(const char *p, size_t n, struct row_head *head, struct text *ref, struct text *action)
{
	memcpy(head, p, sizeof *head);
	memcpy(&ref->n, p + sizeof *head, sizeof ref->n);
	ref->s = p + sizeof *head + sizeof ref->n;
	action->s = ref->s + ref->n;
	action->n = n - (size_t)(action->s - p);
}

/* The batch that is being filled. */
struct filling {
	const struct batches *b;
	bool deletes;
	int64_t number, rows;
	struct buf actions; /* separated by commas */
	struct balance sums;
	struct buf id, name, description, checks, blob;
};

static void filling_release(struct filling *f)
{
	struct buf *bufs[] = { &f->actions, &f->id, &f->name, &f->description, &f->checks, &f->blob };

	balance_release(&f->sums);
	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		buf_release(bufs[i]);
}

/*
 * put 200 rows (upsert by entity and id: members of data are set, others stay): 150 posts, 50 users
 * delete 3 rows: 3 users
 */
static void describe(struct filling *f)
{
	struct buf *b = &f->description;

	buf_reset(b);
	buf_addf(b, "%s %" PRId64 " row%s", f->deletes ? "delete" : "put", f->rows, f->rows == 1 ? "" : "s");
	if (!f->deletes)
		buf_addstr(b, " (upsert by entity and id: members of data are set, others stay)");
	for (size_t i = 0; i < f->sums.n; i++)
		buf_addf(b, "%s%" PRIu64 " %s", i ? ", " : ": ", f->sums.v[i].count, f->sums.v[i].entity);
}

/* [{"check":"rows","count":150,"digest":H,"entity":"posts"},..]: what is deleted is there no more */
static void write_checks(struct filling *f)
{
	struct buf *b = &f->checks;
	char hex[HEX_SIZE];
	struct rec w;

	buf_reset(b);
	for (size_t i = 0; i < f->sums.n; i++) {
		const struct balance_sum *s = &f->sums.v[i];

		digest_spell(s->sum, hex);
		buf_addch(b, i ? ',' : '[');
		rec_open(&w, b);
		rec_cstr(&w, "check", "rows");
		rec_int(&w, "count", f->deletes ? 0 : (int64_t)s->count);
		rec_cstr(&w, "digest", hex);
		rec_cstr(&w, "entity", s->entity);
		rec_close(&w);
	}
	buf_addch(b, ']');
}

static struct text of(const struct buf *b)
{
	return (struct text){ b->s, b->len };
}

static void write_step(struct filling *f, const char *key)
{
	struct rec w, in;
	struct buf *b = &f->blob;

	rec_open(&w, b);
	rec_name(&w, "actions");
	buf_addch(b, '[');
	rec_open(&in, b);
	rec_str(&in, "name", of(&f->name));
	rec_cstr(&in, "op", "backup_rows");
	rec_close(&in);
	buf_add(b, f->actions.s, f->actions.len);
	buf_addch(b, ']');
	rec_str(&w, "description", of(&f->description));
	rec_cstr(&w, "idempotency_key", key);
	rec_name(&w, "index");
	buf_addch(b, '\0');
	rec_raw(&w, "postconditions", f->checks.s, f->checks.len);
	rec_raw(&w, "preconditions", "[]", 2);
	rec_str(&w, "step_id", of(&f->id));
	rec_cstr(&w, "type", f->deletes ? "cleanup" : "data");
	rec_close(&w);
}

/* Undoing a put deletes rows, so that it is a cleanup; undoing a delete is none. */
static void write_entry(struct filling *f, const char *key)
{
	const struct batches *x = f->b;
	struct rec w, in;
	struct buf *b = &f->blob, text = BUF_INIT;

	rec_open(&w, b);
	rec_name(&w, "actions");
	buf_addch(b, '[');
	rec_open(&in, b);
	rec_str(&in, "name", of(&f->name));
	rec_cstr(&in, "op", "restore_rows");
	rec_close(&in);
	buf_addch(b, ']');
	rec_name(&w, "data_safety");
	rec_open(&in, b);
	rec_str(&in, "note", x->note);
	rec_bool(&in, "reversible", x->reversible);
	rec_close(&in);
	buf_addf(&text, "undo: %s; %s", f->description.s,
	         f->deletes ? "puts the deleted rows back" : "puts replaced rows back, deletes those that were new");
	rec_str(&w, "description", of(&text));
	rec_cstr(&w, "idempotency_key", key);
	rec_name(&w, "index");
	buf_addch(b, '\0');
	rec_name(&w, "levers");
	buf_addch(b, '[');
	buf_add(b, x->levers.s, x->levers.n);
	buf_addch(b, ']');
	rec_name(&w, "postconditions");
	buf_addch(b, '[');
	rec_open(&in, b);
	rec_cstr(&in, "check", "restored");
	rec_str(&in, "name", of(&f->name));
	rec_close(&in);
	buf_addch(b, ']');
	rec_raw(&w, "preconditions", f->checks.s, f->checks.len);
	rec_cstr(&w, "previous_version", "0");
	rec_str(&w, "step_id", of(&f->id));
	rec_cstr(&w, "type", f->deletes ? "data" : "cleanup");
	rec_raw(&w, "undo", "[]", 2);
	rec_close(&w);
	buf_release(&text);
}

/* The batch is full, or the last of its kind. */
static int close_batch(struct filling *f)
{
	const struct rowplan_ask *a = f->b->ask;
	char key[HEX_SIZE];

	if (!f->rows)
		return 0;
	buf_reset(&f->name);
	buf_reset(&f->id);
	buf_addf(&f->name, "batch-%05" PRId64, ++f->number);
	buf_addf(&f->id, "%s:%s@0..%s", f->name.s, f->deletes ? "delete" : "put", a->target);
	plan_key(a->env, a->tenant, a->project, a->migration_id, of(&f->id), key);
	describe(f);
	write_checks(f);
	buf_reset(&f->blob);
	write_step(f, key);
	buf_addch(&f->blob, '\n'); /* canonical JSON has none: it parts the two */
	write_entry(f, key);
	f->rows = 0;
	buf_reset(&f->actions);
	balance_clear(&f->sums);
	return f->b->step(f->b->arg, &f->blob);
}

static int add_row(struct filling *f, struct text entity, const struct row_head *head, struct text action)
{
	if (f->rows && (f->rows == f->b->ask->batch || f->actions.len + action.n > BATCH_BYTES) && close_batch(f) < 0)
		return -1;
	f->rows++;
	buf_addch(&f->actions, ',');
	buf_add(&f->actions, action.s, action.n);
	balance_add(&f->sums, entity, f->deletes ? NULL : head->item);
	return 0;
}

/* Add the rows of one entity that are of the batch's kind. */
static int add_entity(struct filling *f, size_t place, struct diag *d)
{
	const struct segment *s = &f->b->segment[place];
	const char *name = f->b->entities->v[place].name, *p;
	struct row_head head;
	struct text from, action;
	size_t n;

	if ((f->deletes ? s->deletes : s->puts) == 0)
		return 0;
	if (spool_seek(f->b->rows, s->where, d) < 0)
		return -1;
	for (int64_t i = 0; i < s->puts + s->deletes; i++) {
		if (spool_next(f->b->rows, &p, &n, d) <= 0)
			return -1;
		row_read(p, n, &head, &from, &action);
		if ((head.kind == ROW_DELETE) == f->deletes &&
		    add_row(f, (struct text){ name, strlen(name) }, &head, action) < 0)
			return -1;
	}
	return 0;
}

int batches_write(const struct batches *b, struct diag *d)
{
	struct filling f = { .b = b, .sums = BALANCE_INIT };
	size_t *order = entities_order(b->entities), n = b->entities->n;
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_entity(&f, order[i], d);
	if (rc == 0)
		rc = close_batch(&f);
	f.deletes = true;
	for (size_t i = n; i-- > 0 && rc == 0;)
		rc = add_entity(&f, order[i], d);
	if (rc == 0)
		rc = close_batch(&f);
	free(order);
	filling_release(&f);
	return rc;
}
