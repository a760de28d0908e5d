/* evidence.c -- see evidence.h */
#include "evidence.h"

#include "complaint.h"
#include "fs-root.h"
#include "pointer.h"
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { VERDICT_FINDINGS = 500, ID_DIGITS = 32 };

struct checking {
	struct store *s;
	const struct set *set;
	const struct evidence *e;
	struct out *out;
	struct diag *d;
	struct complaints found;
	int64_t documents, files, unverifiable; /* of the verdict at work */
	/* the document at work */
	struct doc doc;
	struct buf ref, text;
	struct buf list; /* {"name":"sha256:..",..} as its hash is taken of it */
	bool whole;      /* nothing lacks in list */
	/* room for one file */
	struct buf place, file_ref, path, line;
};

static int put_verdict(struct checking *x)
{
	struct rec w, in, set;

	buf_reset(&x->line);
	rec_open(&w, &x->line);
	complaints_code(&x->found, &w);
	rec_name(&w, "evidence");
	rec_open(&in, &x->line);
	rec_int(&in, "documents", x->documents);
	rec_int(&in, "files", x->files);
	rec_name(&in, "set");
	rec_open(&set, &x->line);
	rec_cstr(&set, "hash", x->set->hash);
	rec_cstr(&set, "id", x->set->id);
	rec_close(&set);
	rec_int(&in, "unverifiable", x->unverifiable);
	rec_close(&in);
	complaints_findings(&x->found, &w);
	rec_cstr(&w, "kind", "verdict");
	rec_bool(&w, "ok", x->found.failed == 0);
	rec_null(&w, "plan_hash");
	rec_null(&w, "rollback");
	rec_close(&w);
	complaints_reset(&x->found);
	x->documents = x->files = x->unverifiable = 0;
	return stream_put(x->out, x->line.s, x->line.len);
}

/* A verdict is closed when it is full, so that no record grows with the store. */
static int tell(struct checking *x, const struct complaint *c)
{
	complain(&x->found, c);
	return x->found.n < VERDICT_FINDINGS ? 0 : put_verdict(x);
}

static int malformed(struct checking *x, const char *where, const char *what)
{
	char *message = xasprintf("%s %s", where, what);
	const struct complaint c = { .rule = "evidence_malformed", .ref = x->ref.s, .message = message };
	int rc = tell(x, &c);

	x->whole = false;
	free(message);
	return rc;
}

/* "/input_snapshots/brief.json": the place in the document that names a file, fit for a message. */
static void name_place(struct checking *x, const struct buf *name)
{
	struct buf pointer = BUF_INIT;

	buf_reset(&x->place);
	buf_addstr(&pointer, x->e->files);
	pointer_add(&pointer, name->s ? name->s : "", name->len);
	fs_escape(&x->place, pointer.s, pointer.len);
	buf_release(&pointer);
}

static uint32_t at(const struct checking *x, uint32_t root, const char *pointer)
{
	uint32_t t;

	return pointer && pointer_find(&x->doc, root, pointer, strlen(pointer), &t) ? t : DOC_NONE;
}

/* A SHA-256 as documents write it, with or without "sha256:" in front: its 64 digits, or false. */
static bool read_hash(const struct doc *d, uint32_t t, char hex[HEX_SIZE])
{
	struct buf b = BUF_INIT;
	bool fine = false;

	if (t != DOC_NONE && d->tok[t].type == DOC_STRING) {
		doc_string(d, t, &b);
		const char *s = b.len == HEX_LEN + 7 && memcmp(b.s, "sha256:", 7) == 0 ? b.s + 7 : b.s;

		fine = s && b.len == HEX_LEN + (size_t)(s - b.s) && strspn(s, "0123456789abcdef") == HEX_LEN;
		if (fine)
			memcpy(hex, s, HEX_SIZE);
	}
	buf_release(&b);
	return fine;
}

/* A path is taken from the document's folder. */
static void make_ref(struct checking *x)
{
	const char *slash = strrchr(x->ref.s, '/');

	buf_reset(&x->file_ref);
	if (slash)
		buf_add(&x->file_ref, x->ref.s, (size_t)(slash - x->ref.s) + 1);
	fs_escape(&x->file_ref, x->path.s ? x->path.s : "", x->path.len);
}

static int tell_file(struct checking *x, const char *rule, const char *what, const char *expected, const char *actual)
{
	char *message = xasprintf("%s: %s in %s", what, x->place.s, x->ref.s);
	const struct complaint c = {
		.rule = rule, .ref = x->file_ref.s, .message = message, .expected = expected, .actual = actual
	};
	int rc = tell(x, &c);

	free(message);
	return rc;
}

