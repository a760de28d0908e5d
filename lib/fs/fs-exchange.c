/* fs-exchange.c -- see fs-exchange.h */
#include "fs-exchange.h"

#include "fs-stored.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Comparing is cheaper than hashing, for whom the expected bytes are at hand. */
static bool holds(const struct buf *is, struct text bytes, const char *raw)
{
	char hex[HEX_SIZE];

	if (bytes.s)
		return text_same((struct text){ is->s, is->len }, bytes);
	digest_hex(is->s, is->len, hex);
	return strcmp(hex, raw) == 0;
}

/* What was displaced to .mig/tmp/temp, seen against the inode st with these bytes, or else the bytes of raw. */
enum displaced { EXPECTED, SOMEBODYS, UNREADABLE };

static enum displaced judge(struct fs_state *s, const struct fs_file *f, const struct statx *st, struct text bytes,
                            const char *raw)
{
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
	return holds(&s->scratch, bytes, raw) ? EXPECTED : SOMEBODYS;
}

/* Where EXCHANGE is not supported: see that nobody has replaced the file, then rename over it. */
static enum fs_result rename_over(struct fs_state *s, struct fs_file *f, const struct statx *expected, bool first,
                                  struct diag *d)
{
	if (!fs_file_is(f->parent, f->base, expected)) {
		fs_file_drifted(d, f, "replaced or removed");
		return FS_FAILED;
	}
	if (renameat(s->tmp, f->temp, f->parent, f->base) < 0) {
		fs_fault(d, f->ref, "replace it", errno, !first);
		return FS_FAILED;
	}
	f->staged = false;
	return FS_OK;
}

static const char theirs[] = "somebody replaced or changed it in the moment of the exchange: their version";

/* What was displaced is kept; why begins the sentence on where. */
static enum fs_result conflict(struct fs_state *s, struct fs_file *f, const char *why, char **kept, struct diag *d)
{
	f->staged = false;
	/* an original that was overwritten in place took its other names along */
	if (f->made_object && !fs_file_holds(s, s->objects, f->raw, f->raw))
		unlinkat(s->objects, f->raw, 0);
	if (f->made_backup && !fs_file_holds(s, f->parent, f->backup, f->raw) &&
	    unlinkat(f->parent, f->backup, 0) == 0)
		f->ours = false;
	f->made_object = f->made_backup = false;
	if (fs_state_keep(s, f->temp, kept, d) < 0)
		*kept = xasprintf("%s/tmp/%s", FS_STATE, f->temp);
	diag_add(d, MIG_INVALID, "conflict", f->ref, "%s is in %s, %s in its place", why, *kept,
	         f->exchanged ? "ours is" : "the original is");
	return FS_CONFLICT;
}

enum fs_result fs_exchange(struct fs_state *s, struct fs_file *f, struct text old, bool first, char **kept,
                           struct diag *d)
{
	if (fs_file_again(s->root, f, d) < 0)
		return FS_FAILED;
	if (renameat2(s->tmp, f->temp, f->parent, f->base, RENAME_EXCHANGE) < 0) {
		enum fs_result rc = FS_FAILED;

		if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
			rc = rename_over(s, f, &f->st, first, d);
		else if (errno == ENOENT)
			fs_file_drifted(d, f, "removed");
		else
			fs_fault(d, f->ref, "replace it", errno, !first);
		f->exchanged = rc == FS_OK;
		return rc;
	}
	f->exchanged = f->displaced = true;
	switch (judge(s, f, &f->st, old, f->raw)) {
	case EXPECTED:
		return FS_OK;
	case SOMEBODYS:
		return conflict(s, f, theirs, kept, d);
	default:
		/* a disk error is nobody's change: the caller puts it back */
		fs_fault(d, f->ref, "check what was displaced", errno, true);
		return FS_FAILED;
	}
}

/* Without a displaced original: make a new file of its object and rename that over ours. */
static enum fs_result undo_from_object(struct fs_state *s, struct fs_file *f, struct diag *d)
{
	if (fs_file_is(s->objects, f->raw, &f->st)) {
		if (linkat(s->objects, f->raw, s->tmp, f->temp, 0) < 0) {
			fs_fault(d, f->ref, "undo it", errno, true);
			return FS_FAILED;
		}
	} else {
		struct statx fresh;
		struct buf bytes = BUF_INIT;
		int rc = fs_stored_object(s, f->raw, &bytes, d);

		if (rc == 1)
			rc = fs_file_put(s, f, f->temp, bytes.s, bytes.len, &fresh, false, d) < 0 ? -1 : 1;
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

enum fs_result fs_exchange_back(struct fs_state *s, struct fs_file *f, char **kept, struct diag *d)
{
	if (fs_file_parent(s->root, f) < 0) {
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
	const struct text unknown = { NULL, 0 };

	f->exchanged = f->displaced = false;
	switch (judge(s, f, &f->fresh, unknown, f->written)) {
	case EXPECTED:
		return FS_OK;
	case SOMEBODYS:
		return conflict(s, f, theirs, kept, d);
	default:
		/* nobody may be blamed; but it may be somebody's */
		fs_fault(d, f->ref, "check what was displaced", errno, true);
		return conflict(s, f, "what was displaced", kept, d);
	}
}

void fs_exchange_forget(struct fs_state *s, struct fs_file *f, bool undo)
{
	/* other names of the original go only where it is seen to stand under its own */
	bool back = undo && fs_file_parent(s->root, f) == 0 && fs_file_is(f->parent, f->base, &f->st);

	if (f->staged)
		unlinkat(s->tmp, f->temp, 0);
	if (back && f->made_backup && unlinkat(f->parent, f->backup, 0) == 0)
		f->ours = false;
	/* with several plans at work it may be the last copy of another's original, too */
	if (back && f->made_object && !s->relay)
		unlinkat(s->objects, f->raw, 0);
	f->staged = f->made_backup = f->made_object = false;
}
