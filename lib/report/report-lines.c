/* report-lines.c -- see report-lines.h */
#include "report-lines.h"

#include "shown.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void put_line(struct out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put_line(struct out *out, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die(MIG_ERROR, "out of memory");
	va_end(ap);
	stream_put(out, s, strlen(s));
	free(s);
}

/* The first lines: "migration-tool plan", the env line, the scope line. */
static void put_heading_lines(struct out *out, const char *mode, const struct header *h)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "migration-tool %s\n", mode);
	header_lines(h, &b);
	out_write(out, b.s, b.len);
	buf_release(&b);
}

static void put_plan(const struct report_views *v, const struct plan *p, struct out *out)
{
	if (v->plans.plans == 1)
		put_heading_lines(out, "plan", &v->plans.header);
	put_line(out, "plan_hash=%s steps=%zu rollback=%zu", p->hash, p->nstep, p->nundo);
}

static void put_outcome(const struct report_views *v, const struct record *x, struct out *out)
{
	char *hash = record_dup(x->doc, record_get(x, "plan_hash")), *code = shown_member(x->doc, 0, "code");

	if (v->outcomes.plans == 1)
		put_heading_lines(out, "apply", &v->outcomes.header);
	put_line(out, "plan_hash=%s ok=%s code=%s outcomes=%u", hash,
	         x->doc->tok[record_get(x, "ok")].type == DOC_TRUE ? "true" : "false", code,
	         x->doc->tok[record_get(x, "steps")].n);
	free(code);
	free(hash);
}

void report_lines_add(const struct report_views *v, const struct record *x, const struct plan *p, struct out *out)
{
	if (x->kind == KIND_PLAN || x->kind == KIND_PERMIT)
		put_plan(v, p, out);
	else if (x->kind == KIND_OUTCOME)
		put_outcome(v, x, out);
}

void report_lines_end(const struct report_views *v, struct out *out)
{
	const char *first = v->verdicts.findings.first;

	if (v->verdicts.failed)
		put_line(out, "verify validation_failed %s", first ? first : "unknown");
	else if (v->in->fault && strcmp(v->fault.tool, "mig-verify") == 0)
		put_line(out, "verify %s %s", exit_name(v->in->fault_exit), v->fault.code);
	else if (v->verdicts.any && report_views_digest(v))
		put_line(out, "verify ok");
	else if (!report_views_plans(v) && !v->history.entries && report_views_digest(v))
		put_line(out, "nothing to do");
}