static int compare_size(struct checking *x, int64_t bytes, uint64_t size)
{
	char want[24], is[24];

	if (bytes >= 0 && (uint64_t)bytes == size)
		return 0;
	snprintf(want, sizeof want, "%" PRId64, bytes);
	snprintf(is, sizeof is, "%" PRIu64, size);
	return tell_file(x, "file_size", "not as long as recorded", want, is);
}

/* It is in the store, but cannot be read as a file of it; a failing disk is no finding about it. */
static int refused(struct checking *x, const struct diag *why)
{
	const struct finding *f = diag_first(why);

	if (f->exit == MIG_ERROR)
		return diag_add(x->d, MIG_ERROR, f->rule, f->where, "%s", f->message);
	if (f->exit == MIG_PRECONDITION)
		return tell_file(x, "file_missing", "recorded, and not there", NULL, NULL);
	return tell_file(x, "file_refused", "not a path to a file below the document's folder", NULL, NULL);
}

static int check_file(struct checking *x, const char *hash, uint32_t bytes)
{
	struct diag quiet = DIAG_INIT;
	struct store_doc file;
	int64_t size = -1;
	int rc;

	x->files++;
	make_ref(x);
	if (bytes != DOC_NONE)
		doc_int(&x->doc, bytes, &size);
	if (x->s->ops->read(x->s, (struct text){ x->file_ref.s, x->file_ref.len }, &file, &quiet) < 0)
		rc = refused(x, &quiet);
	else if (!file.bytes && strcmp(file.code, "too_large") != 0)
		rc = tell_file(x, "file_refused", file.reason, NULL, NULL);
	else if (strcmp(file.raw, hash) != 0)
		rc = tell_file(x, "file_changed", "not the bytes that were recorded", hash, file.raw);
	else
		rc = bytes == DOC_NONE ? 0 : compare_size(x, size, file.size);
	diag_release(&quiet);
	return rc;
}

/* One name and what stands under it; the list gets the hash as it is written there. */
static int check_entry(struct checking *x, uint32_t key)
{
	const struct doc *d = &x->doc;
	uint32_t t = key + 1, path = at(x, t, x->e->path), sha256 = at(x, t, x->e->sha256),
		 bytes = at(x, t, x->e->bytes);
	char hex[HEX_SIZE];

	buf_reset(&x->path);
	doc_string(d, key, &x->path);
	name_place(x, &x->path);
	if (d->tok[t].type != DOC_OBJECT || path == DOC_NONE || d->tok[path].type != DOC_STRING)
		return malformed(x, x->place.s, "names no path");
	if (!read_hash(d, sha256, hex))
		return malformed(x, x->place.s, "has no SHA-256");
	if (x->e->bytes && (bytes == DOC_NONE || d->tok[bytes].type != DOC_NUMBER))
		return malformed(x, x->place.s, "has no size");
	buf_addch(&x->list, x->list.len > 1 ? ',' : '{');
	canon_value(&x->list, d, key, DOC_NONE);
	buf_addch(&x->list, ':');
	canon_value(&x->list, d, sha256, DOC_NONE);
	buf_reset(&x->path);
	doc_string(d, path, &x->path);
	return check_file(x, hex, bytes);
}

static int check_entries(struct checking *x, uint32_t files)
{
	struct doc_walk w;
	uint32_t key;
	int rc = 0;

	for (doc_walk_init(&w, &x->doc, files); rc == 0 && (key = doc_walk_next(&w));)
		rc = check_entry(x, key);
	return rc;
}

/* The hash's first 32 digits, alone or followed by -2, -3 and so on. */
static bool is_id(const char *id, size_t n, const char *hash)
{
	if (n < ID_DIGITS || memcmp(id, hash, ID_DIGITS) != 0 || strlen(id) != n)
		return false;
	id += ID_DIGITS;
	if (!*id)
		return true;
	return id[0] == '-' && id[1] >= '1' && id[1] <= '9' && strcmp(id, "-1") != 0 &&
	       strspn(id + 1, "0123456789") == strlen(id + 1);
}

static int check_id(struct checking *x, const char *hash)
{
	uint32_t t = at(x, 0, x->e->id);
	struct buf id = BUF_INIT, shown = BUF_INIT;
	int rc = 0;

	if (!x->e->id)
		return 0;
	if (t != DOC_NONE && x->doc.tok[t].type == DOC_STRING)
		doc_string(&x->doc, t, &id);
	if (!id.s || !is_id(id.s, id.len, hash)) {
		char *want = xmemdup(hash, ID_DIGITS);
		char *message = xasprintf("%s is not the first %d digits of %s, nor those and a number from -2 on",
		                          x->e->id, ID_DIGITS, x->e->hash);

		fs_escape(&shown, id.s ? id.s : "", id.len);
		rc = tell(x, &(const struct complaint){ .rule = "files_id",
		                                        .ref = x->ref.s,
		                                        .message = message,
		                                        .expected = want,
		                                        .actual = shown.s ? shown.s : "" });
		free(message);
		free(want);
	}
	buf_release(&id);
	buf_release(&shown);
	return rc;
}

