/* fs-scan.c -- see fs-scan.h */
#include "fs-scan.h"

#include "fs-glob.h"
#include "stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A document whose record would be longer than streams carry is not read. */
enum { LISTING = 32 * 1024, CHUNK = 64 * 1024, LARGE_SHARE = 4 };

/* A name in a folder that is a document, or may lead to one. */
struct item {
	size_t key, raw; /* offsets in the level's text: the escaped name, "/" added to a folder's; the name */
	unsigned char type;
};

struct level {
	struct buf text; /* NUL-ended */
	struct item *item;
	size_t n, cap;
};

struct scan {
	const struct fs_root *root;
	struct glob glob;
	int (*each)(void *arg, const struct store_doc *doc);
	void *arg;
	struct diag *d;
	size_t max;
	struct buf ref, bytes; /* ref: of the folder being read, "/" included */
	char *dents;
};

static void unread(struct store_doc *doc, const char *code, const char *reason)
{
	doc->bytes = NULL;
	doc->code = code;
	doc->reason = reason;
	digest_hex("", 0, doc->raw);
}

/* Hash a file without holding it: 0, or -1 and errno. */
static int hash_file(int fd, struct buf *room, struct store_doc *doc)
{
	struct digest *sum = digest_new();
	ssize_t r;

	buf_reset(room);
	buf_reserve(room, CHUNK);
	while ((r = read(fd, room->s, CHUNK)) != 0) {
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			break;
		digest_add(sum, room->s, (size_t)r);
		doc->size += (size_t)r;
	}
	int err = errno;

	digest_final(sum, doc->raw);
	digest_free(sum);
	buf_reset(room);
	errno = err;
	return r < 0 ? -1 : 0;
}

/* Read the open file into doc: 0, or -1 and errno. */
static int read_open(int fd, size_t max, struct buf *bytes, struct store_doc *doc)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		unread(doc, "not_regular", "not a regular file");
		return 0;
	}
	if ((size_t)st.st_size <= max) {
		if (fs_read_all(fd, bytes, (size_t)st.st_size) < 0)
			return -1;
		doc->bytes = bytes;
		doc->size = bytes->len;
		digest_hex(bytes->s, bytes->len, doc->raw);
		return 0;
	}
	unread(doc, "too_large", "larger than a quarter of MIG_MAX_RECORD");
	return hash_file(fd, bytes, doc);
}

/* What errno of an open says about a name: true, and doc is a reject. */
static bool refused(int err, struct store_doc *doc)
{
	if (err == ELOOP)
		unread(doc, "symlink", "a symbolic link");
	else if (err == ENXIO || err == ENODEV || err == EISDIR)
		unread(doc, "not_regular", "not a regular file");
	else if (err == EACCES || err == EPERM)
		unread(doc, "unreadable", "no permission to read it");
	else
		return false;
	return true;
}

static int failed(struct diag *d, const char *where, int err)
{
	return diag_add(d, MIG_ERROR, "io_failed", where, "cannot read: %s", strerror(err));
}

static int scan_file(struct scan *x, int dir, const char *name, const char *key, unsigned char type)
{
	size_t at = x->ref.len;
	struct store_doc doc = { .bytes = NULL };
	int rc = 0, fd = -1;

	buf_addstr(&x->ref, key);
	doc.ref = (struct text){ x->ref.s, x->ref.len };
	if (type == DT_LNK)
		unread(&doc, "symlink", "a symbolic link");
	else if (type != DT_REG && type != DT_UNKNOWN)
		unread(&doc, "not_regular", "not a regular file");
	else if ((fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) < 0)
		/* a name that went away since the folder was read is not there */
		rc = errno == ENOENT ? 1 : refused(errno, &doc) ? 0 : failed(x->d, x->ref.s, errno);
	else if (read_open(fd, x->max, &x->bytes, &doc) < 0)
		rc = failed(x->d, x->ref.s, errno);
	if (fd >= 0)
		close(fd);
	if (rc == 0)
		rc = x->each(x->arg, &doc);
	buf_setlen(&x->ref, at);
	return rc < 0 ? -1 : 0;
}

/* The file type of a name where the folder's entry does not tell. */
static unsigned char type_of(int dir, const struct dirent64 *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return DT_UNKNOWN;
	return IFTODT(st.st_mode);
}

