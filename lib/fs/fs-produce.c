/* fs-produce.c -- see fs-produce.h */
#include "fs-produce.h"

#include "fs-stored.h"

#include <errno.h>

enum { ARENA_MAX = 16 << 20 };

/* Append the original bytes, which a rollback puts back. */
static int add_object(struct fs *fs, const struct fs_file *f, struct diag *d)
{
	char raw[HEX_SIZE];

	memcpy(raw, f->step->raw.s, HEX_LEN);
	raw[HEX_LEN] = '\0';
	int rc = fs_stored_object(&fs->state, raw, &fs->state.scratch, d);

	if (rc == 0) {
		diag_hint(d, "a copy of them, such as a backup beside the document, goes there under that name");
		return diag_add(d, MIG_PRECONDITION, "object_missing", f->ref,
		                "its original bytes %s are not in %s/objects", raw, FS_STATE);
	}
	if (rc == 1)
		buf_add(&fs->arena, fs->state.scratch.s, fs->state.scratch.len);
	return rc < 0 ? -1 : 0;
}

static int add_new(struct fs *fs, const struct plan *p, const char *time, struct fs_file *f, struct diag *d)
{
	int rc;

	f->at = fs->arena.len;
	if (f->step->restore)
		rc = add_object(fs, f, d);
	else
		rc = effect_forward(&fs->effect, p, f->step, &fs->bytes, time, &fs->arena, f->ref, d);
	f->len = rc < 0 ? 0 : fs->arena.len - f->at;
	return rc;
}

int fs_produce(struct fs *fs, const struct plan *p, const char *time, struct fs_file *f, struct diag *d)
{
	f->old_at = fs->arena.len;
	buf_add(&fs->arena, fs->bytes.s, fs->bytes.len);
	if (add_new(fs, p, time, f, d) < 0)
		return -1;
	f->kept = fs->arena.len <= ARENA_MAX;
	if (!f->kept) {
		buf_setlen(&fs->arena, f->old_at);
		f->len = 0;
	}
	return 0;
}

int fs_produce_again(struct fs *fs, const struct plan *p, const char *time, struct fs_file *f, struct diag *d)
{
	char is[HEX_SIZE];

	if (fs_read_all(f->fd, &fs->bytes, f->st.stx_size) < 0)
		return diag_add(d, MIG_ERROR, "io_failed", f->ref, "cannot read: %s", strerror(errno));
	digest_hex(fs->bytes.s, fs->bytes.len, is);
	if (strcmp(is, f->raw) != 0)
		return diag_add(d, MIG_INVALID, "drift", f->ref, "changed since it was checked");
	return add_new(fs, p, time, f, d);
}

void fs_produce_forget(struct fs *fs, struct fs_file *f)
{
	if (!f->kept && f->len)
		buf_setlen(&fs->arena, f->at);
}
