/* rows.c -- see rows.h */
#include "rows.h"

#include "rowref.h"

#include <stdlib.h>

struct reading {
	const struct doc *d;
	const char *what, *where;
	struct diag *diag;
};

static int invalid(struct reading *r, const char *rule, const char *message)
{
	return diag_add(r->diag, MIG_INVALID, rule, r->where, "%s: %s", r->what, message);
}

/* A shape of our own plans that does not fit is a plan gone wrong, not a line that is no record. */
static bool has_shape(const struct doc *d, uint32_t t, const struct member *m, uint32_t *tok)
{
	struct diag quiet = DIAG_INIT;
	bool ok = shape_check(d, t, m, tok, "", NULL, &quiet) == 0;

	diag_release(&quiet);
	return ok;
}

struct row_action row_action_at(const struct doc *d, uint32_t t, struct buf *arena)
{
	uint32_t entity = doc_member(d, t, "entity", 6), id = doc_member(d, t, "id", 2);
	const struct text none = { NULL, 0 };

	buf_reset(arena);
	buf_reserve(arena, d->tok[t].len); /* both texts may be decoded into it, neither may move */
	return (struct row_action){
		.entity = entity && d->tok[entity].type == DOC_STRING ? record_text(d, entity, arena) : none,
		.id = id && d->tok[id].type == DOC_STRING ? record_text(d, id, arena) : none,
		.data = doc_member(d, t, "data", 4),
		.links = doc_member(d, t, "links", 5),
	};
}

bool row_links_fit(const struct doc *d, uint32_t links)
{
	static const struct member m[] = {
		{ "entity", IS_STR }, { "ids", IS_ARR }, { "outside", IS_BOOL | MAY_LACK }, { NULL, 0 }
	};
	struct doc_walk w;
	uint32_t key, t[3];

	for (doc_walk_init(&w, d, links); (key = doc_walk_next(&w));) {
		if (!has_shape(d, key + 1, m, t) || d->tok[t[1]].n == 0)
			return false;
		for (uint32_t e = t[1] + 1; e < d->tok[t[1]].next; e = d->tok[e].next)
			if (d->tok[e].type != DOC_STRING || d->tok[e].len == 2)
				return false;
	}
	return true;
}

/* ---- one batch ---- */

/* What the actions of a step come to, while they are read. */
struct adding {
	struct balance sums;
	struct buf arena, scratch, entity, id; /* entity, id: of the action before */
	bool any;
};

static void adding_release(struct adding *x)
{
	balance_release(&x->sums);
	buf_release(&x->arena);
	buf_release(&x->scratch);
	buf_release(&x->entity);
	buf_release(&x->id);
}

static int compare(struct text a, const struct buf *b)
{
	int c = memcmp(a.s, b->s, a.n < b->len ? a.n : b->len);

	return c ? c : (a.n > b->len) - (a.n < b->len);
}

static bool seen(const struct balance *b, struct text entity)
{
	for (size_t i = 0; i < b->n; i++)
		if (text_is(entity, b->v[i].entity))
			return true;
	return false;
}

/* Rows of one entity stand together, in the order of their ids, so each stands once. */
static bool follows(struct adding *x, const struct row_action *a)
{
	bool same = x->any && compare(a->entity, &x->entity) == 0;

	if (same ? compare(a->id, &x->id) <= 0 : seen(&x->sums, a->entity))
		return false;
	if (!same) {
		buf_reset(&x->entity);
		buf_add(&x->entity, a->entity.s, a->entity.n);
	}
	buf_reset(&x->id);
	buf_add(&x->id, a->id.s, a->id.n);
	x->any = true;
	return true;
}

static int read_action(struct reading *r, struct row_batch *b, struct adding *x, uint32_t t, bool known)
{
	static const struct member put[] = { { "data", IS_OBJ },  { "entity", IS_STR }, { "id", IS_STR },
		                             { "links", IS_OBJ }, { "op", IS_STR },     { NULL, 0 } };
	static const struct member gone[] = { { "entity", IS_STR }, { "id", IS_STR }, { "op", IS_STR }, { NULL, 0 } };
	const struct doc *d = r->d;
	uint32_t tok[5];

	if (!has_shape(d, t, b->deletes ? gone : put, tok) || !doc_says(d, t, "op", b->deletes ? "delete" : "put"))
		return invalid(r, "malformed_op",
		               b->deletes ? "an action is not {entity, id, op: delete}"
		                          : "an action is not {data, entity, id, links, op: put}");
	struct row_action a = row_action_at(d, t, &x->arena);

	if (!rowref_entity_valid(a.entity) || !rowref_id_valid(a.id))
		return invalid(r, "malformed_op", "an action's entity or id is empty or holds what none may hold");
	if (!b->deletes && !row_links_fit(d, a.links))
		return invalid(r, "malformed_op", "an action's links are not {label: {entity, ids}}");
	if (!follows(x, &a))
		return invalid(r, "bad_plan", "its rows are not in order, each once");
	unsigned char item[DIGEST_BYTES];

	if (!b->deletes && !known)
		balance_item(a.entity, a.id, d, a.data, a.links, &x->scratch, item);
	balance_add(&x->sums, a.entity, b->deletes || known ? NULL : item);
	return 0;
}

