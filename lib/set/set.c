/* set.c -- see set.h */
#include "set.h"

#include "form.h"
#include "semver.h"

#include <stdlib.h>
#include <string.h>

static void free_predicates(struct predicate *list)
{
	for (struct predicate *p = list; p && p->jq; p++) {
		free(p->jq);
		free(p->message);
	}
	free(list);
}

void set_free(struct set *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nhop; i++) {
		struct hop *h = &s->hop[i];

		free(h->id);
		free(h->from);
		free(h->to);
		free(h->type);
		free(h->description);
		form_free_texts(h->changes);
		free_predicates(h->before);
		free_predicates(h->after);
		form_free_texts(h->levers);
		free(h->note);
		free(h->up);
	}
	free(s->hop);
	free(s->id);
	free(s->entity);
	form_free_texts(s->match);
	free(s->version);
	free(s->version_default);
	form_free_texts(s->required);
	form_free_texts(s->immutable);
	free(s->history);
	free(s->backup_suffix);
	free(s->evidence.files);
	free(s->evidence.path);
	free(s->evidence.sha256);
	free(s->evidence.bytes);
	free(s->evidence.hash);
	free(s->evidence.id);
	free(s->lib);
	targets_free(s->targets);
	buf_release(&s->invariants);
	free(s);
}

/*
 * Breadth first over the hops.  came[i] is the hop before hop i on the way, or
 * nhop; a version is reached once, by the first hop that leads to it, and hops
 * are sorted, so among the shortest ways the smallest versions win.
 */
size_t *set_path(const struct set *s, const char *from, const char *to, size_t *n)
{
	size_t none = s->nhop, head = 0, tail = 0, last = none;
	size_t *queue = xcalloc(none, sizeof *queue), *came = xcalloc(none, sizeof *came), *path = NULL;

	for (size_t at = none; last == none; at = queue[head++]) {
		const char *v = at == none ? from : s->hop[at].to;

		for (size_t i = 0; i < none && last == none; i++) {
			bool known = strcmp(s->hop[i].to, from) == 0;

			if (strcmp(s->hop[i].from, v) != 0)
				continue;
			for (size_t q = 0; q < tail && !known; q++)
				known = strcmp(s->hop[queue[q]].to, s->hop[i].to) == 0;
			if (known)
				continue;
			came[i] = at;
			queue[tail++] = i;
			if (strcmp(s->hop[i].to, to) == 0)
				last = i;
		}
		if (head == tail)
			break;
	}
	if (last != none) {
		*n = 0;
		for (size_t i = last; i != none; i = came[i])
			++*n;
		path = xcalloc(*n, sizeof *path);
		for (size_t i = last, k = *n; i != none; i = came[i])
			path[--k] = i;
	}
	free(queue);
	free(came);
	return path;
}

const char *set_latest(const struct set *s)
{
	const char *best = NULL;

	for (size_t i = 0; i < s->nhop; i++)
		if (!best || semver_compare(s->hop[i].to, best) > 0)
			best = s->hop[i].to;
	return best;
}
