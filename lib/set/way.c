/* way.c -- see way.h */
#include "way.h"

#include "base.h"
#include "canon.h"
#include "jqwatch.h"
#include "record.h"
#include "set-program.h"

#include <stdlib.h>
#include <string.h>

/* Hops that are compiled ahead for documents at other versions; past it each way is compiled when it is met. */
enum { AHEAD = 16 };

static const struct hop *hop_of(const struct ways *w, const struct way *way, size_t i)
{
	return &w->set->hop[way->path[i]];
}

/* ---- what a change says ---- */

/* What removes outranks what adds. */
static const char *way_type(const struct ways *w, const struct way *way)
{
	static const char *const order[] = { "cleanup", "schema", "data", "config", "profile", "index" };

	for (size_t o = 0; o < sizeof order / sizeof *order; o++)
		for (size_t i = 0; i < way->n; i++)
			if (strcmp(hop_of(w, way, i)->type, order[o]) == 0)
				return order[o];
	return "data";
}

static void add_text(struct buf *b, size_t i, const char *s)
{
	buf_addch(b, i ? ',' : '[');
	canon_string(b, s, strlen(s));
}

static void add_texts(struct buf *b, char *const *list)
{
	if (!*list)
		buf_addch(b, '[');
	for (size_t i = 0; list[i]; i++)
		add_text(b, i, list[i]);
	buf_addch(b, ']');
}

static void add_changes(struct buf *b, const struct ways *w, const struct way *way)
{
	for (size_t i = 0; i < way->n; i++) {
		buf_addch(b, i ? ',' : '[');
		add_texts(b, hop_of(w, way, i)->changes);
	}
	buf_addch(b, ']');
}

static void add_hops(struct buf *b, const struct ways *w, const struct way *way)
{
	for (size_t i = 0; i < way->n; i++)
		add_text(b, i, hop_of(w, way, i)->id);
	buf_addch(b, ']');
}

/* Does a hop before hop i, or lever l of its own, say the same? */
static bool said_before(const struct ways *w, const struct way *way, size_t i, char **l)
{
	for (size_t k = 0; k <= i; k++)
		for (char **p = hop_of(w, way, k)->levers; *p && p != l; p++)
			if (strcmp(*p, *l) == 0)
				return true;
	return false;
}

/* The levers of all hops, each once, in the order of the hops. */
static void add_levers(struct buf *b, const struct ways *w, const struct way *way)
{
	size_t n = 0;

	for (size_t i = 0; i < way->n; i++)
		for (char **l = hop_of(w, way, i)->levers; *l; l++)
			if (!said_before(w, way, i, l))
				add_text(b, n++, *l);
	if (n == 0)
		buf_addch(b, '[');
	buf_addch(b, ']');
}

static void add_note(struct rec *rec, const struct ways *w, const struct way *way)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < way->n; i++) {
		const char *note = hop_of(w, way, i)->note;

		if (note)
			buf_addf(&b, "%s%s", b.len ? "; " : "", note);
	}
	if (!b.len)
		buf_addstr(&b, w->set->targets ? "the rows that were there are kept; rollback restores them"
		                               : "the original bytes stay in the store; rollback restores them");
	rec_cstr(rec, "data_safety", b.s);
	buf_release(&b);
}

static bool is_reversible(const struct ways *w, const struct way *way)
{
	for (size_t i = 0; i < way->n; i++)
		if (!hop_of(w, way, i)->reversible)
			return false;
	return true;
}

/* The runs of members, in the order in which a change has them. */
static void describe(const struct ways *w, struct way *way)
{
	struct rec rec = { .b = &way->changes, .any = true }, in;

	rec_name(&rec, "changes");
	add_changes(rec.b, w, way);
	if (w->set->targets)
		rec.b = &way->safety;
	add_note(&rec, w, way);
	rec.b = &way->about;
	if (!w->set->targets)
		rec_cstr(&rec, "entity", w->set->entity);
	rec_cstr(&rec, "from_version", w->set->targets ? "0" : way->from);
	rec_cstr(&rec, "history", w->set->history);
	rec_name(&rec, "hops");
	add_hops(rec.b, w, way);
	if (w->set->ninvariant) /* mig-plan must be told which */
		rec_int(&rec, "invariants", (int64_t)w->set->ninvariant);
	rec_cstr(&rec, "kind", "change");
	rec_name(&rec, "levers");
	add_levers(rec.b, w, way);
	if (!w->set->targets)
		rec_cstr(&rec, "op", "patch");
	rec.b = &way->set;
	rec_bool(&rec, "reversible", is_reversible(w, way));
	rec_name(&rec, "set");
	rec_open(&in, rec.b);
	rec_cstr(&in, "hash", w->set->hash);
	rec_cstr(&in, "id", w->set->id);
	rec_close(&in);
	rec.b = &way->target;
	rec_cstr(&rec, "to_version", w->target);
	if (!w->set->targets)
		rec_cstr(&rec, "type", way->type);
}

/* ---- programs ---- */

/* The program of the way's first n hops. */
static char *program(const struct ways *w, const struct way *way, size_t n)
{
	struct buf text = BUF_INIT;

	set_program(w->set, way->path, n, &text);
	return buf_steal(&text);
}

