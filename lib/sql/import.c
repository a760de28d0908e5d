/* import.c -- see import.h */
#include "import.h"

#include "import-text.h"
#include "io.h"
#include "semver.h"
#include "utf8.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEQUENTIAL = 100000 }; /* numbers below are counted, those above are times */

struct reading {
	struct import *im;
	enum import_tool tool;
	const char *dir;
	const enum dialect *dialect;
	struct diag *d;
};

void import_release(struct import *im)
{
	for (size_t i = 0; i < im->n; i++) {
		struct import_hop *h = &im->hop[i];

		free(h->file);
		free(h->from);
		free(h->to);
		free(h->title);
		buf_release(&h->up);
		buf_release(&h->down);
	}
	free(im->hop);
	*im = (struct import)IMPORT_INIT;
}

/* The hop of a version, made if there is none; to is stolen. */
static struct import_hop *hop_of(struct import *im, char *to, const char *file)
{
	for (size_t i = 0; i < im->n && to; i++)
		if (im->hop[i].to && strcmp(im->hop[i].to, to) == 0) {
			free(to);
			return &im->hop[i];
		}
	if (im->n == im->cap) {
		im->cap = im->cap ? im->cap * 2 : 32;
		im->hop = xrealloc(im->hop, im->cap, sizeof *im->hop);
	}
	im->hop[im->n] = (struct import_hop){ .to = to, .file = xstrdup(file), .repeatable = !to };
	return &im->hop[im->n++];
}

/* ---- texts ---- */

/* Flyway's own setting beside a script: V1__x.sql.conf with executeInTransaction=false. */
static bool conf_says_none(const struct reading *r, const char *path)
{
	struct diag d = DIAG_INIT;
	struct buf b = BUF_INIT;
	char *conf = xasprintf("%s.conf", path);
	bool none = false;

	if (r->tool == IMPORT_FLYWAY && access(conf, F_OK) == 0 && io_read_file(conf, &b, "missing_source", &d) == 0)
		none = b.len && strstr(b.s, "executeInTransaction=false");
	diag_release(&d);
	buf_release(&b);
	free(conf);
	return none;
}

static int check_script(const struct reading *r, const struct buf *b, const char *path)
{
	struct script script = SCRIPT_INIT;
	struct buf folded = BUF_INIT;
	int rc = 0;

	if (r->tool == IMPORT_FLYWAY && b->len && memmem(b->s, b->len, "${", 2))
		rc = diag_add(r->d, MIG_INVALID, "placeholder", path, "a placeholder: write in what ${..} stands for");
	script_fold(&folded, b->s ? b->s : "", b->len);
	buf_reserve(&folded, 0);
	if (r->dialect && script_split(&script, folded.s, folded.len, *r->dialect, path, r->d) < 0)
		rc = -1;
	script_release(&script);
	buf_release(&folded);
	return rc;
}

static int duplicate(const struct reading *r, const char *path, const struct import_hop *h)
{
	return diag_add(r->d, MIG_INVALID, "duplicate_version", path, "the version of %s, too", h->file);
}

/* A file of its own for each direction. */
static int take_one(const struct reading *r, struct import_hop *h, bool up, struct import_name *n, const char *file,
                    const char *path, const struct buf *raw)
{
	struct buf *to = up ? &h->up : &h->down;

	if (up ? h->has_up : h->has_down)
		return duplicate(r, path, h);
	if (up) {
		free(h->file);
		h->file = xstrdup(file);
		free(h->title);
		h->title = n->title;
		n->title = NULL;
		h->has_up = true;
	} else {
		h->has_down = true;
	}
	if (conf_says_none(r, path))
		buf_addstr(to, "-- mig:transaction=none\n");
	buf_add(to, raw->s, raw->len);
	return check_script(r, to, path);
}

static int take_both(const struct reading *r, struct import_hop *h, struct import_name *n, const char *path,
                     const struct buf *raw)
{
	struct import_text t = { .has_down = false };

	if (h->has_up)
		return duplicate(r, path, h);
	h->title = n->title;
	n->title = NULL;
	h->has_up = true;
	int rc = import_text_read(&t, r->tool, raw->s, raw->len, path, r->d);

	h->up = t.up;
	h->down = t.down;
	h->has_down = t.has_down;
	if (rc == 0 && (check_script(r, &h->up, path) < 0 || check_script(r, &h->down, path) < 0))
		rc = -1;
	return rc;
}

