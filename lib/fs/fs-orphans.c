/* fs-orphans.c -- see fs-orphans.h */
#include "fs-orphans.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

struct walk {
	const struct fs_root *root;
	int (*each)(void *arg, struct text ref, struct text target);
	void *arg;
	struct diag *d;
	struct buf ref, target; /* ref: of the folder at work, "/" included */
};

/* A folder or a link that leads nowhere; a folder's key ends with "/", so that refs come in byte order. */
struct item {
	char *key, *name;
	bool folder;
};

struct items {
	struct item *item;
	size_t n, cap;
};

static void items_release(struct items *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->item[i].key);
		free(l->item[i].name);
	}
	free(l->item);
}

static void items_add(struct items *l, const char *name, bool folder)
{
	struct buf key = BUF_INIT;

	fs_escape(&key, name, strlen(name));
	if (folder)
		buf_addch(&key, '/');
	if (l->n == l->cap) {
		l->cap = l->cap * 2 + 16;
		l->item = xrealloc(l->item, l->cap, sizeof *l->item);
	}
	l->item[l->n++] = (struct item){ buf_steal(&key), xstrdup(name), folder };
}

static int by_key(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static int failed(const struct walk *w, int err)
{
	const char *where = w->ref.len ? w->ref.s : w->root->name;

	if (err == EACCES || err == EPERM)
		return diag_add(w->d, MIG_PRECONDITION, "unreadable", where, "no permission to read this folder");
	return diag_add(w->d, MIG_ERROR, "io_failed", where, "cannot read: %s", strerror(err));
}

/* Does the link lead to nothing, or round in a circle?  What may not be looked at is not known to be nothing. */
static bool leads_nowhere(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_NO_AUTOMOUNT) < 0 &&
	       (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG);
}

static unsigned char type_of(int dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	return fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? DT_UNKNOWN : IFTODT(st.st_mode);
}

static int list(const struct walk *w, DIR *it, struct items *l)
{
	const struct dirent *e;

	while ((errno = 0, e = readdir(it))) {
		const char *name = e->d_name;
		unsigned char type;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    (w->ref.len == 0 && strcmp(name, FS_STATE) == 0))
			continue;
		type = type_of(dirfd(it), e);
		if (type == DT_DIR || (type == DT_LNK && leads_nowhere(dirfd(it), name)))
			items_add(l, name, type == DT_DIR);
	}
	if (errno)
		return failed(w, errno);
	if (l->n)
		qsort(l->item, l->n, sizeof *l->item, by_key);
	return 0;
}

static int put_orphan(struct walk *w, int dir, const char *name)
{
	char to[PATH_MAX];
	ssize_t n = readlinkat(dir, name, to, sizeof to);

	if (n < 0)
		return errno == ENOENT || errno == EINVAL ? 0 : failed(w, errno);
	buf_reset(&w->target);
	fs_escape(&w->target, to, (size_t)n);
	return w->each(w->arg, (struct text){ w->ref.s, w->ref.len }, (struct text){ w->target.s, w->target.len });
}

static int walk(struct walk *w, int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc;
	DIR *it = fd < 0 ? NULL : fdopendir(fd);
	struct items l = { .n = 0 };
	size_t len = w->ref.len;

	if (!it) {
		rc = errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : failed(w, errno);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	rc = list(w, it, &l);
	for (size_t i = 0; i < l.n && rc == 0; i++) {
		buf_addstr(&w->ref, l.item[i].key);
		rc = l.item[i].folder ? walk(w, dirfd(it), l.item[i].name) : put_orphan(w, dirfd(it), l.item[i].name);
		buf_setlen(&w->ref, len);
	}
	closedir(it);
	items_release(&l);
	return rc;
}

int fs_orphans(const struct fs_root *r, int (*each)(void *arg, struct text ref, struct text target), void *arg,
               struct diag *d)
{
	struct walk w = { .root = r, .each = each, .arg = arg, .d = d };

	buf_reserve(&w.ref, 256);
	int rc = walk(&w, r->fd, ".");

	buf_release(&w.ref);
	buf_release(&w.target);
	return rc;
}
