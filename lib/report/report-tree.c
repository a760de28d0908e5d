/* report-tree.c -- see report-tree.h */
#include "report-tree.h"

#include "semver.h"
#include "shown.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MAX_TEXTS = 1024, SHOWN = 20, VERSIONS_SHOWN = 36, CHANGES_LINES = 24 };

void tree_view_init(struct tree_view *v)
{
	counts_init(&v->kinds, MAX_TEXTS);
	counts_init(&v->versions, MAX_TEXTS);
	counts_init(&v->hops, MAX_TEXTS);
	kinds_init(&v->changes);
}

void tree_view_release(struct tree_view *v)
{
	counts_release(&v->kinds);
	counts_release(&v->versions);
	counts_release(&v->hops);
	kinds_release(&v->changes);
}

static void count_member(struct counts *c, const struct record *r, const char *name)
{
	char *s = shown_member(r->doc, 0, name);

	if (s)
		counts_add(c, s, strlen(s));
	free(s);
}

static struct text member_text(const struct record *r, const char *name, struct buf *b)
{
	buf_reset(b);
	doc_string(r->doc, record_get(r, name), b);
	return (struct text){ b->s ? b->s : "", b->len };
}

static void add_change(struct tree_view *v, const struct record *r)
{
	struct buf b[4] = { BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT }, hop = BUF_INIT;
	struct change c = {
		.doc = r->doc, .ref = member_text(r, "ref", &b[0]), .type = member_text(r, "type", &b[1]),
		.from = member_text(r, "from_version", &b[2]), .to = member_text(r, "to_version", &b[3]),
		.patch = record_get(r, "patch"), .undo = record_get(r, "undo"),
	};
	char *from = shown_text(c.from), *to = shown_text(c.to);

	if (record_get(r, "from") != DOC_NONE) { /* a row: "put posts" */
		buf_reset(&b[1]);
		doc_string(r->doc, record_get(r, "op"), &b[1]);
		buf_addch(&b[1], ' ');
		doc_string(r->doc, record_get(r, "entity"), &b[1]);
		c.type = (struct text){ b[1].s, b[1].len };
		c.after = record_get(r, "after");
	}
	buf_addf(&hop, "%s -> %s", from, to);
	counts_add(&v->hops, hop.s, hop.len);
	counts_add(&v->versions, from, strlen(from));
	kinds_add(&v->changes, &c);
	free(from);
	free(to);
	for (size_t i = 0; i < 4; i++)
		buf_release(&b[i]);
	buf_release(&hop);
}

void tree_view_add(struct tree_view *v, const struct record *r)
{
	count_member(&v->kinds, r, "kind");
	if (r->kind == KIND_CHANGE)
		add_change(v, r);
	else if (r->kind == KIND_DOCUMENT || r->kind == KIND_CURRENT)
		count_member(&v->versions, r, "version");
}

static void put_counts(struct page *p, const struct counts *c, const char *what)
{
	uint64_t more = c->total;

	for (size_t i = 0; i < c->n && i < SHOWN; i++) {
		page_line(p, 0, "%-9s %8" PRIu64 "  %s", i ? "" : what, c->v[i].n, c->v[i].key);
		more -= c->v[i].n;
	}
	if (more)
		page_line(p, 0, "%-9s %8" PRIu64 "  others", "", more);
}

/* By precedence; what is no version comes last. */
static int compare_versions(const char *a, const char *b)
{
	bool fine = semver_valid(a);
	int c;

	if (fine != semver_valid(b))
		return fine ? -1 : 1;
	c = fine ? semver_compare(a, b) : 0;
	return c ? c : strcmp(a, b);
}

static int by_version(const void *a, const void *b)
{
	return compare_versions(((const struct count *)a)->key, ((const struct count *)b)->key);
}

static void sort(struct tree_view *v)
{
	counts_sort(&v->kinds);
	counts_sort(&v->versions);
	qsort(v->versions.v, v->versions.n, sizeof *v->versions.v, by_version);
	counts_sort(&v->hops);
	kinds_sort(&v->changes);
}

void tree_view_page(struct tree_view *v, struct rejects *rejects, struct page *p)
{
	sort(v);
	page_heading(p, "STREAM of %" PRIu64 " records", v->kinds.total);
	put_counts(p, &v->kinds, "kinds");
	put_counts(p, &v->versions, "versions");
	put_counts(p, &v->hops, "changes");
	if (v->changes.c.n) {
		page_heading(p, "CHANGES of %zu%s kind%s", v->changes.c.n, v->changes.c.others ? " and more" : "",
		             v->changes.c.n == 1 ? "" : "s");
		kinds_page(&v->changes, p, CHANGES_LINES);
	}
	rejects_page(rejects, p, SHOWN, COUNT_EXAMPLES);
}

/* {"change":115,"current":12}, members sorted */
static int by_key(const void *a, const void *b)
{
	const struct count *const *x = a, *const *y = b;
	const char *s = (*x)->key, *t = (*y)->key;

	return doc_compare_keys(s, strlen(s), t, strlen(t));
}

static void counts_json(struct rec *w, const char *name, const struct counts *c)
{
	const struct count **order = xcalloc(c->n + 1, sizeof *order);

	for (size_t i = 0; i < c->n; i++)
		order[i] = &c->v[i];
	qsort(order, c->n, sizeof *order, by_key);
	rec_name(w, name);
	buf_addch(w->b, '{');
	for (size_t i = 0; i < c->n; i++) {
		if (i)
			buf_addch(w->b, ',');
		canon_string(w->b, order[i]->key, strlen(order[i]->key));
		buf_addch(w->b, ':');
		canon_int(w->b, (int64_t)order[i]->n);
	}
	buf_addch(w->b, '}');
	free(order);
}

