/* instant-held.c -- does what is there come to what was planned?  See instant-batch.h */
#include "instant-batch.h"

#include <stdlib.h>

/* {"body":"x","title":null}: what the action names.  A member that is not there is like one without a value. */
static void write_data(const struct instant_batch *b, const struct doc *there, const struct instant_row *r,
                       struct buf *out)
{
	struct doc_walk w;
	uint32_t key;
	char sep = '{';

	if (r->data == DOC_NONE) {
		buf_addstr(out, "{}");
		return;
	}
	for (doc_walk_init(&w, b->plan, r->data); (key = doc_walk_next(&w)); sep = ',') {
		char *name = record_dup(b->plan, key);
		uint32_t is = doc_member(there, r->there, name, strlen(name));

		buf_addch(out, sep);
		canon_value(out, b->plan, key, DOC_NONE);
		buf_addch(out, ':');
		/* the id was compared when the row was found, and may be spelled in another case */
		if (strcmp(name, "id") == 0)
			canon_value(out, b->plan, key + 1, DOC_NONE);
		else if (is == DOC_NONE)
			buf_addstr(out, "null");
		else
			canon_value(out, there, is, DOC_NONE);
		free(name);
	}
	buf_addstr(out, sep == '{' ? "{}" : "}");
}

/* {"entity":"users","ids":["7"]}: as the plan has it where the ids are the same */
static int write_link(const struct instant_batch *b, const struct doc *there, const struct instant_row *r, uint32_t key,
                      struct buf *out, struct diag *d)
{
	uint32_t planned = key + 1, entity = doc_member(b->plan, planned, "entity", 6);
	uint32_t outside = doc_member(b->plan, planned, "outside", 7);
	char *label = record_dup(b->plan, key);
	struct instant_ids is, want;
	bool ok = instant_ids_read(&is, there, doc_member(there, r->there, label, strlen(label)));

	free(label);
	if (!ok)
		return diag_add(d, MIG_INVALID, "bad_answer", NULL, "the answer has a link that is none");
	ok = instant_ids_read(&want, b->plan, doc_member(b->plan, planned, "ids", 3));
	if (ok && instant_ids_same(&is, &want)) {
		canon_value(out, b->plan, planned, DOC_NONE);
	} else {
		buf_addstr(out, "{\"entity\":");
		canon_value(out, b->plan, entity, DOC_NONE);
		buf_addstr(out, ",\"ids\":");
		instant_ids_write(&is, out);
		if (outside != DOC_NONE) {
			buf_addstr(out, ",\"outside\":");
			canon_value(out, b->plan, outside, DOC_NONE);
		}
		buf_addch(out, '}');
	}
	instant_ids_release(&is);
	instant_ids_release(&want);
	return 0;
}

static int write_links(const struct instant_batch *b, const struct doc *there, const struct instant_row *r,
                       struct buf *out, struct diag *d)
{
	struct doc_walk w;
	uint32_t key;
	int rc = 0;
	char sep = '{';

	if (r->links == DOC_NONE) {
		buf_addstr(out, "{}");
		return 0;
	}
	for (doc_walk_init(&w, b->plan, r->links); rc == 0 && (key = doc_walk_next(&w)); sep = ',') {
		buf_addch(out, sep);
		canon_value(out, b->plan, key, DOC_NONE);
		buf_addch(out, ':');
		rc = write_link(b, there, r, key, out, d);
	}
	buf_addstr(out, sep == '{' ? "{}" : "}");
	return rc;
}

int instant_row_write(const struct instant_batch *b, const struct instant_app *a, size_t i, struct buf *out,
                      struct diag *d)
{
	buf_addstr(out, "{\"data\":");
	write_data(b, &a->doc, &b->row[i], out);
	buf_addstr(out, ",\"links\":");
	int rc = write_links(b, &a->doc, &b->row[i], out, d);

	buf_addch(out, '}');
	return rc;
}

/* Add row i, as it is there, to the sums. */
static int add_row(const struct instant_batch *b, const struct instant_app *a, size_t i, struct balance *sums,
                   struct buf *text, struct doc *doc, struct diag *d)
{
	const char *entity = b->group[b->row[i].group].entity;
	struct buf arena = BUF_INIT, scratch = BUF_INIT;
	struct row_action action = row_action_at(b->plan, b->row[i].action, &arena);
	unsigned char item[DIGEST_BYTES];

	buf_reset(text);
	int rc = instant_row_write(b, a, i, text, d);

	if (rc == 0 && doc_parse(doc, text->s, text->len, RECORD_MAX_DEPTH) < 0)
		rc = diag_add(d, MIG_ERROR, "internal", NULL, "a row does not read back: %s", doc->err.reason);
	if (rc == 0) {
		balance_item(text_cstr(entity), action.id, doc, doc_member(doc, 0, "data", 4),
		             doc_member(doc, 0, "links", 5), &scratch, item);
		balance_add(sums, text_cstr(entity), b->step->rows.deletes ? NULL : item);
	}
	buf_release(&arena);
	buf_release(&scratch);
	return rc;
}

/* {"check":"rows","count":150,"digest":H,"entity":"posts"} */
static bool check_holds(const struct doc *d, uint32_t check, const struct balance *sums)
{
	int64_t count = -1;
	char hex[HEX_SIZE];

	doc_int(d, doc_member(d, check, "count", 5), &count);
	for (size_t i = 0; i < sums->n; i++) {
		if (!doc_says(d, check, "entity", sums->v[i].entity))
			continue;
		digest_spell(sums->v[i].sum, hex);
		return (uint64_t)count == sums->v[i].count && doc_says(d, check, "digest", hex);
	}
	return count == 0;
}

int instant_batch_holds(const struct instant_batch *b, const struct instant_app *a, const struct doc *plan,
                        uint32_t checks, struct diag *d)
{
	struct balance sums = BALANCE_INIT;
	struct buf text = BUF_INIT;
	struct doc doc = DOC_INIT;
	int rc = 0;
	bool holds = true;

	for (size_t i = 0; i < b->n && rc == 0; i++)
		if (b->row[i].there != DOC_NONE)
			rc = add_row(b, a, i, &sums, &text, &doc, d);
	for (uint32_t t = checks + 1; t < plan->tok[checks].next; t = plan->tok[t].next)
		holds = holds && check_holds(plan, t, &sums);
	balance_release(&sums);
	buf_release(&text);
	doc_release(&doc);
	return rc < 0 ? -1 : holds;
}
