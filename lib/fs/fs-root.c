/* fs-root.c -- see fs-root.h */
#include "fs-root.h"

#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ALWAYS = O_CLOEXEC | O_NOCTTY | O_NONBLOCK, RETRIES = 100 };

/* The kernel gives EAGAIN when a rename elsewhere kept it from being sure: ask again. */
static int openat2_below(int at, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)flags,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	for (int i = 0; i < RETRIES; i++) {
		fd = (int)syscall(SYS_openat2, at, path, &how, sizeof how);
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

/* Open a folder by one name that must not be a link: -1 and errno, ELOOP for a link as openat2 says it. */
static int open_folder(int at, const char *name)
{
	struct stat st;
	int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOTDIR)
		errno = fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
	return fd;
}

/* Without openat2: one name at a time, none of them a link. */
static int walk_below(int at, const char *path, int flags, mode_t mode)
{
	int dir = at, fd;

	for (;;) {
		size_t n = strcspn(path, "/");
		bool last = path[n] == '\0';
		char *name = xmemdup(path, n);

		if (strcmp(name, "..") == 0) {
			errno = EXDEV;
			fd = -1;
		} else {
			fd = last ? openat(dir, name, flags | O_NOFOLLOW, mode) : open_folder(dir, name);
		}
		int err = errno;

		free(name);
		if (dir != at)
			close(dir);
		errno = err;
		if (fd < 0 || last)
			return fd;
		dir = fd;
		path += n + 1;
	}
}

int fs_open(const struct fs_root *r, int at, const char *path, int flags, mode_t mode)
{
	/* O_PATH tolerates no flag that speaks of reading or writing */
	flags |= flags & O_PATH ? O_CLOEXEC : ALWAYS;
	return r->beneath ? openat2_below(at, path, flags, mode) : walk_below(at, path, flags, mode);
}

int fs_root_open(struct fs_root *r, const char *dir, struct diag *d)
{
	*r = (struct fs_root)FS_ROOT_INIT;
	r->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->fd < 0) {
		bool known = errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP ||
		             errno == ENAMETOOLONG || errno == EPERM;

		return diag_add(d, known ? MIG_PRECONDITION : MIG_ERROR, known ? "store_missing" : "io_failed", dir,
		                "%s", strerror(errno));
	}
	r->name = xstrdup(dir);
	if (fs_stat(r->fd, &r->st) < 0)
		return diag_add(d, MIG_ERROR, "io_failed", dir, "cannot stat: %s", strerror(errno));
	int probe = openat2_below(r->fd, ".", O_PATH | O_CLOEXEC, 0);

	r->beneath = probe >= 0;
	if (probe >= 0)
		close(probe);
	return 0;
}

void fs_root_release(struct fs_root *r)
{
	if (r->fd >= 0)
		close(r->fd);
	free(r->name);
	*r = (struct fs_root)FS_ROOT_INIT;
}

static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '%';
}