static int take_text(const struct reading *r, struct import_name *n, const char *file, const char *path)
{
	struct buf raw = BUF_INIT;
	int rc = io_read_file(path, &raw, "missing_source", r->d);

	buf_reserve(&raw, 0);
	if (rc == 0 && (!utf8_valid(raw.s, raw.len) || memchr(raw.s, '\0', raw.len)))
		rc = diag_add(r->d, MIG_INVALID, "bad_script", path, "not a text in UTF-8");
	if (rc == 0) {
		struct import_hop *h = hop_of(r->im, n->version, file);

		n->version = NULL;
		if (n->part == IMPORT_BOTH)
			rc = take_both(r, h, n, path, &raw);
		else
			rc = take_one(r, h, n->part != IMPORT_DOWN, n, file, path, &raw);
	}
	buf_release(&raw);
	return rc;
}

static int take_file(const struct reading *r, const char *file)
{
	char *path = xasprintf("%s/%s", r->dir, file);
	struct import_name n;
	struct stat st;
	int rc = 0;

	import_name_read(&n, r->tool, file);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		diag_warn(r->d, "folder", path, "a folder: what is in it is not read");
	else if (n.part == IMPORT_BAD)
		rc = diag_add(r->d, MIG_INVALID, "bad_name", path, "%s", n.problem);
	else if (n.part != IMPORT_OTHER)
		rc = take_text(r, &n, file, path);
	import_name_release(&n);
	free(path);
	return rc;
}

/* ---- order ---- */

static int by_version(const void *a, const void *b)
{
	const struct import_hop *x = a, *y = b;

	if (x->repeatable || y->repeatable) /* behind the others, by name */
		return x->repeatable && y->repeatable ? strcmp(x->file, y->file) : x->repeatable - y->repeatable;
	return semver_compare(x->to, y->to);
}

/* "2.0.0" is 2, and nothing else is a number: -1. */
static long long counted(const char *version)
{
	char *end;
	long long n = strtoll(version, &end, 10);

	return strcmp(end, ".0.0") == 0 && n < SEQUENTIAL ? n : -1;
}

/* Where numbers are counted, one that lacks may have been lost. */
static void name_gaps(const struct reading *r)
{
	long long last = 0;

	for (size_t i = 0; i < r->im->n && last >= 0; i++) {
		const struct import_hop *h = &r->im->hop[i];
		long long n = h->repeatable ? -1 : counted(h->to);

		if (n > last + 1)
			diag_warn(r->d, "gap", h->file, "the one before it is %lld: %lld is not there", last, last + 1);
		last = n;
	}
}

/* Behind 5.0.0 the first repeatable one leads to 5.0.1. */
static char *version_behind(const char *version)
{
	const char *patch = strrchr(version, '.') + 1;

	return xasprintf("%.*s%lld", (int)(patch - version), version, strtoll(patch, NULL, 10) + 1);
}

static int chain(const struct reading *r)
{
	const char *last = "0.0.0";
	int rc = 0;

	for (size_t i = 0; i < r->im->n; i++) {
		struct import_hop *h = &r->im->hop[i];

		if (!h->has_up)
			rc = diag_add(r->d, MIG_INVALID, "missing_up", h->file, "a way down, but no way up");
		if (h->repeatable) {
			h->to = version_behind(last);
			diag_warn(r->d, "repeatable", h->file, "becomes %s, which is applied once", h->to);
		}
		h->from = xstrdup(last);
		last = h->to;
	}
	return rc;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int import_read(struct import *im, enum import_tool tool, const char *dir, const enum dialect *dialect, struct diag *d)
{
	struct reading r = { im, tool, dir, dialect, d };
	struct dirent **e;
	int n = scandir(dir, &e, is_shown, by_bytes), rc = 0;

	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return diag_add(d, MIG_PRECONDITION, "missing_source", dir, "no folder of migrations there");
	if (n < 0)
		return diag_add(d, MIG_ERROR, "read_failed", dir, "%s", strerror(errno));
	for (int i = 0; i < n; i++) {
		if (take_file(&r, e[i]->d_name) < 0)
			rc = -1;
		free(e[i]);
	}
	free(e);
	if (im->n == 0 && rc == 0)
		return diag_add(d, MIG_INVALID, "no_migrations", dir, "no migrations in it");
	if (im->n)
		qsort(im->hop, im->n, sizeof *im->hop, by_version);
	name_gaps(&r);
	return chain(&r) < 0 ? -1 : rc;
}
