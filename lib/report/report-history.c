/* report-history.c -- see report-history.h */
#include "report-history.h"

#include "shown.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MAX_EVENTS = 32 };

void history_row_release(struct history_row *w)
{
	char *texts[] = { w->time,  w->event, w->env,    w->migration, w->target, w->tenant, w->project,
	                  w->actor, w->user,  w->ticket, w->plan_hash, w->undoes, w->reason, w->ref,
	                  w->kept,  w->code,  w->nonce,  w->from,      w->to,     w->before };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	*w = (struct history_row){ .time = NULL };
}

static int64_t count_texts(const struct record *r, const char *name)
{
	uint32_t list = record_get(r, name);
	int64_t n = 0;

	if (list == DOC_NONE || r->doc->tok[list].type != DOC_ARRAY)
		return 0;
	for (uint32_t t = list + 1; t < r->doc->tok[list].next; t = r->doc->tok[t].next)
		n += r->doc->tok[t].type == DOC_STRING;
	return n;
}

void history_row_read(struct history_row *w, const struct record *r)
{
	const struct doc *d = r->doc;

	*w = (struct history_row){
		.time = shown_member(d, 0, "time"),
		.event = shown_member(d, 0, "event"),
		.env = shown_member(d, 0, "env"),
		.migration = shown_member(d, 0, "migration_id"),
		.target = shown_member(d, 0, "target_version"),
		.tenant = shown_member(d, 0, "tenant"),
		.project = shown_member(d, 0, "project"),
		.actor = shown_member(d, 0, "actor"),
		.user = shown_member(d, 0, "user"),
		.ticket = shown_member(d, 0, "ticket"),
		.reason = shown_member(d, 0, "reason"),
		.plan_hash = shown_member(d, 0, "plan_hash"),
		.undoes = shown_member(d, 0, "undoes"),
		.ref = shown_member(d, 0, "ref"),
		.kept = shown_member(d, 0, "kept"),
		.code = shown_member(d, 0, "code"),
		.nonce = shown_member(d, 0, "nonce"),
		.before = shown_member(d, 0, "before"),
		.seq = int_member(d, 0, "seq"),
		.documents = count_texts(r, "written"),
		.duration_ms = int_member(d, 0, "duration_ms"),
		.findings = int_member(d, 0, "findings"),
		.plans = count_texts(r, "plans"),
		.objects = int_member(d, 0, "objects"),
	};
}

static bool is(const char *s, const char *value)
{
	return s && strcmp(s, value) == 0;
}

void history_row_name(const struct history_row *w, struct buf *out)
{
	if (!w->migration || !w->target || !w->env) {
		buf_addstr(out, w->plan_hash ? "a plan that is not kept here" : "the ledger");
		return;
	}
	buf_addf(out, "%s to %s in %s", w->migration, w->target, w->env);
	if (w->tenant || w->project)
		buf_addf(out, " (%s/%s)", w->tenant ? w->tenant : "-", w->project ? w->project : "-");
}

void history_row_flags(const struct history_row *w, struct buf *out)
{
	static char unknown[] = "ENV";
	const struct header h = { .env = w->env ? w->env : unknown, .tenant = w->tenant, .project = w->project };

	buf_addch(out, ' ');
	header_flags(&h, out);
}

/* A value for scripts: bare where a shell would read it as one plain word, else as JSON. */
static void put_value(struct buf *out, const char *name, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@/+-%";

	if (!value)
		return;
	buf_addf(out, " %s=", name);
	if (*value && strspn(value, plain) == strlen(value))
		buf_addstr(out, value);
	else
		canon_string(out, value, strlen(value));
}

static void put_number(struct buf *out, const char *name, int64_t n)
{
	if (n)
		buf_addf(out, " %s=%" PRId64, name, n);
}

/* seq=2 time=2025-01-01T00:00:00Z event=commit env=dev migration=manifest target=1.2.0 actor=ada .. */
static void put_line(struct buf *out, const struct history_row *w)
{
	buf_addf(out, "seq=%" PRId64, w->seq);
	put_value(out, "time", w->time);
	put_value(out, "event", w->event);
	put_value(out, "env", w->env);
	put_value(out, "migration", w->migration);
	put_value(out, "target", w->target);
	put_value(out, "tenant", w->tenant);
	put_value(out, "project", w->project);
	put_value(out, "actor", w->actor);
	put_value(out, "user", w->user);
	put_value(out, "ticket", w->ticket);
	put_value(out, "plan_hash", w->plan_hash);
	put_value(out, "undoes", w->undoes);
	put_number(out, "documents", w->documents);
	put_value(out, "before", w->before);
	put_number(out, "plans", w->plans);
	put_number(out, "objects", w->objects);
	put_number(out, "duration_ms", w->duration_ms);
	put_value(out, "code", w->code);
	put_number(out, "findings", w->findings);
	put_value(out, "from", w->from);
	put_value(out, "to", w->to);
	put_value(out, "ref", w->ref);
	put_value(out, "kept", w->kept);
	put_value(out, "reason", w->reason);
	buf_addch(out, '\n');
}