/* Take the name into the level if a glob matches it, or may match what is below it. */
static void consider(struct scan *x, int dir, const struct dirent64 *e, const unsigned char *on, unsigned char *next,
                     struct level *l)
{
	const char *name = e->d_name;
	size_t n = strlen(name);
	bool root = x->ref.len == 0;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (root && strcmp(name, FS_STATE) == 0))
		return;
	unsigned char type = type_of(dir, e);

	if (!glob_step(&x->glob, on, name, n, next))
		return;
	if (type == DT_DIR ? !glob_step(&x->glob, next, "/", 1, next) : !glob_accepts(&x->glob, next))
		return;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 16;
		l->item = xrealloc(l->item, l->cap, sizeof *l->item);
	}
	struct item *it = &l->item[l->n++];

	*it = (struct item){ .key = l->text.len, .type = type };
	fs_escape(&l->text, name, n);
	if (type == DT_DIR)
		buf_addch(&l->text, '/');
	buf_addch(&l->text, '\0');
	it->raw = l->text.len;
	buf_add(&l->text, name, n + 1);
}

static int by_key(const void *a, const void *b, void *text)
{
	const struct item *x = a, *y = b;
	const char *s = text;

	return strcmp(s + x->key, s + y->key);
}

static int read_level(struct scan *x, int dir, const unsigned char *on, unsigned char *next, struct level *l)
{
	ssize_t n;

	while ((n = getdents64(dir, x->dents, LISTING)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(x->d, x->ref.len ? x->ref.s : x->root->name, errno);
		for (ssize_t at = 0; at < n;) {
			struct dirent64 *e = (void *)(x->dents + at);

			consider(x, dir, e, on, next, l);
			at += e->d_reclen;
		}
	}
	if (l->n)
		qsort_r(l->item, l->n, sizeof *l->item, by_key, l->text.s);
	return 0;
}

static int scan_folder(struct scan *x, int dir, const unsigned char *on);

static int enter(struct scan *x, int dir, const char *name, const char *key, const unsigned char *on,
                 unsigned char *next)
{
	size_t at = x->ref.len;
	int rc = 0, fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	buf_addstr(&x->ref, key);
	if (fd >= 0) {
		glob_step(&x->glob, on, name, strlen(name), next);
		glob_step(&x->glob, next, "/", 1, next);
		rc = scan_folder(x, fd, next);
		close(fd);
	} else if (errno == EACCES || errno == EPERM) {
		rc = diag_add(x->d, MIG_PRECONDITION, "unreadable", x->ref.s, "no permission to read this folder");
	} else if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
		rc = fs_fault(x->d, x->ref.s, "read", errno, false);
	}
	buf_setlen(&x->ref, at);
	return rc;
}

static int scan_folder(struct scan *x, int dir, const unsigned char *on)
{
	struct level l = { .n = 0 };
	unsigned char *next = xmalloc(x->glob.n + 1);
	int rc = read_level(x, dir, on, next, &l);

	for (size_t i = 0; i < l.n && rc == 0; i++) {
		const struct item *it = &l.item[i];
		const char *key = l.text.s + it->key, *name = l.text.s + it->raw;

		rc = it->type == DT_DIR ? enter(x, dir, name, key, on, next) : scan_file(x, dir, name, key, it->type);
	}
	buf_release(&l.text);
	free(l.item);
	free(next);
	return rc;
}

int fs_scan(const struct fs_root *r, char *const *globs, int (*each)(void *arg, const struct store_doc *doc),
            void *arg, struct diag *d)
{
	struct scan x = { .root = r, .each = each, .arg = arg, .d = d, .max = stream_max_record() / LARGE_SHARE };
	int rc, fd = openat(r->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return failed(d, r->name, errno);
	glob_init(&x.glob, globs);
	x.dents = xmalloc(LISTING);
	buf_reserve(&x.ref, 256);
	unsigned char *on = xmalloc(x.glob.n + 1);

	glob_start(&x.glob, on);
	rc = scan_folder(&x, fd, on);
	close(fd);
	free(on);
	free(x.dents);
	glob_release(&x.glob);
	buf_release(&x.ref);
	buf_release(&x.bytes);
	return rc;
}

int fs_read(const struct fs_root *r, struct text ref, struct buf *bytes, struct store_doc *doc, struct diag *d)
{
	struct buf path = BUF_INIT;
	int rc = 0;

	*doc = (struct store_doc){ .ref = ref };
	if (fs_path(&path, ref, d) < 0) {
		buf_release(&path);
		return -1;
	}
	int fd = fs_open(r, r->fd, path.s, O_RDONLY, 0);
	char *shown = xmemdup(ref.s, ref.n);

	if (fd >= 0)
		rc = read_open(fd, stream_max_record() / LARGE_SHARE, bytes, doc) < 0 ? failed(d, shown, errno) : 0;
	else if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
		rc = diag_add(d, MIG_PRECONDITION, "missing", shown, "no such document");
	else if (!refused(errno, doc))
		rc = failed(d, shown, errno);
	if (fd >= 0)
		close(fd);
	free(shown);
	buf_release(&path);
	return rc;
}
