/* standing.c -- see standing.h */
#include "standing.h"

#include "semver.h"
#include "shown.h"

#include <stdio.h>
#include <stdlib.h>

static void forget_commit(struct status_plan *p)
{
	free(p->time);
	free(p->actor);
	free(p->ticket);
	p->time = p->actor = p->ticket = NULL;
}

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

void status_view_release(struct status_view *v)
{
	for (size_t i = 0; i < v->hashes.n; i++) {
		forget_commit(&v->plan[i]);
		if (v->plan[i].begin) {
			history_row_release(v->plan[i].begin);
			free(v->plan[i].begin);
		}
	}
	for (size_t i = 0; i < v->ngroup; i++) {
		history_row_release(&v->group[i].last);
		free(v->group[i].key);
	}
	free(v->plan);
	hashes_release(&v->hashes);
	free(v->group);
	free(v->head);
}

/* The plan of this hash, or NULL for what is none. */
static struct status_plan *plan_of(struct status_view *v, const char *hash)
{
	if (!hash || strlen(hash) != HEX_LEN)
		return NULL;
	int64_t at = hashes_find(&v->hashes, hash);

	if (at != HASHES_NONE)
		return &v->plan[at];
	size_t cap = v->hashes.cap, i = hashes_add(&v->hashes, hash);

	if (v->hashes.cap != cap)
		v->plan = xrealloc(v->plan, v->hashes.cap, sizeof *v->plan);
	struct status_plan *p = &v->plan[i];

	*p = (struct status_plan){ .applied = false };
	memcpy(p->hash, hash, HEX_SIZE);
	return p;
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
	forget_commit(p);
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
	p->time = copy(w->time);
	p->actor = copy(w->actor);
	p->ticket = copy(w->ticket);
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

static int newest_first(const void *a, const void *b)
{
	const struct standing_group *x = a, *y = b;
	int64_t left = x->newest ? x->newest->seq : 0, right = y->newest ? y->newest->seq : 0;

	return (left < right) - (left > right);
}

struct standing standing_of(const struct status_view *v)
{
	struct standing s = { .group = xcalloc(v->ngroup + 1, sizeof *s.group) };

	for (size_t i = 0; i < v->ngroup; i++)
		s.group[i].g = &v->group[i];
	for (size_t i = 0; i < v->hashes.n; i++) {
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
	for (size_t i = 0; i < v->hashes.n && s.n; i++) {
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

/* The last run is undone as such; what came before it by going back to where it led. */
void standing_undo(const struct standing *s, size_t i, struct buf *b)
{
	const struct status_group *g = s->group[i].g;
	bool newest = i == 0, lost = newest && s->lost;

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
