/* detour.c -- see detour.h */
#include "detour.h"

#include "patch.h"
#include "pointer.h"
#include "set-program.h"
#include "shown.h"

#include <stdlib.h>

enum { DIFF_LINES = 20, STEPS = 1 << 16, TOGETHER = 16 };

/* ---- all paths from one version ---- */

struct search {
	const struct set *set;
	const char *target;
	const bool *leads; /* for each hop: can the target be reached behind it? */
	size_t *path, n;
	struct detour_list *found;
	size_t steps;      /* a graph may have many dead ends and few paths */
};

/* Which hops lead to the target, also by way of others: a new array. */
static bool *leading(const struct set *s, const char *target)
{
	bool *leads = xcalloc(s->nhop, sizeof *leads), more = true;

	for (size_t i = 0; i < s->nhop; i++)
		leads[i] = strcmp(s->hop[i].to, target) == 0;
	while (more) {
		more = false;
		for (size_t i = 0; i < s->nhop; i++)
			for (size_t k = 0; k < s->nhop && !leads[i]; k++)
				more |= leads[i] = leads[k] && strcmp(s->hop[i].to, s->hop[k].from) == 0;
	}
	return leads;
}

/* Has the path been at a version already? */
static bool visited(const struct search *x, const char *version)
{
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->set->hop[x->path[i]].from, version) == 0)
			return true;
	return false;
}

static void keep(struct search *x)
{
	struct detour_list *l = x->found;
	struct detour *p;

	l->list = xrealloc(l->list, l->n + 1, sizeof *l->list);
	p = &l->list[l->n++];
	*p = (struct detour){ .path = xcalloc(x->n, sizeof *p->path), .n = x->n };
	memcpy(p->path, x->path, x->n * sizeof *p->path);
}

/* Depth first, hops in the set's order: 0, or -1 where there are too many. */
static int search(struct search *x, const char *at)
{
	if (strcmp(at, x->target) == 0) {
		keep(x);
		return x->found->n > DETOUR_PATHS ? -1 : 0;
	}
	for (size_t i = 0; i < x->set->nhop; i++) {
		const struct hop *h = &x->set->hop[i];

		if (strcmp(h->from, at) != 0 || !x->leads[i])
			continue;
		x->path[x->n++] = i;
		int rc = visited(x, h->to) ? 0 : ++x->steps > STEPS ? -1 : search(x, h->to);

		x->n--;
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* ---- programs ---- */

static void free_detour(struct detour *p)
{
	free(p->path);
	free(p->name);
	jqrun_free(p->prog);
}

/* The way itself is compared with, not a detour. */
static void drop_way(struct detour_list *l, const struct way *way)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].n == way->n &&
		    memcmp(l->list[i].path, way->path, way->n * sizeof *way->path) == 0) {
			free_detour(&l->list[i]);
			memmove(&l->list[i], &l->list[i + 1], (--l->n - i) * sizeof *l->list);
			return;
		}
}

static void name_detour(const struct set *s, struct detour *p)
{
	struct buf name = BUF_INIT;

	for (size_t i = 0; i < p->n; i++)
		buf_addf(&name, "%s%s", i ? " " : "", s->hop[p->path[i]].id);
	p->name = buf_steal(&name);
}

static char *program(const struct set *s, const struct detour *p)
{
	struct buf text = BUF_INIT;

	set_program(s, p->path, p->n, &text);
	return buf_steal(&text);
}

/* It does not compile: name what is at fault, or the path where it is none of its parts. */
static int blame(const struct set *s, const struct detour *p, const char *text, struct diag *d)
{
	size_t first = d->n;

	set_program_blame(s, p->path, p->n, d);
	if (d->n == first)
		jqrun_free(jqrun_compile(s->lib, text, p->name, d));
	return -1;
}

static int compile_one(const struct set *s, struct detour *p, const char *text, struct diag *d)
{
	struct diag quiet = DIAG_INIT;

	p->prog = jqrun_compile(s->lib, text, p->name, &quiet);
	diag_release(&quiet);
	return p->prog ? 0 : blame(s, p, text, d);
}

