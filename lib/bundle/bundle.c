/* bundle.c -- see bundle.h */
#include "bundle.h"

#include "bundle-text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char manifest[] = "bundle.json", draft[] = ".bundle.json.new";

enum { LARGEST = 64 << 20 };

/* ---- sealing ---- */

static int make_folders(int dir, enum bundle_kind kind, struct diag *d)
{
	for (const struct bundle_stage *s = bundle_stages(kind); s->name; s++)
		if (mkdirat(dir, s->folder, 0777) < 0 && errno != EEXIST)
			return diag_add(d, MIG_PRECONDITION, "write_failed", s->folder, "cannot make the folder: %s",
			                strerror(errno));
	return 0;
}

/* The old bytes or the new ones, never a part of them. */
static int replace(int dir, const struct buf *text, struct diag *d)
{
	if (unlinkat(dir, draft, 0) < 0 && errno != ENOENT)
		return diag_add(d, MIG_PRECONDITION, "write_failed", draft, "%s", strerror(errno));
	int fd = openat(dir, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	int rc = fd < 0 || io_write(fd, text->s, text->len) < 0 || fsync(fd) < 0 ? -1 : 0;

	if (fd >= 0 && close(fd) < 0)
		rc = -1;
	if (rc == 0 && renameat(dir, draft, dir, manifest) == 0)
		return 0;
	int why = errno;

	unlinkat(dir, draft, 0);
	return diag_add(d, MIG_PRECONDITION, "write_failed", manifest, "%s", strerror(why));
}

/* Documents need no schema; as long as nobody knows what the plans are for, all is needed. */
static bool is_needed(const struct bundle_contents *c, const struct bundle_stage *s)
{
	const struct bundle_facts *plans = &c->facts[RUN_TX_PLAN];

	return !s->of_database || !plans->any || plans->of_database;
}

/* extract: datasets/documents.ndjson 9f86.. */
static void put_page(struct buf *page, const struct bundle_contents *c, const char *hash)
{
	const struct bundle_stage *s = bundle_stages(c->kind);

	for (size_t k = 0; s[k].name; k++) {
		if (is_needed(c, &s[k]) && !bundle_contents_has(c, &s[k]))
			buf_addf(page, "%s: missing: %s/%s\n", s[k].name, s[k].folder, s[k].stem);
		for (size_t i = 0; i < c->files.n; i++)
			if (c->files.v[i].size > 0 && bundle_stage_has(&s[k], c->files.v[i].path))
				buf_addf(page, "%s: %s %s\n", s[k].name, c->files.v[i].path, c->files.v[i].sha256);
	}
	buf_addf(page, "bundle_hash=%s\n", hash);
}

int bundle_seal(int dir, enum bundle_kind kind, struct buf *page, struct diag *d)
{
	struct bundle_contents c = { .kind = kind };
	struct buf text = BUF_INIT;
	char hash[HEX_SIZE];
	int rc = make_folders(dir, kind, d);

	if (rc == 0 && (rc = bundle_contents_list(&c, dir, d)) == 0 && (rc = bundle_contents_read(&c, dir, d)) == 0) {
		bundle_text(&text, &c, hash);
		buf_addch(&text, '\n');
		if ((rc = replace(dir, &text, d)) == 0)
			put_page(page, &c, hash);
	}
	buf_release(&text);
	bundle_contents_release(&c);
	return rc;
}

/* ---- checking ---- */

static int read_manifest(int dir, struct buf *b, struct doc *doc, struct diag *d)
{
	struct stat st;
	int fd = bundle_open(dir, manifest);

	if (fd < 0 && errno == ELOOP)
		return diag_add(d, MIG_INVALID, "bundle_not_regular", manifest, "a link, or no file");
	if (fd < 0 || fstat(fd, &st) < 0 || io_slurp(fd, b, (size_t)st.st_size, LARGEST) < 0) {
		int why = errno;

		if (fd >= 0)
			close(fd);
		diag_hint(d, "mig bundle --out DIR writes it");
		return diag_add(d, why == ENOENT ? MIG_PRECONDITION : MIG_ERROR, "bundle_missing", manifest, "%s",
		                strerror(why));
	}
	close(fd);
	buf_reserve(b, 0);
	if (doc_parse(doc, b->s, b->len, 16) < 0)
		return diag_add(d, MIG_INVALID, "bad_bundle", manifest, "line %zu, column %zu: %s", doc->err.line,
		                doc->err.column, doc->err.reason);
	return 0;
}

static int read_kind(struct bundle *b, const struct doc *doc, struct diag *d)
{
	char want[HEX_SIZE], is[HEX_SIZE];
	struct buf arena = BUF_INIT;
	uint32_t t = doc_member(doc, 0, "kind", 4);
	int kind = doc->tok[t].type == DOC_STRING ? bundle_kind_of(record_text(doc, t, &arena)) : -1;

	buf_release(&arena);
	if (doc->tok[0].type != DOC_OBJECT || kind < 0)
		return diag_add(d, MIG_INVALID, "bad_bundle", manifest, "not a bundle of kind run or pr");
	if (!record_sum_holds(doc, 0, "bundle_hash", want, is))
		return diag_add(d, MIG_INVALID, "bundle_hash", manifest,
		                "bundle_hash: expected_hash %s, actual_hash %s", want, is);
	b->kind = (enum bundle_kind)kind;
	memcpy(b->hash, is, HEX_SIZE);
	return 0;
}

/* {"file":"datasets/documents.ndjson","sha256":H,"size":9} */
static int compare_file(const struct bundle_files *files, const struct doc *doc, uint32_t t, struct diag *d)
{
	char *path = record_dup(doc, doc_member(doc, t, "file", 4));
	uint32_t hash = doc_member(doc, t, "sha256", 6);
	struct bundle_file *x = path ? bundle_files_find(files, path) : NULL;
	int rc = 0;

	if (!path || !record_is_hash(doc, hash)) {
		rc = diag_add(d, MIG_INVALID, "bad_bundle", manifest, "a file without a name or a hash");
	} else if (!x) {
		rc = diag_add(d, MIG_PRECONDITION, "bundle_file_missing", path, "missing");
	} else {
		x->listed = true;
		if (!doc_equals(doc, hash, x->sha256, HEX_LEN))
			rc = diag_add(d, MIG_INVALID, "bundle_file_changed", path,
			              "changed: expected_hash %.*s, actual_hash %s", HEX_LEN,
			              doc->text + doc->tok[hash].off + 1, x->sha256);
	}
	free(path);
	return rc;
}

static int compare_list(const struct bundle_files *files, const struct doc *doc, uint32_t list, struct diag *d)
{
	int rc = 0;

	if (doc->tok[list].type != DOC_ARRAY)
		return diag_add(d, MIG_INVALID, "bad_bundle", manifest, "a list of files is missing");
	for (uint32_t t = list + 1; t < doc->tok[list].next; t = doc->tok[t].next)
		if (compare_file(files, doc, t, d) < 0)
			rc = -1;
	return rc;
}

/* The files that are there against those that bundle.json names. */
static int compare(const struct bundle_files *files, const struct doc *doc, struct diag *d)
{
	uint32_t stages = doc_member(doc, 0, "stages", 6);
	int rc = compare_list(files, doc, doc_member(doc, 0, "others", 6), d);

	if (doc->tok[stages].type != DOC_ARRAY)
		return diag_add(d, MIG_INVALID, "bad_bundle", manifest, "it has no stages");
	for (uint32_t t = stages + 1; t < doc->tok[stages].next; t = doc->tok[t].next)
		if (compare_list(files, doc, doc_member(doc, t, "files", 5), d) < 0)
			rc = -1;
	for (size_t i = 0; i < files->n; i++)
		if (!files->v[i].listed)
			rc = diag_add(d, MIG_INVALID, "bundle_file_unknown", files->v[i].path,
			              "not in bundle.json: it came later");
	return rc;
}

/* All that lacks is named at once. */
static int check_complete(const struct bundle_contents *c, struct diag *d)
{
	const struct bundle_stage *s = bundle_stages(c->kind);
	int rc = 0;

	for (; s->name; s++)
		if (is_needed(c, s) && !bundle_contents_has(c, s))
			rc = diag_add(d, MIG_PRECONDITION, "bundle_incomplete", s->name, "missing: %s/%s", s->folder,
			              s->stem);
	if (rc < 0)
		diag_hint(d, "mig bundle --out DIR, once the files are there");
	return rc;
}

/* bundle.json must be what would be written now, to the byte. */
static int check_text(const struct bundle_contents *c, const struct buf *said, struct diag *d)
{
	struct buf text = BUF_INIT;
	char hash[HEX_SIZE];

	bundle_text(&text, c, hash);
	buf_addch(&text, '\n');
	bool same = text.len == said->len && memcmp(text.s, said->s, text.len) == 0;

	buf_release(&text);
	return same ? 0
	            : diag_add(d, MIG_INVALID, "bad_bundle", manifest,
	                       "it does not say what its files hold; mig bundle writes it anew");
}

static int check_in(struct bundle *b, int dir, struct diag *d)
{
	struct bundle_contents c = { .kind = BUNDLE_RUN };
	struct buf said = BUF_INIT;
	struct doc doc = DOC_INIT;
	int rc = read_manifest(dir, &said, &doc, d);

	if (rc == 0 && (rc = read_kind(b, &doc, d)) == 0) {
		c.kind = b->kind;
		if ((rc = bundle_contents_list(&c, dir, d)) == 0)
			rc = compare(&c.files, &doc, d);
	}
	if (rc == 0 && (rc = bundle_contents_read(&c, dir, d)) == 0 && (rc = check_complete(&c, d)) == 0)
		rc = check_text(&c, &said, d);
	if (rc == 0 && b->kind == BUNDLE_RUN)
		memcpy(b->digest, c.facts[RUN_TX_PLAN].digest, HEX_SIZE);
	bundle_contents_release(&c);
	doc_release(&doc);
	buf_release(&said);
	return rc;
}

int bundle_check(struct bundle *b, const char *name, struct diag *d)
{
	int dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*b = (struct bundle){ .kind = BUNDLE_RUN };
	if (dir < 0)
		return diag_add(d, MIG_PRECONDITION, "bundle_missing", name, "cannot open: %s", strerror(errno));
	int rc = check_in(b, dir, d);

	close(dir);
	return rc;
}
