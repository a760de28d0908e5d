/* invariant-jq.c -- see invariant-jq.h */
#include "invariant-jq.h"

#include "rowref.h"

#include <stdlib.h>

static void forget_programs(struct invariant_jq *x)
{
	for (size_t i = 0; i < x->n; i++)
		jqrun_free(x->prog[i]);
	free(x->prog);
	x->prog = NULL;
	x->n = 0;
	*x->hash = '\0';
}

void invariant_jq_release(struct invariant_jq *x)
{
	forget_programs(x);
	buf_release(&x->line);
	buf_release(&x->value);
	buf_release(&x->ref);
	doc_release(&x->there);
	doc_release(&x->row);
}

/* ---- programs ---- */

static int add_program(struct invariant_jq *x, const struct doc *doc, uint32_t jq, struct diag *d)
{
	char *text = record_dup(doc, jq);
	struct jqprog *prog = jqrun_compile(NULL, text, "invariant", d);

	free(text);
	if (!prog)
		return -1;
	x->prog = xrealloc(x->prog, x->n + 1, sizeof *x->prog);
	x->prog[x->n++] = prog;
	return 0;
}

int invariant_jq_read(struct invariant_jq *x, const struct doc *doc, uint32_t list, struct out *out, struct diag *d)
{
	char hash[HEX_SIZE] = "";
	struct invariant v;

	if (list)
		canon_hash(doc, list, DOC_NONE, hash);
	if (strcmp(hash, x->hash) == 0)
		return 0;
	forget_programs(x);
	for (uint32_t t = list + 1; list && t < doc->tok[list].next; t = doc->tok[t].next)
		if (invariant_read(&v, doc, t, "header.rows.invariants", NULL, d) < 0 ||
		    (v.jq && add_program(x, doc, v.jq, d) < 0))
			return -1;
	memcpy(x->hash, hash, HEX_SIZE);
	if (x->n)
		jqwatch_begin(out);
	return 0;
}

/* ---- a row ---- */

/* {"data":..,"entity":..,"id":..,"links":..}: the row as a program sees it */
static int read_row(struct invariant_jq *x, const struct row_action *a, struct text there, struct diag *d)
{
	size_t n;
	const char *s;
	struct rec w;

	buf_reset(&x->line);
	buf_add(&x->line, there.s, there.n);
	if (doc_parse(&x->there, x->line.s, x->line.len, RECORD_MAX_DEPTH) < 0)
		return diag_add(d, MIG_ERROR, "internal", NULL, "a row does not read back");
	buf_reset(&x->value);
	rec_open(&w, &x->value);
	s = doc_span(&x->there, doc_member(&x->there, 0, "data", 4), &n);
	rec_raw(&w, "data", s, n);
	rec_str(&w, "entity", a->entity);
	rec_str(&w, "id", a->id);
	s = doc_span(&x->there, doc_member(&x->there, 0, "links", 5), &n);
	rec_raw(&w, "links", s, n);
	rec_close(&w);
	if (doc_parse(&x->row, x->value.s, x->value.len, RECORD_MAX_DEPTH) == 0)
		return 0;
	return diag_add(d, MIG_ERROR, "internal", NULL, "a row does not read back");
}

/* The row is to be named where a program does not come back. */
static void watch(struct invariant_jq *x, const struct row_action *a)
{
	struct buf ref = BUF_INIT;

	rowref_write(&ref, a->entity, a->id);
	buf_reset(&x->ref);
	canon_string(&x->ref, ref.s, ref.len);
	jqwatch_document(x->ref.s, x->ref.len);
	buf_release(&ref);
}

/* Does the row hold to a program?  1; 0, and what it gave instead is in x->line; or -1. */
static int holds(struct invariant_jq *x, struct jqprog *prog, struct diag *d)
{
	struct jqrun_why why = { .reason = BUF_INIT };
	int rc = 0;

	buf_reset(&x->line);
	switch (jqwatch_run(prog, "an invariant", &x->row, &x->line, &why)) {
	case JQ_OK:
		rc = x->line.len == 4 && memcmp(x->line.s, "true", 4) == 0;
		break;
	case JQ_REJECT:
		buf_reset(&x->line);
		buf_add(&x->line, why.reason.s, why.reason.len);
		break;
	case JQ_FAULT:
		rc = diag_add(d, MIG_INVALID, why.code, "invariant", "%s", why.reason.s);
	}
	buf_release(&why.reason);
	return rc;
}

int invariant_jq_ask(struct invariant_jq *x, const struct doc *doc, uint32_t list, const struct row_action *a,
                     struct text there, void (*bad)(void *arg, uint32_t t, const char *is), void *arg,
                     struct diag *d)
{
	struct invariant v;
	size_t n = 0;

	if (x->n == 0)
		return 0;
	if (read_row(x, a, there, d) < 0)
		return -1;
	watch(x, a);
	for (uint32_t t = list + 1; t < doc->tok[list].next; t = doc->tok[t].next) {
		if (invariant_read(&v, doc, t, "header.rows.invariants", NULL, d) < 0)
			return -1;
		if (!v.jq)
			continue;
		struct jqprog *prog = x->prog[n++];
		int rc = doc_equals(doc, v.entity, a->entity.s, a->entity.n) ? holds(x, prog, d) : 1;

		if (rc < 0)
			return -1;
		if (rc == 0)
			bad(arg, t, x->line.s);
	}
	return 0;
}