void history_view_init(struct history_view *v)
{
	*v = (struct history_view){ .entries = 0 };
	counts_init(&v->events, MAX_EVENTS);
}

void history_view_release(struct history_view *v)
{
	for (size_t i = 0; i < HISTORY_ROWS; i++)
		history_row_release(&v->row[i]);
	for (size_t i = 0; i < v->nheld; i++)
		history_row_release(&v->held[i]);
	counts_release(&v->events);
	buf_release(&v->lines);
	free(v->ref);
	free(v->from);
	free(v->to);
}

/* Moves w into the view. */
static void put_row(struct history_view *v, struct history_row *w)
{
	struct history_row *to = &v->row[v->nrow++ % HISTORY_ROWS];

	put_line(&v->lines, w);
	history_row_release(to);
	*to = *w;
}

static void drop_held(struct history_view *v, size_t i)
{
	v->nheld--;
	memmove(v->held + i, v->held + i + 1, (v->nheld - i) * sizeof *v->held);
}

/* A begin waits for the word on what became of it. */
static void hold(struct history_view *v, const struct history_row *w)
{
	if (v->nheld == HISTORY_HELD) {
		put_row(v, &v->held[0]);
		drop_held(v, 0);
	}
	v->held[v->nheld++] = *w;
}

static void settle(struct history_view *v, const struct history_row *w)
{
	bool aside = is(w->event, "verify") || is(w->event, "conflict"); /* the plan stays begun */

	for (size_t i = 0; i < v->nheld && w->plan_hash && !aside; i++)
		if (is(v->held[i].plan_hash, w->plan_hash)) {
			history_row_release(&v->held[i]);
			drop_held(v, i);
			break;
		}
	for (size_t i = 0; i < HISTORY_ROWS && w->undoes && is(w->event, "rollback"); i++)
		if (is(v->row[i].plan_hash, w->undoes))
			v->row[i].undone = true;
}

static void take_step(struct history_view *v, const struct record *r)
{
	free(v->ref);
	free(v->from);
	free(v->to);
	v->ref = shown_member(r->doc, 0, "ref");
	v->from = shown_member(r->doc, 0, "from_version");
	v->to = shown_member(r->doc, 0, "to_version");
}

void history_view_add(struct history_view *v, const struct record *r)
{
	struct history_row w;

	if (r->kind == KIND_STEP) {
		take_step(v, r);
		return;
	}
	history_row_read(&w, r);
	w.from = v->from;
	w.to = v->to;
	v->from = v->to = NULL;
	v->entries++;
	counts_add(&v->events, w.event, strlen(w.event));
	settle(v, &w);
	if (is(w.event, "begin"))
		hold(v, &w);
	else
		put_row(v, &w);
}

void history_view_finish(struct history_view *v)
{
	for (; v->nheld; drop_held(v, 0))
		put_row(v, &v->held[0]);
}

/* The i-th of the rows that are kept, oldest first. */
static size_t kept(const struct history_view *v)
{
	return v->nrow < HISTORY_ROWS ? (size_t)v->nrow : HISTORY_ROWS;
}

static const struct history_row *row_at(const struct history_view *v, size_t i)
{
	return &v->row[(v->nrow - kept(v) + i) % HISTORY_ROWS];
}

/* "3 plans and 11 originals" */
static void name_pruned(const struct history_row *w, struct buf *out)
{
	buf_addf(out, "%" PRId64 " plan%s and %" PRId64 " original%s", w->plans, w->plans == 1 ? "" : "s",
	         w->objects, w->objects == 1 ? "" : "s");
}

/* "2025-01-01T00:00:00Z commit   79b8291f4c9f manifest 1.2.0 dev acme/site: 115 documents, ada, T-1" */
static void put_entry(struct page *p, struct buf *b, const struct history_row *w)
{
	buf_reset(b);
	buf_addf(b, "%-20s %-8s %-12.12s ", w->time ? w->time : "?", w->event, w->plan_hash ? w->plan_hash : "-");
	if (w->migration && w->target && w->env)
		buf_addf(b, "%s %s %s", w->migration, w->target, w->env);
	else if (w->before)
		name_pruned(w, b);
	else
		history_row_name(w, b);
	if (w->tenant || w->project)
		buf_addf(b, " %s/%s", w->tenant ? w->tenant : "-", w->project ? w->project : "-");
	buf_addstr(b, ": ");
	if (w->code)
		buf_addf(b, "%s, ", w->code);
	if (w->documents)
		buf_addf(b, "%" PRId64 " document%s, ", w->documents, w->documents == 1 ? "" : "s");
	buf_addstr(b, w->actor ? w->actor : "?");
	if (w->ticket)
		buf_addf(b, ", %s", w->ticket);
	page_put(p, 0, b->s, b->len);
}

