/* bundle-text.c -- see bundle-text.h */
#include "bundle-text.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int bundle_contents_list(struct bundle_contents *c, int dir, struct diag *d)
{
	const struct bundle_stage *first = bundle_stages(c->kind);
	int rc = 0;

	for (const struct bundle_stage *s = first; s->name; s++) {
		const struct bundle_stage *same = first;

		while (strcmp(same->folder, s->folder) != 0)
			same++;
		if (same == s && bundle_files_read(&c->files, dir, s->folder, d) < 0)
			rc = -1;
	}
	bundle_files_sort(&c->files);
	return rc;
}

void bundle_contents_release(struct bundle_contents *c)
{
	for (size_t i = 0; i < BUNDLE_STAGES; i++)
		bundle_facts_release(&c->facts[i]);
	bundle_files_release(&c->files);
}

size_t bundle_contents_has(const struct bundle_contents *c, const struct bundle_stage *s)
{
	size_t n = 0;

	for (size_t i = 0; i < c->files.n; i++)
		n += c->files.v[i].size > 0 && bundle_stage_has(s, c->files.v[i].path);
	return n;
}

/* ---- reading ---- */

static int read_file(struct bundle_facts *f, const struct bundle_stage *s, int dir, const struct bundle_file *x,
                     struct diag *d)
{
	if (f->any)
		return diag_add(d, MIG_INVALID, "bundle_ambiguous", x->path, "a second file for the stage %s", s->name);
	int fd = bundle_open(dir, x->path);

	if (fd < 0)
		return diag_add(d, MIG_ERROR, "bundle_unreadable", x->path, "cannot read: %s", strerror(errno));
	int rc = bundle_stage_read(f, s, fd, x->path, d);

	close(fd);
	return rc;
}

/* One stage is of another if its digest is; stages that lack are told of elsewhere. */
static int tie(const struct bundle_contents *c, int stage, const char *digest, int to, const char *is, const char *what,
               struct diag *d)
{
	const struct bundle_stage *s = bundle_stages(c->kind);

	if (!c->facts[stage].any || !c->facts[to].any || !*digest || !*is || strcmp(digest, is) == 0)
		return 0;
	return diag_add(d, MIG_INVALID, "bundle_chain", s[stage].name, "%s of the stage %s: %s, not %s", what,
	                s[to].name, digest, is);
}

/* Verdicts may speak of plans, or of none; of others they may not. */
static int tie_verdicts(const struct bundle_contents *c, struct diag *d)
{
	const struct bundle_facts *v = &c->facts[RUN_VERIFY_BEFORE];

	for (size_t i = 0; i + HEX_LEN + 2 <= v->plans.len; i += HEX_LEN + 3) {
		char *hash = xmemdup(v->plans.s + i, HEX_LEN + 2);
		bool known = false;

		for (int s = RUN_PLAN; s <= RUN_TX_PLAN; s++)
			known = known || (c->facts[s].plans.len && strstr(c->facts[s].plans.s, hash));
		free(hash);
		if (!known)
			return diag_add(d, MIG_INVALID, "bundle_chain", bundle_stages(c->kind)[RUN_VERIFY_BEFORE].name,
			                "a verdict on a plan that is not in the bundle: %.*s", HEX_LEN,
			                v->plans.s + i + 1);
	}
	return 0;
}

static int tie_run(const struct bundle_contents *c, struct diag *d)
{
	const struct bundle_facts *f = c->facts;
	int rc = 0;

	rc |= tie(c, RUN_PLAN, f[RUN_PLAN].snapshot, RUN_SCHEMA, f[RUN_SCHEMA].snapshot, "not made from the schema", d);
	rc |= tie(c, RUN_TRANSFORM, f[RUN_TRANSFORM].digest, RUN_EXTRACT, f[RUN_EXTRACT].digest,
	          "not made from the documents", d);
	rc |= tie(c, RUN_TX_PLAN, f[RUN_TX_PLAN].snapshot, RUN_TRANSFORM, f[RUN_TRANSFORM].digest,
	          "not made from the changes", d);
	rc |= tie(c, RUN_DRY_RUN, f[RUN_DRY_RUN].digest, RUN_TX_PLAN, f[RUN_TX_PLAN].digest, "not of the plans", d);
	return rc | tie_verdicts(c, d);
}

int bundle_contents_read(struct bundle_contents *c, int dir, struct diag *d)
{
	const struct bundle_stage *s = bundle_stages(c->kind);
	int rc = 0;

	for (size_t k = 0; s[k].name; k++)
		for (size_t i = 0; s[k].holds != HOLDS_ANYTHING && i < c->files.n; i++)
			if (c->files.v[i].size > 0 && bundle_stage_has(&s[k], c->files.v[i].path) &&
			    read_file(&c->facts[k], &s[k], dir, &c->files.v[i], d) < 0)
				rc = -1;
	return rc < 0 || c->kind != BUNDLE_RUN ? rc : tie_run(c, d) ? -1 : 0;
}

/* ---- writing ---- */

static void put_file(struct buf *out, const struct bundle_file *x, bool *any)
{
	struct rec w;

	if (*any)
		buf_addch(out, ',');
	*any = true;
	rec_open(&w, out);
	rec_cstr(&w, "file", x->path);
	rec_cstr(&w, "sha256", x->sha256);
	rec_int(&w, "size", x->size);
	rec_close(&w);
}

static void put_files(struct rec *w, const char *name, const struct bundle_contents *c, const struct bundle_stage *of)
{
	bool any = false;

	rec_name(w, name);
	buf_addch(w->b, '[');
	for (size_t i = 0; i < c->files.n; i++) {
		const struct bundle_stage *s = bundle_stages(c->kind);

		while (s->name && !bundle_stage_has(s, c->files.v[i].path))
			s++;
		if (of ? s == of : !s->name)
			put_file(w->b, &c->files.v[i], &any);
	}
	buf_addch(w->b, ']');
}

static void put_stage(struct buf *out, const struct bundle_contents *c, const struct bundle_stage *s,
                      const struct bundle_facts *f)
{
	struct rec w;

	rec_open(&w, out);
	if (f->any)
		rec_cstr(&w, "digest", f->digest);
	put_files(&w, "files", c, s);
	if (f->any && f->plans.len) {
		rec_name(&w, "plans");
		buf_addch(out, '[');
		buf_add(out, f->plans.s, f->plans.len);
		buf_addch(out, ']');
	}
	if (f->any)
		rec_int(&w, "records", (int64_t)f->records);
	if (f->any && f->snapshot[0])
		rec_cstr(&w, "snapshot", f->snapshot);
	rec_cstr(&w, "stage", s->name);
	rec_close(&w);
}

void bundle_text(struct buf *out, const struct bundle_contents *c, char hash[HEX_SIZE])
{
	const struct bundle_stage *s = bundle_stages(c->kind);
	struct buf b = BUF_INIT;
	struct rec w;

	rec_open(&w, &b);
	rec_int(&w, "format", 1);
	rec_cstr(&w, "kind", bundle_kind_name(c->kind));
	put_files(&w, "others", c, NULL);
	rec_name(&w, "stages");
	for (size_t k = 0; s[k].name; k++) {
		buf_addch(&b, k ? ',' : '[');
		put_stage(&b, c, &s[k], &c->facts[k]);
	}
	buf_addch(&b, ']');
	rec_close(&w);
	digest_hex(b.s, b.len, hash);
	buf_addf(out, "{\"bundle_hash\":\"%s\",", hash);
	buf_add(out, b.s + 1, b.len - 1);
	buf_release(&b);
}
