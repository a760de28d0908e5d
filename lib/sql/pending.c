/* pending.c -- see pending.h */
#include "pending.h"

#include "base.h"
#include "semver.h"

#include <stdlib.h>

void past_release(struct past *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->list[i].from);
		free(p->list[i].to);
		free(p->list[i].checksum);
		free(p->list[i].normalised);
	}
	free(p->list);
	*p = (struct past){ NULL, 0 };
}

/* The hop that leads to a version, from where it did if there is such; NULL if there is none. */
static const struct hop *hop_to(const struct sqlset *s, const struct past_hop *p)
{
	const struct hop *found = NULL;

	for (size_t i = 0; i < s->set->nhop; i++) {
		const struct hop *h = &s->set->hop[i];

		if (strcmp(h->to, p->to) == 0 && (!found || strcmp(h->from, p->from) == 0))
			found = h;
	}
	return found;
}

static bool is_past(const struct past *p, const char *to)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->list[i].to, to) == 0)
			return true;
	return false;
}

static bool is_version(const struct sqlset *s, const char *v)
{
	for (size_t i = 0; i < s->set->nhop; i++)
		if (strcmp(s->set->hop[i].from, v) == 0 || strcmp(s->set->hop[i].to, v) == 0)
			return true;
	return false;
}

static void check_content(const struct sqlhop *h, const struct past_hop *p, struct diag *d)
{
	const char *file = h->file[SQL_UP].name;

	if (strcmp(h->checksum, p->checksum) == 0)
		return;
	if (strcmp(h->normalised, p->normalised) == 0)
		diag_warn(d, "respelled", file, "other line ends or byte order mark than when it was applied");
	else if (strcmp(h->checksum, h->normalised) == 0 && strcmp(p->checksum, p->normalised) == 0)
		diag_add(d, MIG_INVALID, "changed_after_apply", file, "applied with checksum %s, is %s", p->checksum,
		         h->checksum);
	else
		diag_add(d, MIG_INVALID, "changed_after_apply", file,
		         "applied with checksum %s (%s without line ends), is %s (%s)", p->checksum, p->normalised,
		         h->checksum, h->normalised);
}

static void check_past(const struct sqlset *s, const struct past *past, bool late, struct diag *d)
{
	for (size_t i = 0; i < past->n; i++) {
		const struct past_hop *p = &past->list[i];
		const struct hop *h = hop_to(s, p);

		if (h)
			check_content(&s->hop[h - s->set->hop], p, d);
		else if (late)
			diag_warn(d, "missing_hop", NULL, "%s..%s is applied and not in the set", p->from, p->to);
		else {
			diag_hint(d, "--out-of-order goes on without it");
			diag_add(d, MIG_INVALID, "missing_hop", NULL, "%s..%s is applied and not in the set", p->from,
			         p->to);
		}
	}
}

/* The highest version that was reached. */
static const char *reached(const struct past *past)
{
	const char *best = past->list[0].to;

	for (size_t i = 1; i < past->n; i++)
		if (semver_compare(past->list[i].to, best) > 0)
			best = past->list[i].to;
	return best;
}

/* Do applied hops alone lead from root to v?  Hops are sorted, and each leads up. */
static bool leads_to(const struct sqlset *s, const struct past *past, const char *root, const char *v)
{
	bool *on = xcalloc(s->set->nhop + 1, sizeof *on), found = strcmp(root, v) == 0;

	for (size_t i = 0; i < s->set->nhop; i++) {
		const struct hop *h = &s->set->hop[i];

		on[i] = strcmp(h->from, root) == 0;
		for (size_t k = 0; k < i && !on[i]; k++)
			on[i] = on[k] && strcmp(s->set->hop[k].to, h->from) == 0;
		on[i] = on[i] && is_past(past, h->to);
		found = found || (on[i] && strcmp(h->to, v) == 0);
	}
	free(on);
	return found;
}

struct picked {
	size_t *hop, n;
};

static void pick(struct picked *p, size_t hop)
{
	p->hop = xrealloc(p->hop, p->n + 1, sizeof *p->hop);
	p->hop[p->n++] = hop;
}

/* The hops on the way to where the database is that are not applied. */
static void add_late(struct picked *picked, const struct sqlset *s, const struct past *past, const char *at,
                     bool late, struct diag *d)
{
	size_t n, first = d->n;
	bool known = is_version(s, past->list[0].from);
	const char *root = known ? past->list[0].from : sqlset_root(s, d);
	size_t *path = NULL;

	if (root && !leads_to(s, past, root, at))
		path = set_path(s->set, root, at, &n);
	if (late)
		diag_truncate(d, first);
	for (size_t i = 0; path && i < n; i++) {
		const struct hop *h = &s->set->hop[path[i]];

		if (is_past(past, h->to))
			continue;
		pick(picked, path[i]);
		if (late)
			diag_warn(d, "out_of_order", NULL, "%s is applied after %s", h->id, at);
		else
			diag_add(d, MIG_INVALID, "out_of_order", NULL, "%s is not applied, but %s is reached", h->id,
			         at);
	}
	free(path);
	if (picked->n && !late)
		diag_hint(d, "--out-of-order applies it all the same");
}

static int add_path(struct picked *picked, const struct sqlset *s, const struct past *past, const char *from,
                    const char *to, struct diag *d)
{
	size_t n, *path;

	if (strcmp(from, to) == 0)
		return 0;
	if (semver_compare(from, to) > 0) {
		diag_hint(d, "mig rollback --to %s leads back", to);
		return diag_add(d, MIG_INVALID, "no_path", NULL, "the database is at %s, beyond %s", from, to);
	}
	if (!(path = set_path(s->set, from, to, &n)))
		return diag_add(d, MIG_INVALID, "no_path", NULL,
		                "dependency not found: no hops lead from %s to %s", from, to);
	for (size_t i = 0; i < n; i++)
		if (!is_past(past, s->set->hop[path[i]].to))
			pick(picked, path[i]);
	free(path);
	return 0;
}

size_t *pending_find(const struct sqlset *s, const struct past *past, const char *target, bool late, size_t *n,
                     struct diag *d)
{
	struct picked picked = { xcalloc(1, sizeof *picked.hop), 0 };
	bool before = diag_exit(d) != MIG_OK;
	const char *at = past->n ? reached(past) : sqlset_root(s, d);

	check_past(s, past, late, d);
	if (past->n)
		add_late(&picked, s, past, at, late, d);
	if (at)
		add_path(&picked, s, past, at, target, d);
	else if (diag_exit(d) == MIG_OK)
		diag_add(d, MIG_INVALID, "no_path", NULL, "the set has no hops");
	*n = picked.n;
	if (before || diag_exit(d) == MIG_OK)
		return picked.hop;
	free(picked.hop);
	return NULL;
}
