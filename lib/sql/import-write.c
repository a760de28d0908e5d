/* import-write.c -- see import-write.h */
#include "import-write.h"

#include "canon.h"
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct out_file {
	char *folder; /* of a hop, or NULL */
	char *path;   /* below the set */
	struct buf text;
};

struct writing {
	struct out_file *file; /* a folder's stand together */
	size_t n;
	int parent;
	const char *name;
	struct diag *d;
};

bool import_place(const char *to, char **parent, char **name)
{
	size_t n = strlen(to);

	while (n && to[n - 1] == '/')
		n--;
	char *path = xmemdup(to, n), *slash = strrchr(path, '/');

	*name = xstrdup(slash ? slash + 1 : path);
	*parent = slash ? xmemdup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	free(path);
	return **name && strcmp(*name, ".") != 0 && strcmp(*name, "..") != 0;
}

/* ---- texts ---- */

static struct buf *add(struct writing *w, const char *folder, const char *name)
{
	w->file = xrealloc(w->file, w->n + 1, sizeof *w->file);
	w->file[w->n] = (struct out_file){ folder ? xstrdup(folder) : NULL,
		                           folder ? xasprintf("%s/%s", folder, name) : xstrdup(name), BUF_INIT };
	buf_reserve(&w->file[w->n].text, 0);
	return &w->file[w->n++].text;
}

static void member(struct buf *b, const char *name, const char *value)
{
	buf_addstr(b, b->len ? ",\n  \"" : "{\n  \"");
	buf_addstr(b, name);
	buf_addstr(b, "\": ");
	canon_string(b, value, strlen(value));
}

static void add_hop(struct writing *w, const struct import_hop *h)
{
	char *folder = xasprintf("%s..%s", h->from, h->to);
	struct buf *b = add(w, folder, "hop.json");

	member(b, "from", h->from);
	member(b, "to", h->to);
	member(b, "type", "schema");
	member(b, "description", h->title && *h->title ? h->title : h->file);
	buf_addstr(b, "\n}\n");
	b = add(w, folder, "up.sql");
	buf_add(b, h->up.s, h->up.len);
	if (h->has_down) {
		b = add(w, folder, "down.sql");
		buf_add(b, h->down.s, h->down.len);
	}
	free(folder);
}

static void compose(struct writing *w, const struct import *im, const char *id, const char *dialect)
{
	struct buf *b = add(w, NULL, "set.json");

	member(b, "id", id);
	member(b, "mode", "sql");
	if (dialect)
		member(b, "dialect", dialect);
	buf_addstr(b, "\n}\n");
	for (size_t i = 0; i < im->n; i++)
		add_hop(w, &im->hop[i]);
}

/* ---- files ---- */

static int failed(struct writing *w, const char *path)
{
	bool full = errno == ENOSPC || errno == EDQUOT;

	return diag_add(w->d, full ? MIG_PRECONDITION : MIG_ERROR, full ? "store_full" : "write_failed", path, "%s",
	                strerror(errno));
}

static int write_file(struct writing *w, int dir, const struct out_file *f)
{
	int fd = openat(dir, f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0)
		return failed(w, f->path);
	int rc = io_write(fd, f->text.s, f->text.len);

	if (close(fd) < 0)
		rc = -1;
	return rc < 0 ? failed(w, f->path) : 0;
}

static int write_files(struct writing *w, int dir)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct out_file *f = &w->file[i];

		if (f->folder && strcmp(strrchr(f->path, '/'), "/hop.json") == 0 && mkdirat(dir, f->folder, 0777) < 0)
			return failed(w, f->folder);
		if (write_file(w, dir, f) < 0)
			return -1;
	}
	return syncfs(dir) < 0 ? failed(w, w->name) : 0;
}

static void take_away(struct writing *w, int dir, const char *temp)
{
	for (size_t i = w->n; i-- > 0;) {
		unlinkat(dir, w->file[i].path, 0);
		if (w->file[i].folder && (i == 0 || !w->file[i - 1].folder ||
		                          strcmp(w->file[i - 1].folder, w->file[i].folder) != 0))
			unlinkat(dir, w->file[i].folder, AT_REMOVEDIR);
	}
	unlinkat(w->parent, temp, AT_REMOVEDIR);
}

/* Beside its place, then there by one rename. */
static int write_set(struct writing *w)
{
	char *temp = xasprintf(".%s.mig-import.%ld", w->name, (long)getpid());
	int dir = -1, rc = -1;

	if (mkdirat(w->parent, temp, 0777) < 0 ||
	    (dir = openat(w->parent, temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		failed(w, w->name);
	} else if ((rc = write_files(w, dir)) == 0 && renameat(w->parent, temp, w->parent, w->name) < 0) {
		rc = failed(w, w->name);
	}
	if (rc < 0 && dir >= 0)
		take_away(w, dir, temp);
	if (dir >= 0)
		close(dir);
	free(temp);
	return rc;
}

/* ---- what stands there ---- */

static bool same_file(int dir, const struct out_file *f)
{
	struct buf b = BUF_INIT;
	int fd = openat(dir, f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool same = fd >= 0 && io_slurp(fd, &b, f->text.len, f->text.len + 1) == 0 && b.len == f->text.len &&
	            (b.len == 0 || memcmp(b.s, f->text.s, b.len) == 0);

	if (fd >= 0)
		close(fd);
	buf_release(&b);
	return same;
}

/* Nothing there, or an empty folder, which the rename replaces. */
static bool is_free(const struct writing *w)
{
	int fd = openat(w->parent, w->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), n = 0;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir)
		return errno == ENOENT;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n == 2; /* itself and its parent */
}

static int compare(struct writing *w)
{
	int dir = openat(w->parent, w->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	for (size_t i = 0; i < w->n && rc == 0; i++)
		if (dir < 0 || !same_file(dir, &w->file[i]))
			rc = diag_add(w->d, MIG_INVALID, "exists", w->name,
			              "nothing is overwritten, and %s in it is not what would be written",
			              w->file[i].path);
	if (dir >= 0)
		close(dir);
	return rc;
}

int import_write(const struct import *im, const char *id, const char *dialect, int parent, const char *name,
                 struct diag *d)
{
	struct writing w = { .parent = parent, .name = name, .d = d };

	compose(&w, im, id, dialect);
	int rc = is_free(&w) ? write_set(&w) : compare(&w);

	for (size_t i = 0; i < w.n; i++) {
		free(w.file[i].folder);
		free(w.file[i].path);
		buf_release(&w.file[i].text);
	}
	free(w.file);
	return rc;
}
