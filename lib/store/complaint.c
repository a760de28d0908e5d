/* complaint.c -- see complaint.h */
#include "complaint.h"

enum { MAX_NAMED = 20 };

void complaints_release(struct complaints *l)
{
	buf_release(&l->json);
}

void complaints_reset(struct complaints *l)
{
	buf_reset(&l->json);
	l->n = l->failed = 0;
}

void complain(struct complaints *l, const struct complaint *c)
{
	bool counts = !c->note && (!c->warning || l->strict);
	struct rec w;

	buf_addch(&l->json, l->json.len ? ',' : '[');
	rec_open(&w, &l->json);
	if (c->actual)
		rec_cstr(&w, "actual", c->actual);
	rec_cstr(&w, "component", "mig-verify");
	if (c->diff)
		rec_raw(&w, "diff", c->diff->s, c->diff->len);
	if (c->expected)
		rec_cstr(&w, "expected", c->expected);
	rec_cstr(&w, "message", c->message);
	if (c->ref)
		rec_cstr(&w, "ref", c->ref);
	rec_cstr(&w, "rule_id", c->rule);
	rec_cstr(&w, "severity", counts ? "error" : c->note ? "info" : "warn");
	rec_close(&w);
	l->n++;
	if (c->note)
		return;
	l->failed += counts;
	if (++*(counts ? &l->errors : &l->warnings) > MAX_NAMED)
		return; /* the verdict has them all; stderr names the first */
	if (counts)
		diag_add(l->d, MIG_INVALID, c->rule, c->ref, "%s", c->message);
	else
		diag_warn(l->d, c->rule, c->ref, "%s", c->message);
}

void complaints_code(const struct complaints *l, struct rec *w)
{
	rec_cstr(w, "code", l->failed ? "validation_failed" : "ok");
}

void complaints_findings(const struct complaints *l, struct rec *w)
{
	rec_name(w, "findings");
	buf_add(w->b, l->json.len ? l->json.s : "[", l->json.len ? l->json.len : 1);
	buf_addch(w->b, ']');
}

static size_t unnamed(size_t n)
{
	return n > MAX_NAMED ? n - MAX_NAMED : 0;
}

void complaints_finish(struct complaints *l)
{
	size_t more = unnamed(l->errors) + unnamed(l->warnings);

	if (more)
		diag_warn(l->d, "more", NULL, "and %zu more findings", more);
}
