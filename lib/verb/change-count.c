/* change-count.c -- see change-count.h */
#include "change-count.h"

#include <stdlib.h>

void change_count_init(struct change_count *c)
{
	*c = (struct change_count){ .changes = 0 };
	tally_init(&c->seen);
}

void change_count_release(struct change_count *c)
{
	tally_release(&c->seen);
	buf_release(&c->last_ref);
	buf_release(&c->ref);
}

static int compare(struct text a, const struct buf *b)
{
	int c = memcmp(a.s, b->s ? b->s : "", a.n < b->len ? a.n : b->len);

	return c ? c : (a.n > b->len) - (a.n < b->len);
}

static int wrong(struct text ref, const char *rule, const char *what, struct diag *d)
{
	char *where = xmemdup(ref.s, ref.n);

	diag_add(d, MIG_INVALID, rule, where, "%s", what);
	free(where);
	return -1;
}

static int check_sum(const struct record *r, struct diag *d)
{
	char want[HEX_SIZE], is[HEX_SIZE];

	if (record_sum_holds(r->doc, 0, "sum", want, is))
		return 0;
	char *where = record_dup(r->doc, record_get(r, "ref"));

	diag_add(d, MIG_INVALID, "sum_mismatch", where, "the record was edited: its sum says %s, it has %s", want, is);
	free(where);
	return -1;
}

/* Count one object of mig-extract's stream, which comes after the one before. */
static int count_object(struct change_count *c, const struct doc *doc, uint32_t ref_tok, uint32_t hash, struct diag *d)
{
	buf_reset(&c->ref);
	struct text ref = record_text(doc, ref_tok, &c->ref), h = { "", 0 };

	if (c->index != c->of)
		return wrong(ref, "row_incomplete", "comes before all records of the row ahead of it have come", d);
	if (c->seen.n && compare(ref, &c->last_ref) <= 0)
		return wrong(ref, "ref_order", "out of order, or a second time", d);
	buf_reset(&c->last_ref);
	buf_add(&c->last_ref, ref.s, ref.n);
	if (doc->tok[hash].type == DOC_STRING)
		h = record_text(doc, hash, &c->ref); /* ref may be gone with it */
	tally_object(&c->seen, (struct text){ c->last_ref.s, c->last_ref.len }, h);
	return 0;
}

/* Count a row by the first of its records; the others follow, each once. */
static int count_row(struct change_count *c, const struct doc *doc, uint32_t from, struct diag *d)
{
	static const struct member m[] = { { "entity", IS_STR }, { "hash", IS_STR }, { "index", IS_NUM },
		                           { "of", IS_NUM },     { "ref", IS_STR },  { NULL, 0 } };
	uint32_t t[5];
	int64_t index, of;

	if (shape_check(doc, from, m, t, "from", NULL, d) < 0)
		return -1;
	buf_reset(&c->ref);
	if (!doc_int(doc, t[2], &index) || !doc_int(doc, t[3], &of) || index < 1 || index > of)
		return wrong(record_text(doc, t[4], &c->ref), "row_incomplete", "index and of are no counts", d);
	if (index == 1) {
		if (count_object(c, doc, t[4], t[1], d) < 0)
			return -1;
		c->changes++;
	} else if (index != c->index + 1 || of != c->of || !c->seen.n ||
	           compare(record_text(doc, t[4], &c->ref), &c->last_ref) != 0) {
		buf_reset(&c->ref);
		return wrong(record_text(doc, t[4], &c->ref), "row_incomplete",
		             "a record of the row is missing, or comes a second time", d);
	}
	c->index = index;
	c->of = of;
	return 0;
}

int change_count_add(struct change_count *c, const struct record *r, struct diag *d)
{
	bool change = r->kind == KIND_CHANGE;

	if (check_sum(r, d) < 0)
		return -1;
	if (change && r->at[CHANGE_FROM] != DOC_NONE)
		return count_row(c, r->doc, r->at[CHANGE_FROM], d);
	if (count_object(c, r->doc, record_get(r, "ref"), record_get(r, change ? "before" : "hash"), d) < 0)
		return -1;
	(*(change ? &c->changes : r->kind == KIND_CURRENT ? &c->current : &c->rejects))++;
	return 0;
}

int change_count_end(struct change_count *c, struct diag *d)
{
	return c->index == c->of ? 0 : change_count_refuse(c, "row_incomplete", "records of the row are missing", d);
}

int change_count_refuse(const struct change_count *c, const char *rule, const char *what, struct diag *d)
{
	return diag_add(d, MIG_INVALID, rule, c->last_ref.s, "%s", what);
}