/* {"name":N,"op":"backup_rows"} or {"name":N,"op":"restore_rows"}: N, s NULL if it is none. */
static struct text named(const struct doc *d, uint32_t t, const char *op)
{
	static const struct member m[] = { { "name", IS_STR }, { "op", IS_STR }, { NULL, 0 } };
	uint32_t tok[2];

	if (!has_shape(d, t, m, tok) || !doc_says(d, t, "op", op) || d->tok[tok[0]].flags & DOC_ESCAPED)
		return (struct text){ NULL, 0 };
	return record_text(d, tok[0], NULL);
}

/* Split batch-00001:put; false if ref is none. */
static bool read_ref(struct row_batch *b, struct text ref, struct text *name)
{
	static const char lead[] = "batch-";
	const char *colon = memchr(ref.s, ':', ref.n);
	size_t n = colon ? (size_t)(colon - ref.s) : 0, i = sizeof lead - 1;
	struct text verb = { colon ? colon + 1 : NULL, colon ? ref.n - n - 1 : 0 };

	if (n < i + 5 || n > i + 15 || memcmp(ref.s, lead, i) != 0 ||
	    !(text_is(verb, "put") || text_is(verb, "delete")))
		return false;
	for (b->number = 0; i < n; i++) {
		if (ref.s[i] < '0' || ref.s[i] > '9')
			return false;
		b->number = b->number * 10 + ref.s[i] - '0';
	}
	b->deletes = text_is(verb, "delete");
	*name = (struct text){ ref.s, n };
	return b->number > 0;
}

/* [{"check":"rows","count":3,"digest":H,"entity":E},..] */
static bool checks_fit(const struct doc *d, uint32_t list)
{
	static const struct member m[] = {
		{ "check", IS_STR }, { "count", IS_NUM }, { "digest", IS_STR }, { "entity", IS_STR }, { NULL, 0 }
	};
	uint32_t t[4];

	for (uint32_t e = list + 1; e < d->tok[list].next; e = d->tok[e].next)
		if (!has_shape(d, e, m, t) || !doc_says(d, e, "check", "rows") || !record_is_hash(d, t[2]))
			return false;
	return d->tok[list].n > 0;
}

/* Is each check what the actions come to?  What is deleted is there no more. */
static bool checks_hold(const struct doc *d, const struct row_batch *b, const struct balance *sums, bool known)
{
	size_t i = 0;
	int64_t count;
	char hex[HEX_SIZE];

	if (d->tok[b->checks].n != sums->n)
		return false;
	for (uint32_t e = b->checks + 1; e < d->tok[b->checks].next; e = d->tok[e].next, i++) {
		const struct balance_sum *s = &sums->v[i];

		digest_spell(s->sum, hex);
		if (!doc_says(d, e, "entity", s->entity) || !doc_int(d, doc_member(d, e, "count", 5), &count) ||
		    (uint64_t)count != (b->deletes ? 0 : s->count) || (!known && !doc_says(d, e, "digest", hex)))
			return false;
	}
	return true;
}

static int read_rows(struct reading *r, struct row_batch *b, uint32_t actions, bool known)
{
	struct adding x = { .sums = BALANCE_INIT };
	int rc = 0;

	for (uint32_t t = b->first; rc == 0 && t < r->d->tok[actions].next; t = r->d->tok[t].next, b->n++)
		rc = read_action(r, b, &x, t, known);
	if (rc == 0 && b->n == 0)
		rc = invalid(r, "malformed_op", "it puts and deletes nothing");
	if (rc == 0 && !checks_hold(r->d, b, &x.sums, known))
		rc = invalid(r, "bad_plan", "its postconditions are not what its rows come to");
	adding_release(&x);
	return rc;
}

