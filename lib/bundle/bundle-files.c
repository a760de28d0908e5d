/* bundle-files.c -- see bundle-files.h */
#include "bundle-files.h"

#include "io.h"
#include "utf8.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEEPEST = 16, PIECE = 1 << 16 };

static int unreadable(const char *path, struct diag *d)
{
	if (errno == ELOOP || errno == ENOTDIR || errno == ENXIO)
		return diag_add(d, MIG_INVALID, "bundle_not_regular", path, "a link, or neither file nor folder");
	return diag_add(d, errno == ENOENT ? MIG_PRECONDITION : MIG_ERROR, "bundle_unreadable", path, "cannot read: %s",
	                strerror(errno));
}

int bundle_open(int dir, const char *path)
{
	struct stat st;
	int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return fd;
	close(fd);
	errno = ELOOP;
	return -1;
}

static int hash_file(struct bundle_file *x, int fd)
{
	struct digest *sum = digest_new();
	char *piece = xmalloc(PIECE);
	ssize_t n;

	digest_begin(sum);
	while ((n = io_read(fd, piece, PIECE)) > 0) {
		digest_add(sum, piece, (size_t)n);
		x->size += n;
	}
	digest_final(sum, x->sha256);
	digest_free(sum);
	free(piece);
	return n < 0 ? -1 : 0;
}

static int add_file(struct bundle_files *f, int dir, const char *name, const char *path, struct diag *d)
{
	struct bundle_file x = { .path = NULL };
	int fd = bundle_open(dir, name);
	int rc = fd < 0 || hash_file(&x, fd) < 0 ? unreadable(path, d) : 0;

	if (fd >= 0)
		close(fd);
	if (rc < 0)
		return -1;
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 16;
		f->v = xrealloc(f->v, f->cap, sizeof *f->v);
	}
	x.path = xstrdup(path);
	f->v[f->n++] = x;
	return 0;
}

static bool is_plain(const char *name)
{
	for (const char *s = name; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return utf8_valid(name, strlen(name));
}

static int walk(struct bundle_files *f, int fd, const char *path, int depth, struct diag *d);

static int add(struct bundle_files *f, int dir, const char *name, const char *path, int depth, struct diag *d)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return unreadable(path, d);
	if (!S_ISDIR(st.st_mode))
		return add_file(f, dir, name, path, d);
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? unreadable(path, d) : walk(f, fd, path, depth + 1, d);
}

/* Closes fd.  All that is wrong is named, not only the first of it. */
static int walk(struct bundle_files *f, int fd, const char *path, int depth, struct diag *d)
{
	DIR *dir = depth > DEEPEST ? NULL : fdopendir(fd);
	const struct dirent *e;
	int rc = 0;

	if (!dir) {
		close(fd);
		return diag_add(d, MIG_INVALID, "bundle_name", path, "too deep");
	}
	while ((e = readdir(dir))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		char *below = xasprintf("%s/%s", path, e->d_name);

		if (!is_plain(e->d_name))
			rc = diag_add(d, MIG_INVALID, "bundle_name", path,
			              "holds a name that is not UTF-8, or with control characters");
		else if (add(f, dirfd(dir), e->d_name, below, depth, d) < 0)
			rc = -1;
		free(below);
	}
	closedir(dir);
	return rc;
}

int bundle_files_read(struct bundle_files *f, int dir, const char *name, struct diag *d)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : unreadable(name, d);
	return walk(f, fd, name, 0, d);
}

void bundle_files_release(struct bundle_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].path);
	free(f->v);
	*f = (struct bundle_files){ NULL, 0, 0 };
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct bundle_file *)a)->path, ((const struct bundle_file *)b)->path);
}

void bundle_files_sort(struct bundle_files *f)
{
	if (f->n)
		qsort(f->v, f->n, sizeof *f->v, by_path);
}

struct bundle_file *bundle_files_find(const struct bundle_files *f, const char *path)
{
	const struct bundle_file key = { .path = (char *)(uintptr_t)path };

	return f->n ? bsearch(&key, f->v, f->n, sizeof *f->v, by_path) : NULL;
}