static int compile(const struct ways *w, struct way *way, struct diag *d)
{
	struct diag quiet = DIAG_INIT;
	char *text = program(w, way, way->n);
	size_t first = d->n;

	way->prog = jqrun_compile(w->set->lib, text, way->name, &quiet);
	if (!way->prog) {
		set_program_blame(w->set, way->path, way->n, d);
		if (d->n == first)
			jqrun_free(jqrun_compile(w->set->lib, text, way->name, d));
		if (d->n == first) /* all of it compiles by now: memory was short for a while */
			diag_add(d, MIG_ERROR, "bad_jq", way->name, "%s", quiet.list[0].message);
	}
	diag_release(&quiet);
	free(text);
	return way->prog ? 0 : -1;
}

/* Compile all ways known so far in the time of one; where that fails, each is left for compile. */
static void compile_ahead(struct ways *w)
{
	char **texts = xcalloc(w->n, sizeof *texts);
	struct jqprog **progs = xcalloc(w->n, sizeof *progs);
	struct diag quiet = DIAG_INIT;

	for (size_t i = 0; i < w->n; i++)
		texts[i] = program(w, &w->list[i], w->list[i].n);
	if (jqrun_compile_several(w->set->lib, texts, w->n, "several ways", progs, &quiet) == 0)
		for (size_t i = 0; i < w->n; i++)
			w->list[i].prog = progs[i];
	for (size_t i = 0; i < w->n; i++)
		free(texts[i]);
	diag_release(&quiet);
	free(texts);
	free(progs);
}

/* Compile the beginnings of the way, each one hop longer, but not the whole: 0, or -1. */
static int compile_beginnings(const struct ways *w, struct way *way)
{
	const size_t n = way->n - 1;
	char **texts = xcalloc(n, sizeof *texts);
	struct diag unseen = DIAG_INIT; /* the whole compiled, so that it can only be want of memory */

	way->first = xcalloc(n, sizeof *way->first);
	for (size_t i = 0; i < n; i++)
		texts[i] = program(w, way, i + 1);
	int rc = jqrun_compile_several(w->set->lib, texts, n, way->name, way->first, &unseen);

	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
	diag_release(&unseen);
	return rc;
}

const char *way_stop(const struct ways *w, struct way *way, const struct doc *in)
{
	struct jqrun_why why = { .code = "" };
	struct buf out = BUF_INIT;
	size_t i = 0;

	if (way->n == 1 || (!way->first && compile_beginnings(w, way) < 0) || !way->first[0])
		return way->name;
	while (i < way->n - 1 && jqwatch_run(way->first[i], way->name, in, &out, &why) == JQ_OK)
		i++;
	buf_release(&why.reason);
	buf_release(&out);
	return hop_of(w, way, i)->id;
}

/* ---- ways ---- */

static void name_way(const struct ways *w, struct way *way)
{
	struct buf name = BUF_INIT;

	for (size_t i = 0; i < way->n; i++)
		buf_addf(&name, "%s%s", i ? " " : "", hop_of(w, way, i)->id);
	way->name = buf_steal(&name);
	way->type = way_type(w, way);
	describe(w, way);
}

static struct way *known(struct ways *w, const char *from)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->list[i].from, from) == 0)
			return &w->list[i];
	return NULL;
}

static struct way *add_way(struct ways *w, const char *from)
{
	w->list = xrealloc(w->list, w->n + 1, sizeof *w->list);
	struct way *way = &w->list[w->n++];

	*way = (struct way){ .from = xstrdup(from) };
	if ((way->path = set_path(w->set, from, w->target, &way->n)))
		name_way(w, way);
	return way;
}

static void free_way(struct way *way)
{
	struct buf *runs[] = { &way->changes, &way->safety, &way->about, &way->set, &way->target };

	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
		buf_release(runs[i]);
	free(way->from);
	free(way->path);
	free(way->name);
	jqrun_free(way->prog);
	for (size_t i = 0; way->first && i + 1 < way->n; i++)
		jqrun_free(way->first[i]);
	free(way->first);
}

/*
 * A store mostly holds documents of several versions, and every compile costs
 * as much as a thousand documents: when the first is met, take all the others
 * along that lead to the target, if they are few.
 */
static void look_ahead(struct ways *w)
{
	size_t hops = 0;

	for (size_t i = 0; i < w->set->nhop && hops <= AHEAD; i++) {
		const char *from = w->set->hop[i].from;

		if (strcmp(from, w->target) == 0 || known(w, from))
			continue;
		struct way *way = add_way(w, from);

		if (way->path)
			hops += way->n;
		else
			free_way(&w->list[--w->n]);
	}
	if (w->n > 1 && hops <= AHEAD)
		compile_ahead(w);
}

struct way *ways_find(struct ways *w, const char *from, struct diag *d)
{
	if (!w->list)
		look_ahead(w);
	struct way *way = known(w, from);

	if (!way)
		way = add_way(w, from);
	return way->path && !way->prog && compile(w, way, d) < 0 ? NULL : way;
}

void ways_release(struct ways *w)
{
	for (size_t i = 0; i < w->n; i++)
		free_way(&w->list[i]);
	free(w->list);
}