int rows_read_step(struct row_batch *b, const struct doc *d, struct text ref, uint32_t actions, uint32_t pre,
                   uint32_t post, bool known, const char *what, const char *where, struct diag *diag)
{
	struct reading r = { d, what, where, diag };
	struct text name;

	*b = (struct row_batch){ .any = true, .first = actions + 1, .checks = post };
	if (!read_ref(b, ref, &name))
		return invalid(&r, "bad_plan", "its step_id is not batch-<number>:put or :delete");
	if (d->tok[pre].n)
		return invalid(&r, "bad_plan", "rows are put and deleted without preconditions");
	if (!checks_fit(d, post))
		return invalid(&r, "bad_plan", "its postconditions are not \"rows\" checks");
	if (d->tok[actions].n && doc_says(d, b->first, "op", "backup_rows")) {
		b->backup = named(d, b->first, "backup_rows");
		if (!text_same(b->backup, name))
			return invalid(&r, "malformed_op", "its backup has another name than its batch");
		b->first = d->tok[b->first].next;
	}
	return read_rows(&r, b, actions, known);
}

int rows_read_entry(struct row_batch *b, const struct doc *d, struct text ref, uint32_t actions, uint32_t pre,
                    uint32_t post, const char *what, const char *where, struct diag *diag)
{
	static const struct member m[] = { { "check", IS_STR }, { "name", IS_STR }, { NULL, 0 } };
	struct reading r = { d, what, where, diag };
	struct text name;
	uint32_t t[2];

	*b = (struct row_batch){ .any = true, .checks = pre };
	if (!read_ref(b, ref, &name))
		return invalid(&r, "bad_plan", "its step_id is not batch-<number>:put or :delete");
	if (d->tok[actions].n == 1)
		b->backup = named(d, actions + 1, "restore_rows");
	if (!text_same(b->backup, name))
		return invalid(&r, "malformed_op", "expected one \"restore_rows\" action with the name of the batch");
	if (!checks_fit(d, pre))
		return invalid(&r, "bad_plan", "its preconditions are not \"rows\" checks");
	if (d->tok[post].n != 1 || !has_shape(d, post + 1, m, t) || !doc_says(d, post + 1, "check", "restored") ||
	    !doc_equals(d, t[1], name.s, name.n))
		return invalid(&r, "bad_plan", "expected one \"restored\" check with the name of the batch");
	return 0;
}

bool rows_inverse(const struct doc *d, const struct row_batch *s, const struct row_batch *u)
{
	size_t n, m;
	const char *a = doc_span(d, s->checks, &n), *b = doc_span(d, u->checks, &m);

	return n == m && memcmp(a, b, n) == 0 && s->number == u->number && s->deletes == u->deletes;
}

int rows_read_totals(struct row_totals *t, const struct doc *d, uint32_t rows, const char *where, struct diag *diag)
{
	static const struct member m[] = { { "balance", IS_ARR }, { "batch", IS_NUM },      { "deletes", IS_NUM },
		                           { "duplicates", IS_NUM }, { "invariants", IS_ARR | MAY_LACK },
		                           { "links", IS_NUM },   { "outside", IS_NUM },    { "puts", IS_NUM },
		                           { NULL, 0 } };
	static const struct member sum[] = {
		{ "count", IS_NUM }, { "digest", IS_STR }, { "entity", IS_STR }, { NULL, 0 }
	};
	uint32_t tok[8], u[3];
	int64_t *const number[] = { &t->batch, &t->deletes, &t->duplicates, NULL, &t->links, &t->outside, &t->puts };
	struct invariant v;
	int64_t count, all = 0;

	if (shape_check(d, rows, m, tok, "header.rows", where, diag) < 0)
		return -1;
	t->balance = tok[0];
	t->invariants = tok[4];
	for (uint32_t e = t->invariants + 1; t->invariants && e < d->tok[t->invariants].next; e = d->tok[e].next)
		if (invariant_read(&v, d, e, "header.rows.invariants", where, diag) < 0)
			return -1;
	for (size_t i = 0; i < 7; i++)
		if (number[i] && (!doc_int(d, tok[i + 1], number[i]) || *number[i] < 0))
			return diag_add(diag, MIG_USAGE, "bad_plan", where, "header.rows: a count is none");
	for (uint32_t e = t->balance + 1; e < d->tok[t->balance].next; e = d->tok[e].next) {
		if (shape_check(d, e, sum, u, "header.rows.balance", where, diag) < 0)
			return -1;
		if (!doc_int(d, u[0], &count) || count < 1 || !record_is_hash(d, u[1]))
			return diag_add(diag, MIG_USAGE, "bad_plan", where, "header.rows: the balance is malformed");
		all += count;
	}
	return all == t->puts ? 0
	                      : diag_add(diag, MIG_INVALID, "conservation", where,
	                                 "header.rows: the balance does not add up to its puts");
}