static int check_hash(struct checking *x, uint32_t t)
{
	char want[HEX_SIZE], is[HEX_SIZE];
	char *message;
	int rc = 0;

	if (!read_hash(&x->doc, t, want))
		return malformed(x, x->e->hash, "is no SHA-256");
	buf_addstr(&x->list, x->list.len ? "}" : "{}");
	digest_hex(x->list.s, x->list.len, is);
	if (x->whole && strcmp(want, is) != 0) {
		message = xasprintf("%s is not the hash over the names and hashes in %s", x->e->hash, x->e->files);
		rc = tell(x, &(const struct complaint){ .rule = "files_hash",
		                                        .ref = x->ref.s,
		                                        .message = message,
		                                        .expected = want,
		                                        .actual = is });
		free(message);
	}
	return rc < 0 ? -1 : check_id(x, want);
}

static int put_unverifiable(struct checking *x, bool files)
{
	const struct complaint c = { .rule = "legacy_unverifiable",
		                     .ref = x->ref.s,
		                     .warning = true,
		                     .message = files ? "from before hashes over its files were recorded"
		                                      : "from before files were recorded: there is nothing to verify" };

	x->unverifiable++;
	return tell(x, &c);
}

static int check_document(struct checking *x)
{
	const struct doc *d = &x->doc;
	uint32_t files = at(x, 0, x->e->files), hash = at(x, 0, x->e->hash);
	bool any;

	x->whole = true;
	buf_reset(&x->list);
	if (files != DOC_NONE && d->tok[files].type == DOC_NULL)
		files = DOC_NONE;
	if (files != DOC_NONE && d->tok[files].type != DOC_OBJECT)
		return malformed(x, x->e->files, "is not an object");
	any = files != DOC_NONE && d->tok[files].n > 0;
	if (any && check_entries(x, files) < 0)
		return -1;
	if (hash != DOC_NONE && d->tok[hash].type != DOC_NULL)
		return check_hash(x, hash);
	return any && !x->e->hash ? 0 : put_unverifiable(x, any);
}

static int each_document(void *arg, const struct store_doc *s)
{
	struct checking *x = arg;
	struct complaint c = { .rule = s->code, .message = s->reason };
	int rc;

	progress_tick();
	x->documents++;
	buf_reset(&x->ref);
	buf_add(&x->ref, s->ref.s, s->ref.n);
	c.ref = x->ref.s;
	if (!s->bytes)
		return tell(x, &c);
	buf_reset(&x->text); /* the store's own room is needed for the files */
	buf_add(&x->text, s->bytes->s, s->bytes->len);
	if (doc_parse(&x->doc, x->text.s, x->text.len, DOC_MAX_DEPTH) == 0)
		return check_document(x);
	const struct doc_error *e = &x->doc.err;
	char *message = xasprintf("line %zu, column %zu: %s", e->line, e->column, e->reason);

	c.rule = "malformed";
	c.message = message;
	rc = tell(x, &c);
	free(message);
	return rc;
}

static int each_orphan(void *arg, struct text ref, struct text target)
{
	struct checking *x = arg;
	char *link = xmemdup(ref.s, ref.n);
	char *message = xasprintf("a link that leads nowhere, to %.*s", (int)target.n, target.s);
	const struct complaint c = { .rule = "orphaned_symlink", .ref = link, .message = message };
	int rc = tell(x, &c);

	free(message);
	free(link);
	return rc;
}

static void checking_release(struct checking *x)
{
	struct buf *bufs[] = { &x->ref, &x->text, &x->list, &x->place, &x->file_ref, &x->path, &x->line };

	for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
		buf_release(bufs[i]);
	complaints_release(&x->found);
	doc_release(&x->doc);
}

int evidence_run(struct store *s, const struct set *set, bool strict, struct out *out, struct diag *d)
{
	struct checking x = { .s = s,
		              .set = set,
		              .e = &set->evidence,
		              .out = out,
		              .d = d,
		              .found = COMPLAINTS_INIT(d, strict),
		              .doc = DOC_INIT };
	char nothing[HEX_SIZE];

	if (!x.e->files)
		return diag_add(d, MIG_INVALID, "bad_set", set->id,
		                "/evidence: missing: the set does not say what documents record of files");
	int rc = s->ops->scan(s, set->match, each_document, &x, d);

	if (rc == 0)
		rc = s->ops->orphans(s, each_orphan, &x, d);
	if (rc == 0)
		rc = put_verdict(&x);
	complaints_finish(&x.found);
	digest_hex("", 0, nothing); /* an end is over plans, and there is none */
	if (rc == 0)
		rc = diag_exit(d) == MIG_OK ? stream_put_end(out, "mig-verify", 0, nothing) : -1;
	checking_release(&x);
	return rc;
}
