/* report-status.c -- see report-status.h */
#include "report-status.h"

#include "semver.h"
#include "shown.h"

#include <inttypes.h>
#include <stdlib.h>

enum { GROUPS_SHOWN = 10, BEGUN_SHOWN = 5 };

static void put_group(struct page *p, struct buf *b, const struct standing *s, size_t i)
{
	const struct status_group *g = s->group[i].g;
	const struct status_plan *w = s->group[i].newest;

	page_line(p, 0, "%s %s", w->time ? w->time : "?", g->key);
	char *documents = g->documents == 0 ? xstrdup("") /* of a database */
	                                    : xasprintf(", %" PRIu64 " document%s", g->documents,
	                                                g->documents == 1 ? "" : "s");

	page_line(p, 1, "%" PRIu64 " plan%s%s, by %s%s%s", g->plans, g->plans == 1 ? "" : "s", documents,
	          w->actor ? w->actor : "?", w->ticket ? ", ticket " : "", w->ticket ? w->ticket : "");
	free(documents);
	if (g->pruned)
		page_line(p, 1, "pruned, not to be rolled back any more: %" PRIu64 " plan%s", g->pruned,
		          g->pruned == 1 ? "" : "s");
	buf_reset(b);
	standing_undo(s, i, b);
	if (b->len)
		page_words(p, i ? "  undo what came later " : "  undo the last run    ", b->s, " \\");
}

static void name_next(struct buf *b, const struct history_row *w)
{
	buf_reset(b);
	buf_addf(b, "mig %s --store STORE", w->undoes ? "rollback" : "apply");
	history_row_flags(w, b);
	buf_addf(b, w->undoes ? " --plan-hash %s --apply" : " --plan FILE --apply", w->undoes);
}

static void put_begun(struct page *p, struct buf *b, const struct status_plan *plan)
{
	const struct history_row *w = plan->begin;

	buf_reset(b);
	buf_addf(b, "%s %s", w->time ? w->time : "?", w->undoes ? "rollback of " : "");
	history_row_name(w, b);
	buf_addf(b, ", by %s", w->actor ? w->actor : "?");
	page_put(p, 0, b->s, b->len);
	page_line(p, 1, "plan %s", plan->hash);
	name_next(b, w);
	page_words(p, "  complete it          ", b->s, " \\");
}

void status_view_page(const struct status_view *v, struct page *p)
{
	struct standing s = standing_of(v);
	struct buf b = BUF_INIT;
	size_t shown = 0;

	page_heading(p, "STATUS: %" PRIu64 " plan%s applied, %" PRIu64 " begun and not committed", s.applied,
	             s.applied == 1 ? "" : "s", s.begun);
	page_line(p, 0, "ledger %s, entry %" PRId64, v->head ? v->head : "empty", v->seq);
	if (s.n)
		page_heading(p, "APPLIED, newest first");
	for (size_t i = 0; i < s.n && i < GROUPS_SHOWN; i++)
		put_group(p, &b, &s, i);
	if (s.n > GROUPS_SHOWN)
		page_line(p, 0, "and %zu older versions or scopes", s.n - GROUPS_SHOWN);
	if (s.begun)
		page_heading(p, "BEGUN AND NOT COMMITTED");
	for (size_t i = 0; i < v->hashes.n; i++)
		if (v->plan[i].begun && shown++ < BEGUN_SHOWN)
			put_begun(p, &b, &v->plan[i]);
	if (shown > BEGUN_SHOWN)
		page_line(p, 0, "and %zu more", shown - BEGUN_SHOWN);
	free(s.group);
	buf_release(&b);
}

static void group_json(const struct standing *s, size_t i, struct buf *out, struct buf *b)
{
	const struct status_group *g = s->group[i].g;
	const struct status_plan *newest = s->group[i].newest;
	const struct history_row *l = &g->last;
	struct rec w;

	rec_open(&w, out);
	rec_cstr(&w, "actor", newest->actor);
	rec_int(&w, "documents", (int64_t)g->documents);
	rec_cstr(&w, "env", l->env);
	rec_cstr(&w, "migration_id", l->migration);
	buf_reset(b);
	standing_undo(s, i, b);
	rec_cstr(&w, "next", b->len ? b->s : NULL);
	rec_int(&w, "plans", (int64_t)g->plans);
	rec_cstr(&w, "project", l->project);
	rec_int(&w, "pruned", (int64_t)g->pruned);
	rec_cstr(&w, "target_version", l->target);
	rec_cstr(&w, "tenant", l->tenant);
	rec_cstr(&w, "ticket", newest->ticket);
	rec_cstr(&w, "time", newest->time);
	rec_close(&w);
}

static void begun_json(const struct status_plan *plan, struct buf *out, struct buf *b)
{
	const struct history_row *l = plan->begin;
	struct rec w;

	rec_open(&w, out);
	rec_cstr(&w, "actor", l->actor);
	rec_cstr(&w, "env", l->env);
	rec_cstr(&w, "migration_id", l->migration);
	name_next(b, l);
	rec_cstr(&w, "next", b->s);
	rec_cstr(&w, "plan_hash", plan->hash);
	rec_cstr(&w, "target_version", l->target);
	rec_cstr(&w, "time", l->time);
	rec_cstr(&w, "undoes", l->undoes);
	rec_close(&w);
}

void status_view_json(const struct status_view *v, struct buf *out)
{
	struct standing s = standing_of(v);
	struct buf b = BUF_INIT;
	struct rec w, in;
	bool any = false;

	rec_open(&w, out);
	rec_name(&w, "applied");
	buf_addch(out, '[');
	for (size_t i = 0; i < s.n && i < GROUPS_SHOWN; i++) {
		if (i)
			buf_addch(out, ',');
		group_json(&s, i, out, &b);
	}
	buf_addch(out, ']');
	rec_name(&w, "begun");
	buf_addch(out, '[');
	for (size_t i = 0; i < v->hashes.n; i++) {
		if (!v->plan[i].begun)
			continue;
		if (any)
			buf_addch(out, ',');
		any = true;
		begun_json(&v->plan[i], out, &b);
	}
	buf_addch(out, ']');
	rec_name(&w, "ledger");
	rec_open(&in, out);
	rec_cstr(&in, "head", v->head);
	rec_int(&in, "seq", v->seq);
	rec_close(&in);
	rec_int(&w, "plans", (int64_t)s.applied);
	rec_close(&w);
	free(s.group);
	buf_release(&b);
}

static int64_t below(const struct version_view *v, const char *target)
{
	int64_t n = 0;

	for (size_t i = 0; i < v->n; i++) {
		const char *is = v->list[i].version;

		if (is && semver_valid(is) && semver_compare(is, target) < 0)
			n += v->list[i].count;
	}
	return n;
}

void status_pending_page(const struct version_view *v, const char *target, struct page *p)
{
	const char *to = target ? target : v->latest;
	int64_t n = target ? below(v, target) : v->pending;
	struct buf b = BUF_INIT;

	page_heading(p, "PENDING: %" PRId64 " of %" PRId64 " documents are not at %s yet", n, v->records,
	             to ? to : "any version of the set");
	if (n && to) {
		buf_addf(&b,
		         "mig plan --store STORE --set SET --env ENV --migration %s --target-version %s --plan FILE",
		         v->set_id ? v->set_id : "ID", to);
		page_words(p, "next  ", b.s, " \\");
	}
	buf_release(&b);
}
