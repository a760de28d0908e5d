/* fs-file.c -- see fs-file.h */
#include "fs-file.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { NEW_MODE = 0600, ACCESS_BITS = 0777, MODE_BITS = 07777 };

int fs_file_init(struct fs_file *f, const struct step *s, const char *plan_hash, struct diag *d)
{
	struct buf path = BUF_INIT;

	*f = (struct fs_file){ .step = s, .parent = -1, .fd = -1 };
	if (fs_path(&path, s->ref, d) < 0) {
		buf_release(&path);
		return -1;
	}
	f->ref = xmemdup(s->ref.s, s->ref.n);
	f->path = buf_steal(&path);
	const char *slash = strrchr(f->path, '/');

	f->base = slash ? slash + 1 : f->path;
	snprintf(f->temp, sizeof f->temp, "%.16s.%u", plan_hash, (unsigned)s->index);
	return 0;
}

void fs_file_close(struct fs_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->parent >= 0 && !f->borrows_parent)
		close(f->parent);
	f->fd = f->parent = -1;
	f->borrows_parent = false;
}

void fs_file_release(struct fs_file *f)
{
	fs_file_close(f);
	free(f->ref);
	free(f->path);
	free(f->backup);
	*f = (struct fs_file){ .parent = -1, .fd = -1 };
}

static bool same_folder(const struct fs_file *a, const struct fs_file *b)
{
	size_t n = (size_t)(a->base - a->path);

	return n == (size_t)(b->base - b->path) && memcmp(a->path, b->path, n) == 0;
}

/* Open the folder that holds the file: 0, or -1 and errno. */
static int open_parent(const struct fs_root *r, struct fs_file *f, const struct fs_file *before)
{
	if (f->parent >= 0)
		return 0;
	if (before && before->parent >= 0 && same_folder(f, before)) {
		f->parent = before->parent;
		f->borrows_parent = true;
		return 0;
	}
	char *dir = f->base == f->path ? xstrdup(".") : xmemdup(f->path, (size_t)(f->base - f->path) - 1);

	f->parent = fs_open(r, r->fd, dir, O_PATH | O_DIRECTORY, 0);
	int err = errno;

	free(dir);
	errno = err;
	return f->parent < 0 ? -1 : 0;
}

/* What errno of an open says about the thing that was to be opened; NULL: nothing. */
static const char *what_is_there(int err)
{
	switch (err) {
	case ENOENT:
		return "absent";
	case ELOOP:
		return "a symbolic link";
	case ENOTDIR:
		return "a file where a folder was";
	case EISDIR:
	case ENXIO:
	case ENODEV:
		return "not a regular file";
	case EXDEV:
		return "outside the root";
	case ENAMETOOLONG:
		return "absent (the name is too long)";
	default:
		return NULL;
	}
}

/* Open the last name in the parent and stat it. */
static int open_base(struct fs_file *f, struct statx *st)
{
	f->fd = openat(f->parent, f->base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return f->fd < 0 ? -1 : fs_stat(f->fd, st);
}

int fs_file_open(const struct fs_root *r, struct fs_file *f, const struct fs_file *before, const char **why,
                 struct diag *d)
{
	*why = NULL;
	if (open_parent(r, f, before) < 0 || open_base(f, &f->st) < 0) {
		*why = what_is_there(errno);
		return *why ? -1 : fs_fault(d, f->ref, "read", errno, false);
	}
	if (S_ISREG(f->st.stx_mode))
		return 0;
	*why = S_ISDIR(f->st.stx_mode) ? "a folder" : "not a regular file";
	return -1;
}

int fs_file_drifted(struct diag *d, const struct fs_file *f, const char *what)
{
	return diag_add(d, MIG_INVALID, "drift", f->ref, "%s since it was checked", what);
}

int fs_file_parent(const struct fs_root *r, struct fs_file *f)
{
	return open_parent(r, f, NULL);
}

int fs_file_again(const struct fs_root *r, struct fs_file *f, struct diag *d)
{
	struct statx st;

	if (f->parent >= 0 && f->fd >= 0)
		return 0;
	if (open_parent(r, f, NULL) < 0 || open_base(f, &st) < 0) {
		const char *why = what_is_there(errno);

		return why ? fs_file_drifted(d, f, "replaced or removed") : fs_fault(d, f->ref, "read", errno, false);
	}
	return fs_same(&st, &f->st) ? 0 : fs_file_drifted(d, f, "replaced");
}

bool fs_file_is(int dir, const char *name, const struct statx *st)
{
	struct statx at;

	return dir >= 0 && statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &at) == 0 && fs_same(&at, st);
}

bool fs_file_holds(struct fs_state *s, int parent, const char *name, const char *raw)
{
	struct statx st;
	char is[HEX_SIZE];
	int fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool same = false;

	if (fd < 0)
		return false;
	if (fs_stat(fd, &st) == 0 && S_ISREG(st.stx_mode) && fs_read_all(fd, &s->scratch, st.stx_size) == 0) {
		digest_hex(s->scratch.s, s->scratch.len, is);
		same = strcmp(is, raw) == 0;
	}
	close(fd);
	return same;
}

char *fs_file_backup(const struct fs_file *f, bool versioned)
{
	const struct step *s = f->step;

	return versioned ? xasprintf("%s%.*s.%.*s", f->base, (int)s->backup_suffix.n, s->backup_suffix.s,
	                             (int)s->from_version.n, s->from_version.s)
	                 : xasprintf("%s%.*s", f->base, (int)s->backup_suffix.n, s->backup_suffix.s);
}

