/* report-status.c -- see report-status.h */
#include "report-status.h"

#include "semver.h"
#include "shown.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { GROUPS_SHOWN = 10, BEGUN_SHOWN = 5 };

struct status_plan {
	char hash[HEX_SIZE];
	uint32_t group;             /* of its last commit */
	bool applied;
	bool begun;                 /* and neither finished nor undone since */
	bool pruned;                /* while applied */
	int64_t seq;                /* of its last commit, */
	char nonce[HEX_SIZE];       /* and of the permits that this came by: a run's commits share it */
	int64_t documents;
	struct history_row *begin;  /* while begun */
};

void status_view_release(struct status_view *v)
{
	for (size_t i = 0; i < v->nplan; i++)
		if (v->plan[i].begin) {
			history_row_release(v->plan[i].begin);
			free(v->plan[i].begin);
		}
	for (size_t i = 0; i < v->ngroup; i++) {
		history_row_release(&v->group[i].last);
		free(v->group[i].key);
	}
	free(v->plan);
	free(v->slot);
	free(v->group);
	free(v->head);
}

static uint32_t *slot_of(const struct status_view *v, const char *hash)
{
	size_t i = text_hash((struct text){ hash, strlen(hash) }) & (v->nslot - 1);

	while (v->slot[i] && strcmp(v->plan[v->slot[i] - 1].hash, hash) != 0)
		i = (i + 1) & (v->nslot - 1);
	return &v->slot[i];
}

static void grow(struct status_view *v)
{
	v->plancap = v->plancap ? v->plancap * 2 : 32;
	v->plan = xrealloc(v->plan, v->plancap, sizeof *v->plan);
	free(v->slot);
	v->nslot = v->plancap * 2;
	v->slot = xcalloc(v->nslot, sizeof *v->slot);
	for (size_t i = 0; i < v->nplan; i++)
		*slot_of(v, v->plan[i].hash) = (uint32_t)i + 1;
}

/* The plan of this hash, or NULL for what is none. */
static struct status_plan *plan_of(struct status_view *v, const char *hash)
{
	if (!hash || strlen(hash) != HEX_LEN)
		return NULL;
	if (v->nplan == v->plancap)
		grow(v);
	uint32_t *at = slot_of(v, hash);

	if (!*at) {
		v->plan[v->nplan] = (struct status_plan){ .applied = false };
		memcpy(v->plan[v->nplan].hash, hash, HEX_SIZE);
		*at = (uint32_t)++v->nplan;
	}
	return &v->plan[*at - 1];
}

static struct status_group *group_of(struct status_view *v, const struct history_row *w)
{
	struct buf key = BUF_INIT;

	history_row_name(w, &key);
	for (size_t i = 0; i < v->ngroup; i++)
		if (strcmp(v->group[i].key, key.s) == 0) {
			buf_release(&key);
			return &v->group[i];
		}
	v->group = xrealloc(v->group, v->ngroup + 1, sizeof *v->group);
	v->group[v->ngroup] = (struct status_group){ .key = buf_steal(&key) };
	return &v->group[v->ngroup++];
}

static void take_back(struct status_view *v, struct status_plan *p)
{
	if (!p || !p->applied)
		return;
	v->group[p->group].plans--;
	v->group[p->group].pruned -= p->pruned;
	v->group[p->group].documents -= (uint64_t)p->documents;
	p->applied = p->pruned = false;
}

static void prune(struct status_view *v, struct status_plan *p, bool pruned)
{
	if (!p || !p->applied || p->pruned == pruned)
		return;
	p->pruned = pruned;
	if (pruned)
		v->group[p->group].pruned++;
	else
		v->group[p->group].pruned--;
}

/* {"event":"prune","plans":[H,..]} */
static void prune_all(struct status_view *v, const struct record *r)
{
	uint32_t list = record_get(r, "plans");

	if (list == DOC_NONE || r->doc->tok[list].type != DOC_ARRAY)
		return;
	for (uint32_t t = list + 1; t < r->doc->tok[list].next; t = r->doc->tok[t].next) {
		char *hash = record_dup(r->doc, t);

		prune(v, plan_of(v, hash), true);
		free(hash);
	}
}

/* Moves w. */
static void commit(struct status_view *v, struct status_plan *p, struct history_row *w)
{
	take_back(v, p);
	struct status_group *g = group_of(v, w);

	p->group = (uint32_t)(g - v->group);
	p->applied = true;
	p->documents = w->documents;
	p->seq = w->seq;
	snprintf(p->nonce, sizeof p->nonce, "%s", w->nonce ? w->nonce : "");
	g->plans++;
	g->documents += (uint64_t)w->documents;
	history_row_release(&g->last);
	g->last = *w;
	*w = (struct history_row){ .time = NULL };
}

/* Keeps w while it is begun: moved, or released. */
static void set_begun(struct status_plan *p, struct history_row *w)
{
	if (p->begin) {
		history_row_release(p->begin);
		free(p->begin);
		p->begin = NULL;
	}
	p->begun = w != NULL;
	if (!w)
		return;
	p->begin = xcalloc(1, sizeof *p->begin);
	*p->begin = *w;
	*w = (struct history_row){ .time = NULL };
}