/* What one entry did to the document. */
static void put_cause(struct page *p, struct buf *b, const struct history_row *w)
{
	buf_reset(b);
	buf_addf(b, "%s %s: %s -> %s, ", w->time, w->event, w->from, w->to);
	history_row_name(w, b);
	page_put(p, 0, b->s, b->len);
	page_line(p, 1, "by     %s (user %s)%s%s", w->actor, w->user, w->ticket ? ", ticket " : "",
	          w->ticket ? w->ticket : "");
	if (w->reason)
		page_line(p, 1, "reason %s", w->reason);
	if (w->code)
		page_line(p, 1, "found  %s", w->code);
	if (w->kept)
		page_line(p, 1, "kept   %s", w->kept);
	page_line(p, 1, "plan   %s", w->plan_hash);
	if (w->undoes)
		page_line(p, 1, "undoes %s", w->undoes);
	if (w->undone)
		page_line(p, 1, "since undone");
}

static void put_undo(struct page *p, struct buf *b, const struct history_row *w)
{
	buf_reset(b);
	buf_addstr(b, "mig rollback --store STORE");
	history_row_flags(w, b);
	buf_addf(b, " --plan-hash %s --apply", w->plan_hash);
	page_words(p, "  undo   ", b->s, " \\");
}

static void put_causes(const struct history_view *v, struct page *p, struct buf *b)
{
	size_t n = kept(v), shown = 0;
	bool offered = false; /* what is beneath cannot be undone before it */

	page_heading(p, "WHY %s is as it is, newest first", v->ref);
	for (size_t i = n; i-- > 0 && shown < HISTORY_CAUSES;)
		if (row_at(v, i)->from) {
			const struct history_row *w = row_at(v, i);

			put_cause(p, b, w);
			shown++;
			if (!offered && is(w->event, "commit") && !w->undone) {
				put_undo(p, b, w);
				offered = true;
			}
		}
}

void history_view_page(const struct history_view *v, struct page *p)
{
	struct buf b = BUF_INIT;
	size_t n = kept(v);

	page_heading(p, "HISTORY of %" PRIu64 " entr%s", v->entries, v->entries == 1 ? "y" : "ies");
	if (v->nrow > n)
		page_line(p, 0, "%" PRIu64 " earlier ones: --format text or json shows them all", v->nrow - n);
	for (size_t i = 0; i < n; i++)
		put_entry(p, &b, row_at(v, i));
	if (v->ref)
		put_causes(v, p, &b);
	buf_release(&b);
}

static void row_json(const struct history_row *w, struct buf *out)
{
	struct rec r;

	rec_open(&r, out);
	rec_cstr(&r, "actor", w->actor);
	rec_cstr(&r, "code", w->code);
	rec_int(&r, "documents", w->documents);
	rec_cstr(&r, "env", w->env);
	rec_cstr(&r, "event", w->event);
	rec_cstr(&r, "from", w->from);
	rec_cstr(&r, "migration_id", w->migration);
	rec_cstr(&r, "plan_hash", w->plan_hash);
	rec_cstr(&r, "project", w->project);
	rec_cstr(&r, "reason", w->reason);
	rec_int(&r, "seq", w->seq);
	rec_cstr(&r, "target_version", w->target);
	rec_cstr(&r, "tenant", w->tenant);
	rec_cstr(&r, "ticket", w->ticket);
	rec_cstr(&r, "time", w->time);
	rec_cstr(&r, "to", w->to);
	rec_cstr(&r, "undoes", w->undoes);
	rec_bool(&r, "undone", w->undone);
	rec_cstr(&r, "user", w->user);
	rec_close(&r);
}

void history_view_json(const struct history_view *v, struct buf *out)
{
	struct rec w;

	rec_open(&w, out);
	rec_int(&w, "entries", (int64_t)v->entries);
	rec_name(&w, "events");
	buf_addch(out, '[');
	for (size_t i = 0; i < v->events.n; i++) {
		struct rec e;

		if (i)
			buf_addch(out, ',');
		rec_open(&e, out);
		rec_int(&e, "count", (int64_t)v->events.v[i].n);
		rec_cstr(&e, "event", v->events.v[i].key);
		rec_close(&e);
	}
	buf_addch(out, ']');
	rec_cstr(&w, "ref", v->ref);
	rec_name(&w, "rows");
	buf_addch(out, '[');
	for (size_t i = 0; i < kept(v); i++) {
		if (i)
			buf_addch(out, ',');
		row_json(row_at(v, i), out);
	}
	buf_addch(out, ']');
	rec_int(&w, "rows_before", (int64_t)(v->nrow - kept(v)));
	rec_close(&w);
}