void fs_escape(struct buf *out, const char *name, size_t n)
{
	const unsigned char *s = (const unsigned char *)name;

	for (size_t i = 0, k; i < n; i += k) {
		for (k = 0; i + k < n && plain(s[i + k]);)
			k++;
		if (k == 0 && s[i] >= 0x80)
			k = utf8_length(name + i, name + n);
		if (k == 0) {
			buf_addf(out, "%%%02X", s[i]);
			k = 1;
		} else {
			buf_add(out, name + i, k);
		}
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void fs_unescape(struct buf *out, struct text ref)
{
	if (!memchr(ref.s, '%', ref.n)) {
		buf_add(out, ref.s, ref.n);
		return;
	}
	for (size_t i = 0; i < ref.n; i++) {
		int hi = i + 2 < ref.n ? hex_digit(ref.s[i + 1]) : -1, lo = hi < 0 ? -1 : hex_digit(ref.s[i + 2]);

		if (ref.s[i] == '%' && hi >= 0 && lo >= 0) {
			buf_addch(out, (char)(hi * 16 + lo));
			i += 2;
		} else {
			buf_addch(out, ref.s[i]);
		}
	}
}

/* Plain names between single slashes, none of them "." or "..", the first not ours. */
static bool plain_names(const char *path)
{
	for (const char *s = path;;) {
		size_t n = strcspn(s, "/");

		if (n == 0 || (n <= 2 && strncmp(s, "..", n) == 0))
			return false;
		if (s == path && n == sizeof FS_STATE - 1 && strncmp(s, FS_STATE, n) == 0)
			return false;
		if (s[n] == '\0')
			return true;
		s += n + 1;
	}
}

/* Most refs need no escape; the others must be the escaped form of what they unescape to. */
static bool is_escaped_form(struct text ref, const char *path, size_t n)
{
	struct buf again = BUF_INIT;

	for (size_t i = 0;; i++) {
		if (i == ref.n)
			return true;
		if (!plain((unsigned char)ref.s[i]))
			break;
	}
	fs_escape(&again, path, n);
	bool same = again.len == ref.n && memcmp(again.s, ref.s, ref.n) == 0;

	buf_release(&again);
	return same;
}

int fs_path(struct buf *out, struct text ref, struct diag *d)
{
	size_t at = out->len;

	fs_unescape(out, ref);
	size_t n = out->len - at;

	if (n == 0 || memchr(out->s + at, '\0', n) || !plain_names(out->s + at) ||
	    !is_escaped_form(ref, out->s + at, n)) {
		char *shown = xmemdup(ref.s ? ref.s : "", ref.n);

		if (out->s)
			buf_setlen(out, at);
		diag_add(d, MIG_INVALID, "bad_ref", shown, "not the ref of a file below the store's root");
		free(shown);
		return -1;
	}
	return 0;
}

int fs_read_all(int fd, struct buf *b, size_t size)
{
	enum { MORE = 64 * 1024 };
	size_t want = size + 1;

	buf_reset(b);
	for (;;) {
		if (b->len + want >= UINT32_MAX) {
			errno = EFBIG;
			return -1;
		}
		buf_reserve(b, want);
		ssize_t r = pread(fd, b->s + b->len, want, (off_t)b->len);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		buf_setlen(b, b->len + (size_t)r);
		/* one byte more than the size was asked for: a read that gives the size gave all */
		if (r == 0 || b->len == size)
			return 0;
		want = MORE;
	}
}

int fs_stat(int fd, struct statx *st)
{
	return statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_MNT_ID, st);
}

bool fs_same(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor;
}

bool fs_same_mount(const struct statx *a, const struct statx *b)
{
	bool known = a->stx_mask & b->stx_mask & STATX_MNT_ID;

	return a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor &&
	       (!known || a->stx_mnt_id == b->stx_mnt_id);
}

int fs_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	int rc = renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);

	if (rc == 0 || (errno != EINVAL && errno != ENOSYS))
		return rc;
	/* a link does not replace either; where there are none, nobody but the lock's holder makes these names */
	if (linkat(from_dir, from, to_dir, to, 0) == 0)
		return unlinkat(from_dir, from, 0);
	if (errno == EEXIST)
		return -1;
	if (faccessat(to_dir, to, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return renameat(from_dir, from, to_dir, to);
	errno = EEXIST;
	return -1;
}

int fs_fault(struct diag *d, const char *where, const char *verb, int err, bool exchanged)
{
	enum mig_exit code = exchanged ? MIG_ERROR : MIG_PRECONDITION;

	switch (err) {
	case ENOSPC:
	case EDQUOT:
		return diag_add(d, code, "store_full", where, "cannot %s: %s", verb, strerror(err));
	case EROFS:
		return diag_add(d, code, "store_readonly", where, "cannot %s: %s", verb, strerror(err));
	case EACCES:
	case EPERM:
		return diag_add(d, code, "not_writable", where, "cannot %s: %s", verb, strerror(err));
	case EXDEV:
		return diag_add(d, code, "other_filesystem", where,
		                "cannot %s: it is on another file system than the root", verb);
	case EMFILE:
	case ENFILE:
		return diag_add(d, code, "too_many_files", where, "cannot %s: %s", verb, strerror(err));
	case ENAMETOOLONG:
		return diag_add(d, code, "name_too_long", where, "cannot %s: %s", verb, strerror(err));
	default:
		return diag_add(d, MIG_ERROR, "io_failed", where, "cannot %s: %s", verb, strerror(err));
	}
}