void status_view_add(struct status_view *v, const struct record *r)
{
	struct history_row w;

	if (r->kind != KIND_ENTRY)
		return;
	history_row_read(&w, r);
	struct status_plan *p = plan_of(v, w.plan_hash);

	v->entries++;
	v->seq = w.seq;
	free(v->head);
	v->head = shown_member(r->doc, 0, "hash");
	if (strcmp(w.event, "prune") == 0) {
		prune_all(v, r);
	} else if (p && strcmp(w.event, "begin") == 0) {
		prune(v, p, false); /* its originals are kept once more */
		set_begun(p, &w);
	} else if (p && strcmp(w.event, "commit") == 0) {
		set_begun(p, NULL);
		commit(v, p, &w);
	} else if (p && strcmp(w.event, "rollback") == 0) {
		set_begun(p, NULL);
		take_back(v, plan_of(v, w.undoes));
	} else if (p && strcmp(w.event, "undo") == 0) {
		set_begun(p, NULL);
	}
	history_row_release(&w);
}

struct standing_group {
	const struct status_group *g;
	const struct status_plan *newest; /* of those applied */
};

struct standing {
	uint64_t applied, begun;
	struct standing_group *group; /* those with applied plans, newest first */
	size_t n;
	bool lost; /* the last run was pruned, some of its plans at least */
};

static int newest_first(const void *a, const void *b)
{
	const struct standing_group *x = a, *y = b;
	int64_t left = x->newest ? x->newest->seq : 0, right = y->newest ? y->newest->seq : 0;

	return (left < right) - (left > right);
}

static struct standing standing_of(const struct status_view *v)
{
	struct standing s = { .group = xcalloc(v->ngroup + 1, sizeof *s.group) };

	for (size_t i = 0; i < v->ngroup; i++)
		s.group[i].g = &v->group[i];
	for (size_t i = 0; i < v->nplan; i++) {
		const struct status_plan *p = &v->plan[i];
		struct standing_group *g = p->applied ? &s.group[p->group] : NULL;

		if (g && (!g->newest || g->newest->seq < p->seq))
			g->newest = p;
		s.applied += p->applied;
		s.begun += p->begun;
	}
	if (v->ngroup)
		qsort(s.group, v->ngroup, sizeof *s.group, newest_first);
	while (s.n < v->ngroup && s.group[s.n].newest)
		s.n++;
	for (size_t i = 0; i < v->nplan && s.n; i++) {
		const struct status_plan *p = &v->plan[i];

		s.lost = s.lost || (p->pruned && &v->group[p->group] == s.group[0].g &&
		                    strcmp(p->nonce, s.group[0].newest->nonce) == 0);
	}
	return s;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Would going back to where g led, in its env and scope, undo plans of h? */
static bool leads_beyond(const struct status_group *g, const struct status_group *h)
{
	const struct history_row *a = &g->last, *b = &h->last;

	return a->target && b->target && semver_valid(a->target) && semver_valid(b->target) &&
	       semver_compare(b->target, a->target) > 0 && same_text(a->migration, b->migration) &&
	       same_text(a->env, b->env) && (!a->tenant || same_text(a->tenant, b->tenant)) &&
	       (!a->project || same_text(a->project, b->project));
}

/*
 * The last run is undone as such; what came before it by going back to where it
 * led.  The command as b, which is left empty where it would be refused, because
 * what it needs was pruned.
 */
static void name_undo(struct buf *b, const struct standing *s, size_t i)
{
	const struct status_group *g = s->group[i].g;
	bool newest = i == 0, lost = newest && s->lost;

	buf_reset(b);
	for (size_t k = 0; !newest && k < s->n; k++)
		lost = lost || (s->group[k].g->pruned && leads_beyond(g, s->group[k].g));
	if (lost)
		return;
	buf_addstr(b, "mig rollback --store STORE");
	history_row_flags(&g->last, b);
	if (!newest && g->last.migration && g->last.target)
		buf_addf(b, " --migration %s --to %s", g->last.migration, g->last.target);
	buf_addstr(b, " --apply");
}

static void put_group(struct page *p, struct buf *b, const struct standing *s, size_t i)
{
	const struct status_group *g = s->group[i].g;
	const struct history_row *w = &g->last;

	page_line(p, 0, "%s %s", w->time ? w->time : "?", g->key);
	page_line(p, 1, "%" PRIu64 " plan%s, %" PRIu64 " document%s, by %s%s%s", g->plans, g->plans == 1 ? "" : "s",
	          g->documents, g->documents == 1 ? "" : "s", w->actor ? w->actor : "?", w->ticket ? ", ticket " : "",
	          w->ticket ? w->ticket : "");
	if (g->pruned)
		page_line(p, 1, "pruned, not to be rolled back any more: %" PRIu64 " plan%s", g->pruned,
		          g->pruned == 1 ? "" : "s");
	name_undo(b, s, i);
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
	for (size_t i = 0; i < v->nplan; i++)
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
	const struct history_row *l = &g->last;
	struct rec w;

	rec_open(&w, out);
	rec_cstr(&w, "actor", l->actor);
	rec_int(&w, "documents", (int64_t)g->documents);
	rec_cstr(&w, "env", l->env);
	rec_cstr(&w, "migration_id", l->migration);
	name_undo(b, s, i);
	rec_cstr(&w, "next", b->len ? b->s : NULL);
	rec_int(&w, "plans", (int64_t)g->plans);
	rec_cstr(&w, "project", l->project);
	rec_int(&w, "pruned", (int64_t)g->pruned);
	rec_cstr(&w, "target_version", l->target);
	rec_cstr(&w, "tenant", l->tenant);
	rec_cstr(&w, "ticket", l->ticket);
	rec_cstr(&w, "time", l->time);
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
	for (size_t i = 0; i < v->nplan; i++) {
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