void tree_view_json(struct tree_view *v, struct buf *out)
{
	struct rec w;

	sort(v);
	rec_open(&w, out);
	rec_name(&w, "changes");
	kinds_json(&v->changes, out);
	rec_int(&w, "changes_found", (int64_t)v->changes.c.n);
	counts_json(&w, "hops", &v->hops);
	counts_json(&w, "kinds", &v->kinds);
	rec_int(&w, "records", (int64_t)v->kinds.total);
	counts_json(&w, "versions", &v->versions);
	rec_close(&w);
}

static void forget(struct version_view *v)
{
	for (size_t i = 0; i < v->n; i++)
		free(v->list[i].version);
	free(v->list);
	free(v->entity);
	free(v->set_id);
	free(v->set_hash);
	free(v->latest);
}

void version_view_release(struct version_view *v)
{
	forget(v);
	*v = (struct version_view){ .any = false };
}

static int by_precedence(const void *a, const void *b)
{
	return compare_versions(((const struct version_count *)a)->version, ((const struct version_count *)b)->version);
}

static int read_list(struct version_view *v, const struct doc *d, uint32_t list, const char *where, struct diag *diag)
{
	static const struct member m[] = { { "count", IS_NUM }, { "version", IS_STR }, { NULL, 0 } };

	v->list = xcalloc(d->tok[list].n + 1, sizeof *v->list);
	for (uint32_t t = list + 1; t < d->tok[list].next; t = d->tok[t].next) {
		if (shape_check(d, t, m, NULL, "version", where, diag) < 0)
			return -1;
		v->list[v->n++] = (struct version_count){ shown_member(d, t, "version"), int_member(d, t, "count") };
	}
	qsort(v->list, v->n, sizeof *v->list, by_precedence);
	return 0;
}

int version_view_add(struct version_view *v, const struct record *r, const char *where, struct diag *d)
{
	uint32_t set = record_get(r, "set");

	if (v->any)
		return diag_add(d, MIG_USAGE, "bad_record", where, "a second versions record");
	v->any = true;
	v->entity = shown_member(r->doc, 0, "entity");
	v->latest = shown_member(r->doc, 0, "latest");
	v->set_id = shown_member(r->doc, set, "id");
	v->set_hash = shown_member(r->doc, set, "hash");
	v->records = int_member(r->doc, 0, "records");
	v->rejects = int_member(r->doc, 0, "rejects");
	v->pending = int_member(r->doc, 0, "pending");
	return read_list(v, r->doc, record_get(r, "versions"), where, d);
}

/* Tenths of a percent, rounded half up. */
static int64_t tenths(const struct version_view *v, int64_t n)
{
	return v->records > 0 ? (int64_t)((double)n * 1000 / (double)v->records + 0.5) : 0;
}

static void put_row(const struct version_view *v, struct page *p, const char *version, int64_t n)
{
	int64_t t = tenths(v, n);

	page_line(p, 0, "%-24s %10" PRId64 " %6" PRId64 ".%" PRId64 "%%", version, n, t / 10, t % 10);
}

void version_view_page(const struct version_view *v, struct page *p)
{
	page_heading(p, "VERSIONS of %s", v->entity);
	page_line(p, 0, "%-24s %10s %9s", "version", "count", "percent");
	for (size_t i = 0; i < v->n && i < VERSIONS_SHOWN; i++)
		put_row(v, p, v->list[i].version, v->list[i].count);
	if (v->n > VERSIONS_SHOWN)
		page_line(p, 0, "and %zu more versions", v->n - VERSIONS_SHOWN);
	if (v->rejects)
		put_row(v, p, "(rejected)", v->rejects);
	page_line(p, 0, "%-24s %10" PRId64, "total", v->records);
	page_line(p, 0, "%-24s %10" PRId64, "need migration", v->pending);
	page_line(p, 0, "%-24s %10s", "latest available", v->latest ? v->latest : "none");
	page_line(p, 0, "set %s %s", v->set_id ? v->set_id : "?", v->set_hash ? v->set_hash : "?");
}

void version_view_json(const struct version_view *v, struct buf *out)
{
	struct rec w, in;

	rec_open(&w, out);
	rec_cstr(&w, "entity", v->entity);
	rec_cstr(&w, "latest", v->latest);
	rec_int(&w, "pending", v->pending);
	rec_int(&w, "records", v->records);
	rec_int(&w, "rejects", v->rejects);
	rec_name(&w, "set");
	rec_open(&in, out);
	rec_cstr(&in, "hash", v->set_hash);
	rec_cstr(&in, "id", v->set_id);
	rec_close(&in);
	rec_name(&w, "versions");
	buf_addch(out, '[');
	for (size_t i = 0; i < v->n; i++) {
		if (i)
			buf_addch(out, ',');
		rec_open(&in, out);
		rec_int(&in, "count", v->list[i].count);
		rec_name(&in, "percent");
		canon_double(out, (double)tenths(v, v->list[i].count) / 10);
		rec_cstr(&in, "version", v->list[i].version);
		rec_close(&in);
	}
	buf_addch(out, ']');
	rec_close(&w);
}