static bool is_name(struct text t)
{
	return !memchr(t.s, '/', t.n) && !memchr(t.s, '\0', t.n);
}

/* How many of the file's links are ours. */
static unsigned own_links(const struct fs_state *s, const struct fs_file *f)
{
	unsigned n = fs_file_is(s->objects, f->raw, &f->st) + fs_file_is(s->tmp, f->temp, &f->st);

	for (int versioned = 0; versioned < 2 && f->step->backup_suffix.n; versioned++) {
		char *name = fs_file_backup(f, versioned);

		n += fs_file_is(f->parent, name, &f->st);
		free(name);
	}
	return n;
}

static int folder_writable(const struct fs_file *f, struct diag *d)
{
	if (faccessat(f->parent, "", W_OK | X_OK, AT_EACCESS | AT_EMPTY_PATH) < 0 && errno != EINVAL && errno != ENOSYS)
		return fs_fault(d, f->ref, "replace it in its folder", errno, false);
	return 0;
}

int fs_file_replaceable(struct fs_state *s, const struct fs_file *f, struct diag *d)
{
	if (f->st.stx_nlink > 1 && f->st.stx_nlink > 1 + own_links(s, f))
		return diag_add(d, MIG_INVALID, "hard_linked", f->ref,
		                "it has %u names: replacing one would part it from the others", f->st.stx_nlink);
	if (!fs_same_mount(&f->st, &s->root->st))
		return fs_fault(d, f->ref, "replace it", EXDEV, false);
	if (f->st.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND))
		return diag_add(d, MIG_PRECONDITION, "not_writable", f->ref, "it is immutable or append-only");
	if (f->step->backup_suffix.n && (!is_name(f->step->backup_suffix) || !is_name(f->step->from_version)))
		return diag_add(d, MIG_INVALID, "bad_backup", f->ref, "the backup's name would not be a file name");
	return f->borrows_parent ? 0 : folder_writable(f, d);
}

/*
 * Copy the attributes that the kernel did not set by itself.  An ACL must
 * arrive; of the others, what may not be copied is named.
 */
static int copy_xattrs(const struct fs_file *f, int to, struct diag *d)
{
	char names[16 * 1024], value[64 * 1024];
	/* most files have none, and asking for their size alone takes no memory of the kernel's */
	ssize_t n = f->fd < 0 ? 0 : flistxattr(f->fd, NULL, 0);

	if (n > 0)
		n = flistxattr(f->fd, names, sizeof names);

	if (n < 0 && errno != ENOTSUP && errno != ENOSYS)
		return fs_fault(d, f->ref, "list its attributes", errno, false);
	for (const char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
		ssize_t size = fgetxattr(f->fd, name, value, sizeof value);

		if (size >= 0 && fsetxattr(to, name, value, (size_t)size, 0) == 0)
			continue;
		if (strcmp(name, "system.posix_acl_access") == 0)
			return fs_fault(d, f->ref, "copy its ACL", errno, false);
		if (strncmp(name, "user.", 5) == 0)
			diag_warn(d, "attribute_lost", f->ref, "attribute %s cannot be copied: %s", name,
			          strerror(errno));
	}
	return 0;
}

/* Give the new file at fd the original's owner, mode, ACL and attributes. */
static int dress(const struct fs_file *f, int fd, struct statx *fresh, struct diag *d)
{
	if (fs_stat(fd, fresh) < 0)
		return fs_fault(d, f->ref, "stat its new file", errno, false);
	bool owned = fresh->stx_uid != f->st.stx_uid || fresh->stx_gid != f->st.stx_gid;

	if (owned && fchown(fd, f->st.stx_uid, f->st.stx_gid) < 0)
		return diag_add(d, MIG_PRECONDITION, "owner", f->ref, "cannot keep its owner %u:%u: %s", f->st.stx_uid,
		                f->st.stx_gid, strerror(errno));
	/* after the owner, who may take bits of it away */
	if ((owned || fresh->stx_mode != f->st.stx_mode) && fchmod(fd, f->st.stx_mode & MODE_BITS) < 0)
		return fs_fault(d, f->ref, "keep its mode", errno, false);
	return copy_xattrs(f, fd, d);
}

int fs_file_put(const struct fs_state *s, const struct fs_file *f, const char *name, const char *text, size_t n,
               struct statx *fresh, bool sync, struct diag *d)
{
	/* its folder is ours alone, so the mode may be there before the owner */
	mode_t mode = fresh ? f->st.stx_mode & ACCESS_BITS : NEW_MODE;
	int fd = openat(s->tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	int rc = 0;

	if (fd < 0)
		return fs_fault(d, f->ref, "make a temporary file", errno, false);
	if (io_write(fd, text, n) < 0)
		rc = fs_fault(d, f->ref, "write a temporary file", errno, false);
	else if (fresh)
		rc = dress(f, fd, fresh, d);
	if (rc == 0 && sync && fdatasync(fd) < 0)
		rc = diag_add(d, MIG_ERROR, "sync_failed", f->ref, "%s", strerror(errno));
	/* a network file system may tell only now that the disk is full */
	if (close(fd) < 0 && rc == 0 && errno != EINTR)
		rc = fs_fault(d, f->ref, "write a temporary file", errno, false);
	if (rc < 0)
		unlinkat(s->tmp, name, 0);
	return rc;
}

int fs_file_stage(struct fs_state *s, struct fs_file *f, const char *text, size_t n, struct diag *d)
{
	if (fs_file_put(s, f, f->temp, text, n, &f->fresh, false, d) < 0)
		return -1;
	digest_hex(text, n, f->written);
	f->staged = true;
	return 0;
}