/* Compile n detours in the time of one; jq has limits for that, so where it fails, one by one. */
static int compile_group(const struct set *s, struct detour *list, size_t n, char *const *texts, struct diag *d)
{
	struct jqprog *progs[TOGETHER];
	struct diag quiet = DIAG_INIT;
	int rc = n > 1 ? jqrun_compile_several(s->lib, texts, n, "several ways", progs, &quiet) : -1;

	for (size_t i = 0; i < n && rc == 0; i++)
		list[i].prog = progs[i];
	diag_release(&quiet);
	if (rc == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (compile_one(s, &list[i], texts[i], d) < 0)
			return -1;
	return 0;
}

/* How many detours from the first on have at most as many hops as are compiled together; at least one. */
static size_t group(const struct detour *list, size_t n)
{
	size_t hops = list[0].n, i = 1;

	while (i < n && (hops += list[i].n) <= TOGETHER)
		i++;
	return i;
}

static int compile(const struct set *s, struct detour_list *l, struct diag *d)
{
	char **texts = xcalloc(l->n, sizeof *texts);
	int rc = 0;

	for (size_t i = 0; i < l->n; i++) {
		name_detour(s, &l->list[i]);
		texts[i] = program(s, &l->list[i]);
	}
	for (size_t i = 0, n; i < l->n && rc == 0; i += n) {
		n = group(&l->list[i], l->n - i);
		rc = compile_group(s, &l->list[i], n, &texts[i], d);
	}
	for (size_t i = 0; i < l->n; i++)
		free(texts[i]);
	free(texts);
	return rc;
}

static int find(struct detours *s, struct detour_list *l, const struct way *way, struct diag *d)
{
	bool *leads = leading(s->set, s->target);
	size_t *path = xcalloc(s->set->nhop, sizeof *path);
	struct search x = { .set = s->set, .target = s->target, .leads = leads, .path = path, .found = l };
	int rc = search(&x, way->from);

	free(leads);
	free(path);
	if (rc < 0)
		return diag_add(d, MIG_INVALID, "too_many_paths", s->set->id,
		                "more than %d paths lead from %s to %s: too many to take them all", DETOUR_PATHS,
		                way->from, s->target);
	drop_way(l, way);
	return compile(s->set, l, d);
}

const struct detour_list *detours_find(struct detours *s, const struct way *way, struct diag *d)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->list[i].from, way->from) == 0)
			return &s->list[i];
	s->list = xrealloc(s->list, s->n + 1, sizeof *s->list);
	struct detour_list *l = &s->list[s->n++];

	*l = (struct detour_list){ .from = xstrdup(way->from) };
	return find(s, l, way, d) < 0 ? NULL : l;
}

void detours_release(struct detours *s)
{
	for (size_t i = 0; i < s->n; i++) {
		for (size_t k = 0; k < s->list[i].n; k++)
			free_detour(&s->list[i].list[k]);
		free(s->list[i].list);
		free(s->list[i].from);
	}
	free(s->list);
	buf_release(&s->text);
	buf_release(&s->why.reason);
}

/* ---- the comparison ---- */

/* Index the document without its history; what it is made of goes into text. */
static void index_without(struct doc *doc, const struct buf *from, const char *history, struct buf *text)
{
	uint32_t skip = DOC_NONE;

	doc_parse(doc, from->s, from->len, RECORD_MAX_DEPTH);
	if (!history || !pointer_find(doc, 0, history, strlen(history), &skip))
		return;
	canon_value(text, doc, 0, skip);
	doc_parse(doc, text->s, text->len, RECORD_MAX_DEPTH);
}

/* The i-th element from the end of the array at list. */
static uint32_t mirror(const struct doc *d, uint32_t list, uint32_t i)
{
	uint32_t t = list + 1;

	for (i = d->tok[list].n - 1 - i; i; i--)
		t = d->tok[t].next;
	return t;
}

/* Show the operations, each with the value that its inverse would put back. */
static void add_diff(struct buf *out, const struct buf *patch, const struct buf *undo)
{
	struct buf both = BUF_INIT;
	struct doc d = DOC_INIT;
	uint32_t n = 0;

	buf_addf(&both, "[%s,%s]", patch->s, undo->s);
	doc_parse(&d, both.s, both.len, RECORD_MAX_DEPTH);
	uint32_t list = 1, back = d.tok[list].next;
	bool mirrored = d.tok[list].n == d.tok[back].n;

	for (uint32_t t = list + 1; t < back && n < DIFF_LINES; t = d.tok[t].next, n++) {
		buf_addstr(out, n ? "; " : "");
		shown_op(out, &d, t, mirrored ? mirror(&d, back, n) : DOC_NONE);
	}
	if (n < d.tok[list].n)
		buf_addf(out, "; and %u more", d.tok[list].n - n);
	doc_release(&d);
	buf_release(&both);
}

static bool same_documents(const struct detour_end *a, const struct detour_end *b, const char *history,
                           struct buf *difference)
{
	struct doc x = DOC_INIT, y = DOC_INIT;
	struct buf one = BUF_INIT, other = BUF_INIT, patch = BUF_INIT, undo = BUF_INIT;

	index_without(&x, a->text, history, &one);
	index_without(&y, b->text, history, &other);
	bool same = x.len == y.len && memcmp(x.text, y.text, x.len) == 0;

	if (!same) {
		patch_diff(&x, &y, &patch, &undo);
		buf_addf(difference, "the paths %s and %s lead to different documents: ", a->path, b->path);
		add_diff(difference, &patch, &undo);
	}
	doc_release(&x);
	doc_release(&y);
	buf_release(&one);
	buf_release(&other);
	buf_release(&patch);
	buf_release(&undo);
	return same;
}

bool detour_agrees(const struct detour_end *a, const struct detour_end *b, const char *history,
                   struct buf *difference)
{
	if (a->why && b->why)
		return true;
	if (a->why || b->why) {
		const struct detour_end *good = a->why ? b : a, *bad = a->why ? a : b;

		buf_addf(difference, "the path %s leads to a document, %s to none: %s: %s", good->path, bad->path,
		         bad->why->code, bad->why->reason.s);
		return false;
	}
	if (a->text->len == b->text->len && memcmp(a->text->s, b->text->s, a->text->len) == 0)
		return true;
	return same_documents(a, b, history, difference);
}
