/* fs-file.c -- see fs-file.h */
#include "fs-file.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { NEW_MODE = 0600, MODE_BITS = 07777 };

/* How an open file gets a second name; each is tried until one works, and remembered in the state. */
enum { LINK_FD, LINK_PROC, LINK_NAME, LINK_COPY };

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

static int drifted(struct diag *d, const struct fs_file *f, const char *what)
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

		return why ? drifted(d, f, "replaced or removed") : fs_fault(d, f->ref, "read", errno, false);
	}
	return fs_same(&st, &f->st) ? 0 : drifted(d, f, "replaced");
}

/* <name><suffix>, and with a version <name><suffix>.<from>: new. */
static char *backup_name(const struct fs_file *f, bool versioned)
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

/* Is dir/name another name of the inode st? */
static bool is_link_of(int dir, const char *name, const struct statx *st)
{
	struct statx at;

	return dir >= 0 && statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &at) == 0 && fs_same(&at, st);
}

/* How many of the file's links are ours. */
static unsigned own_links(const struct fs_state *s, const struct fs_file *f)
{
	unsigned n = is_link_of(s->objects, f->raw, &f->st) + is_link_of(s->tmp, f->temp, &f->st);

	for (int versioned = 0; versioned < 2 && f->step->backup_suffix.n; versioned++) {
		char *name = backup_name(f, versioned);

		n += is_link_of(f->parent, name, &f->st);
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
	ssize_t n = f->fd < 0 ? 0 : flistxattr(f->fd, names, sizeof names);

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
	if ((fresh->stx_uid != f->st.stx_uid || fresh->stx_gid != f->st.stx_gid) &&
	    fchown(fd, f->st.stx_uid, f->st.stx_gid) < 0)
		return diag_add(d, MIG_PRECONDITION, "owner", f->ref, "cannot keep its owner %u:%u: %s", f->st.stx_uid,
		                f->st.stx_gid, strerror(errno));
	if (fchmod(fd, f->st.stx_mode & MODE_BITS) < 0)
		return fs_fault(d, f->ref, "keep its mode", errno, false);
	return copy_xattrs(f, fd, d);
}

/* Make .mig/tmp/name with n bytes of text, like the original if fresh is not NULL, on the disk if sync. */
static int put(const struct fs_state *s, const struct fs_file *f, const char *name, const char *text, size_t n,
               struct statx *fresh, bool sync, struct diag *d)
{
	int fd = openat(s->tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, NEW_MODE);
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
	if (put(s, f, f->temp, text, n, &f->fresh, false, d) < 0)
		return -1;
	digest_hex(text, n, f->written);
	f->staged = true;
	return 0;
}

/* Give the file a second name by that name, then make sure that it was that file: 0, or -1 and errno. */
static int link_by_name(const struct fs_file *f, int dir, const char *name)
{
	if (linkat(f->parent, f->base, dir, name, 0) < 0)
		return -1;
	if (is_link_of(dir, name, &f->st))
		return 0;
	unlinkat(dir, name, 0);
	errno = ESTALE;
	return -1;
}

/* An errno of link that another way of linking would not mend. */
static bool is_final(int err)
{
	return err == EEXIST || err == ESTALE || err == ENOSPC || err == EDQUOT || err == EROFS || err == EIO;
}

/* Link the open original to dir/name: 0, or -1 and errno; EOPNOTSUPP where it must be copied. */
static int link_file(struct fs_state *s, const struct fs_file *f, int dir, const char *name)
{
	char proc[32];

	for (int way = s->link_way; way < LINK_COPY; way++) {
		int rc = -1;

		if (way == LINK_FD) {
			rc = linkat(f->fd, "", dir, name, AT_EMPTY_PATH);
		} else if (way == LINK_PROC) {
			snprintf(proc, sizeof proc, "/proc/self/fd/%d", f->fd);
			rc = linkat(AT_FDCWD, proc, dir, name, AT_SYMLINK_FOLLOW);
		} else {
			rc = link_by_name(f, dir, name);
		}
		if (rc == 0) {
			s->link_way = way;
			return 0;
		}
		/* ENOENT: no right to link by descriptor, no /proc, or the last name of the file is gone */
		if (is_final(errno))
			return -1;
		if (way == LINK_NAME && errno == ENOENT) {
			errno = ESTALE;
			return -1;
		}
	}
	errno = EOPNOTSUPP;
	return -1;
}

/* Read the original into the scratch buffer: its bytes must still be those of the check. */
static int read_original(struct fs_state *s, const struct fs_file *f, struct diag *d)
{
	char is[HEX_SIZE];

	if (fs_read_all(f->fd, &s->scratch, f->st.stx_size) < 0)
		return diag_add(d, MIG_ERROR, "io_failed", f->ref, "cannot read: %s", strerror(errno));
	digest_hex(s->scratch.s, s->scratch.len, is);
	return strcmp(is, f->raw) == 0 ? 0 : drifted(d, f, "changed");
}

/* Copy the original to dir/name, which appears whole and on the disk: 0, 1 if there is one already, -1. */
static int copy_file(struct fs_state *s, const struct fs_file *f, int dir, const char *name, bool like, struct diag *d)
{
	char temp[48];
	struct statx fresh;

	snprintf(temp, sizeof temp, "%s.copy", f->temp);
	if (read_original(s, f, d) < 0 ||
	    put(s, f, temp, s->scratch.s, s->scratch.len, like ? &fresh : NULL, true, d) < 0)
		return -1;
	int rc = fs_rename_new(s->tmp, temp, dir, name);

	if (rc == 0)
		return 0;
	int err = errno;

	unlinkat(s->tmp, temp, 0);
	return err == EEXIST ? 1 : fs_fault(d, f->ref, "keep its original", err, false);
}

/* Link, or else copy: 0, 1 if there is such a name already, -1. */
static int second_name(struct fs_state *s, const struct fs_file *f, int dir, const char *name, bool like,
                       struct diag *d)
{
	if (link_file(s, f, dir, name) == 0)
		return 0;
	if (errno == EEXIST)
		return 1;
	if (errno == EOPNOTSUPP)
		return copy_file(s, f, dir, name, like, d);
	return errno == ESTALE ? drifted(d, f, "replaced or removed")
	                       : fs_fault(d, f->ref, "keep its original", errno, false);
}

int fs_file_keep(struct fs_state *s, struct fs_file *f, struct diag *d)
{
	int rc = second_name(s, f, s->objects, f->raw, false, d);

	if (rc == 0)
		f->made_object = true;
	if (rc <= 0 || is_link_of(s->objects, f->raw, &f->st))
		return rc < 0 ? -1 : 0;
	/* another document had the same bytes: they must still be there */
	rc = fs_state_object(s, f->raw, &s->scratch, d);
	return rc == 1 ? 0 : rc == 0 ? diag_add(d, MIG_ERROR, "io_failed", f->ref, "its object vanished") : -1;
}

/* Does the regular file parent/name hold the bytes with this hash? */
static bool holds(struct fs_state *s, int parent, const char *name, const char *raw)
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

int fs_file_back_up(struct fs_state *s, struct fs_file *f, struct diag *d)
{
	for (int versioned = 0; versioned < 2; versioned++) {
		char *name = backup_name(f, versioned);
		int rc = second_name(s, f, f->parent, name, true, d);

		if (rc == 1 && (is_link_of(f->parent, name, &f->st) || holds(s, f->parent, name, f->raw))) {
			f->backup = name;
			return 0;
		}
		if (rc == 0) {
			f->made_backup = true;
			f->backup = name;
			return 0;
		}
		free(name);
		if (rc < 0)
			return -1;
	}
	return diag_add(d, MIG_PRECONDITION, "backup_exists", f->ref,
	                "both names for its backup are taken by other bytes, and a backup is never overwritten");
}

char *fs_file_find_backup(struct fs_state *s, const struct fs_file *f, const char *raw)
{
	for (int versioned = 1; versioned >= 0; versioned--) {
		char *name = backup_name(f, versioned);

		if (holds(s, f->parent, name, raw))
			return name;
		free(name);
	}
	return NULL;
}

bool fs_file_has_backup(const struct fs_file *f)
{
	bool found = false;

	for (int versioned = 0; versioned < 2 && !found; versioned++) {
		char *name = backup_name(f, versioned);

		found = faccessat(f->parent, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
		free(name);
	}
	return found;
}

int fs_file_remove_backup(const struct fs_file *f, const char *name)
{
	return unlinkat(f->parent, name, 0);
}

/* What was displaced to .mig/tmp/temp, seen against the inode st with the bytes of raw. */
enum displaced { EXPECTED, SOMEBODYS, UNREADABLE };

static enum displaced judge(struct fs_state *s, const struct fs_file *f, const struct statx *st, const char *raw)
{
	char is[HEX_SIZE];
	struct statx now;

	if (statx(s->tmp, f->temp, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &now) < 0)
		return UNREADABLE;
	if (!fs_same(&now, st))
		return SOMEBODYS;
	/* the original is still open, the new file is not */
	bool open = st == &f->st && f->fd >= 0;
	int fd = open ? f->fd : openat(s->tmp, f->temp, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fs_read_all(fd, &s->scratch, now.stx_size), err = errno;

	if (fd >= 0 && !open)
		close(fd);
	errno = err;
	if (rc < 0)
		return UNREADABLE;
	digest_hex(s->scratch.s, s->scratch.len, is);
	return strcmp(is, raw) == 0 ? EXPECTED : SOMEBODYS;
}

/* Where EXCHANGE is not supported: see that nobody has replaced the file, then rename over it. */
static enum fs_result rename_over(struct fs_state *s, struct fs_file *f, const struct statx *expected, bool first,
                                  struct diag *d)
{
	if (!is_link_of(f->parent, f->base, expected)) {
		drifted(d, f, "replaced or removed");
		return FS_FAILED;
	}
	if (renameat(s->tmp, f->temp, f->parent, f->base) < 0) {
		fs_fault(d, f->ref, "replace it", errno, !first);
		return FS_FAILED;
	}
	f->staged = false;
	return FS_OK;
}

static enum fs_result conflict(struct fs_state *s, struct fs_file *f, char **kept, struct diag *d)
{
	f->staged = false;
	/* an original that was overwritten in place took its other names along */
	if (f->made_object && !holds(s, s->objects, f->raw, f->raw))
		unlinkat(s->objects, f->raw, 0);
	if (f->made_backup && !holds(s, f->parent, f->backup, f->raw))
		unlinkat(f->parent, f->backup, 0);
	f->made_object = f->made_backup = false;
	if (fs_state_keep(s, f->temp, kept, d) < 0)
		*kept = xasprintf("%s/tmp/%s", FS_STATE, f->temp);
	diag_add(d, MIG_INVALID, "conflict", f->ref,
	         "somebody replaced or changed it in the moment of the exchange: "
	         "their version is in %s, %s in its place", *kept, f->exchanged ? "ours is" : "the original is");
	return FS_CONFLICT;
}

enum fs_result fs_file_exchange(struct fs_state *s, struct fs_file *f, bool first, char **kept, struct diag *d)
{
	if (fs_file_again(s->root, f, d) < 0)
		return FS_FAILED;
	if (renameat2(s->tmp, f->temp, f->parent, f->base, RENAME_EXCHANGE) < 0) {
		enum fs_result rc = FS_FAILED;

		if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
			rc = rename_over(s, f, &f->st, first, d);
		else if (errno == ENOENT)
			drifted(d, f, "removed");
		else
			fs_fault(d, f->ref, "replace it", errno, !first);
		f->exchanged = rc == FS_OK;
		return rc;
	}
	f->exchanged = f->displaced = true;
	switch (judge(s, f, &f->st, f->raw)) {
	case EXPECTED:
		return FS_OK;
	case SOMEBODYS:
		return conflict(s, f, kept, d);
	default:
		/* a disk error is nobody's change: the caller puts it back */
		fs_fault(d, f->ref, "check what was displaced", errno, true);
		return FS_FAILED;
	}
}

/* Without a displaced original: make a new file of its object and rename that over ours. */
static enum fs_result undo_from_object(struct fs_state *s, struct fs_file *f, struct diag *d)
{
	if (is_link_of(s->objects, f->raw, &f->st)) {
		if (linkat(s->objects, f->raw, s->tmp, f->temp, 0) < 0) {
			fs_fault(d, f->ref, "undo it", errno, true);
			return FS_FAILED;
		}
	} else {
		struct statx fresh;
		struct buf bytes = BUF_INIT;
		int rc = fs_state_object(s, f->raw, &bytes, d);

		if (rc == 1)
			rc = put(s, f, f->temp, bytes.s, bytes.len, &fresh, false, d) < 0 ? -1 : 1;
		buf_release(&bytes);
		if (rc != 1)
			return FS_FAILED;
	}
	f->staged = true;
	return rename_over(s, f, &f->fresh, false, d);
}

/* Give the displaced original the name that tells a recovery that the exchange may go backwards: 0, or -1. */
static int begin_undo(const struct fs_state *s, struct fs_file *f)
{
	char name[sizeof f->temp];

	snprintf(name, sizeof name, "%.24s" FS_UNDO, f->temp);
	if (renameat(s->tmp, f->temp, s->tmp, name) < 0)
		return -1;
	memcpy(f->temp, name, sizeof name);
	return 0;
}

enum fs_result fs_file_undo(struct fs_state *s, struct fs_file *f, char **kept, struct diag *d)
{
	if (open_parent(s->root, f, NULL) < 0) {
		fs_fault(d, f->ref, "undo it", errno, true);
		return FS_FAILED;
	}
	if (!f->displaced) {
		enum fs_result rc = undo_from_object(s, f, d);

		f->exchanged = rc != FS_OK;
		return rc;
	}
	if (begin_undo(s, f) < 0 || renameat2(s->tmp, f->temp, f->parent, f->base, RENAME_EXCHANGE) < 0) {
		fs_fault(d, f->ref, "undo it", errno, true);
		return FS_FAILED;
	}
	f->exchanged = f->displaced = false;
	return judge(s, f, &f->fresh, f->written) == EXPECTED ? FS_OK : conflict(s, f, kept, d);
}

void fs_file_forget(struct fs_state *s, struct fs_file *f, bool undo)
{
	/* other names of the original go only where it is seen to stand under its own */
	bool back = undo && open_parent(s->root, f, NULL) == 0 && is_link_of(f->parent, f->base, &f->st);

	if (f->staged)
		unlinkat(s->tmp, f->temp, 0);
	if (back && f->made_backup)
		unlinkat(f->parent, f->backup, 0);
	if (back && f->made_object)
		unlinkat(s->objects, f->raw, 0);
	f->staged = f->made_backup = f->made_object = false;
}
