/* outcome.c -- see outcome.h */
#include "outcome.h"

#include "redact.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const statuses[] = {
	[STEP_NOT_RUN] = "not_run", [STEP_APPLIED] = "applied", [STEP_SKIPPED] = "skipped",
	[STEP_FAILED] = "failed",   [STEP_UNDONE] = "undone",
};

const char *exit_name(enum mig_exit e)
{
	static const char *const names[] = {
		"ok", "general_error", "invalid_args", "precondition_failed", "validation_failed", "unsafe_operation"
	};

	return names[e];
}

void outcome_init(struct outcome *o, size_t nsteps)
{
	*o = (struct outcome){ .n = nsteps, .step = xcalloc(nsteps, sizeof *o->step), .ledger_seq = -1 };
}

void outcome_release(struct outcome *o)
{
	for (size_t i = 0; i < o->n; i++)
		free(o->step[i].message);
	free(o->step);
	free(o->started_at);
	*o = (struct outcome){ .ledger_seq = -1 };
}

void outcome_set(struct outcome *o, size_t i, enum step_status s, const char *fmt, ...)
{
	va_list ap;

	free(o->step[i].message);
	o->step[i] = (struct step_outcome){ .status = s };
	if (!fmt)
		return;
	va_start(ap, fmt);
	if (vasprintf(&o->step[i].message, fmt, ap) < 0)
		die(MIG_ERROR, "out of memory");
	va_end(ap);
}

void rows_tally_add(struct rows_tally *to, const struct rows_tally *more)
{
	to->added += more->added;
	to->changed += more->changed;
	to->same += more->same;
	to->deleted += more->deleted;
	to->absent += more->absent;
	to->links += more->links;
}

void findings_write(struct buf *out, const struct diag *d, size_t first, const char *component)
{
	char sep = '[';

	for (size_t i = first; i < d->n; i++) {
		const struct finding *f = &d->list[i];
		struct rec w;

		buf_addch(out, sep);
		sep = ',';
		rec_open(&w, out);
		rec_cstr(&w, "component", component);
		rec_cstr(&w, "message", f->message);
		if (f->where)
			rec_cstr(&w, "ref", f->where);
		rec_cstr(&w, "rule_id", f->rule);
		rec_cstr(&w, "severity", f->exit == MIG_OK ? "warn" : "error");
		rec_close(&w);
	}
	if (sep == '[')
		buf_addch(out, '[');
	buf_addch(out, ']');
}

static void put_safe(struct buf *out, const char *s)
{
	struct buf safe = BUF_INIT;

	redact_text(&safe, s, strlen(s));
	canon_string(out, safe.s, safe.len);
	buf_release(&safe);
}

static void steps_write(struct buf *out, const struct outcome *o, const struct plan *p)
{
	for (size_t i = 0; i < o->n; i++) {
		struct rec w;

		buf_addch(out, i ? ',' : '[');
		rec_open(&w, out);
		rec_int(&w, "index", p->step[i].index);
		rec_name(&w, "message");
		put_safe(out, o->step[i].message ? o->step[i].message : "");
		rec_cstr(&w, "status", statuses[o->step[i].status]);
		rec_str(&w, "step_id", p->step[i].step_id);
		rec_close(&w);
	}
	buf_addch(out, ']');
}

static void rows_write(struct buf *out, const struct outcome *o)
{
	struct rec w;

	rec_open(&w, out);
	rec_int(&w, "absent", o->rows.absent);
	rec_int(&w, "added", o->rows.added);
	rec_int(&w, "batches", (int64_t)o->n);
	rec_int(&w, "changed", o->rows.changed);
	rec_int(&w, "deleted", o->rows.deleted);
	rec_int(&w, "links", o->rows.links);
	rec_int(&w, "same", o->rows.same);
	rec_close(&w);
}

/* The code that the findings from first on add up to. */
static enum mig_exit exit_of(const struct diag *d, size_t first)
{
	struct diag own = { .list = d->list + first, .n = d->n - first };

	return diag_exit(&own);
}

void outcome_write(struct buf *out, const struct outcome *o, const struct plan *p, struct text actor,
                   struct text ticket, const struct diag *d, size_t first)
{
	enum mig_exit e = exit_of(d, first);
	size_t n;
	const char *header = doc_span(p->doc, doc_member(p->doc, p->root, "header", 6), &n);
	struct rec w, in;

	rec_open(&w, out);
	rec_str(&w, "actor", actor);
	rec_cstr(&w, "code", exit_name(e));
	rec_bool(&w, "dry_run", o->dry_run);
	rec_int(&w, "duration_ms", o->duration_ms);
	rec_name(&w, "findings");
	findings_write(out, d, first, "mig-apply");
	rec_raw(&w, "header", header, n);
	rec_cstr(&w, "kind", "outcome");
	rec_name(&w, "ledger");
	if (o->ledger_seq < 0) {
		buf_addstr(out, "null");
	} else {
		rec_open(&in, out);
		rec_cstr(&in, "head", o->ledger_head);
		rec_int(&in, "seq", o->ledger_seq);
		rec_close(&in);
	}
	rec_bool(&w, "ok", e == MIG_OK);
	rec_cstr(&w, "plan_hash", p->hash);
	rec_name(&w, "rollback");
	if (p->rollback_mode) {
		buf_addstr(out, "null");
	} else {
		rec_open(&in, out);
		rec_cstr(&in, "plan_hash", p->hash);
		rec_close(&in);
	}
	if (plan_of_rows(p)) {
		rec_name(&w, "rows");
		rows_write(out, o);
	}
	rec_cstr(&w, "started_at", o->started_at);
	rec_name(&w, "steps");
	steps_write(out, o, p);
	rec_str(&w, "ticket", ticket);
	rec_close(&w);
}
