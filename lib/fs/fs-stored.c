/* fs-stored.c -- see fs-stored.h */
#include "fs-stored.h"

#include "fs-names.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void plan_name(char name[HEX_SIZE + 8], const char *plan_hash)
{
	snprintf(name, HEX_SIZE + 8, "%.64s.json", plan_hash);
}

int fs_stored_plan(const struct fs_state *s, const char *plan_hash, struct buf *out, struct diag *d)
{
	char name[HEX_SIZE + 8], shown[HEX_SIZE + 24];
	struct buf text = BUF_INIT;

	plan_name(name, plan_hash);
	snprintf(shown, sizeof shown, "%s/plans/%s", FS_STATE, name);
	int rc = fs_state_read(s, s->plans, name, shown, &text, d);

	if (rc == 1 && text.len)
		buf_add(out, text.s, text.len);
	buf_release(&text);
	return rc;
}

/* Is just this text stored under the plan's hash already? */
static int holds_plan(const struct fs_state *s, const char *plan_hash, const char *text, size_t n, struct diag *d)
{
	struct buf b = BUF_INIT;
	int rc = fs_stored_plan(s, plan_hash, &b, d);

	if (rc == 1)
		rc = b.len == n && memcmp(b.s, text, n) == 0;
	buf_release(&b);
	return rc;
}

static int write_plan(const struct fs_state *s, const char *temp, const char *text, size_t n, struct diag *d)
{
	int fd = openat(s->tmp, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, FS_STATE_FILE_MODE);
	int rc;

	if (fd < 0)
		return fs_fault(d, FS_STATE "/tmp", "write", errno, false);
	if (io_write(fd, text, n) < 0)
		rc = fs_fault(d, FS_STATE "/tmp", "write", errno, false);
	else if (fdatasync(fd) < 0)
		rc = diag_add(d, MIG_ERROR, "sync_failed", FS_STATE "/tmp", "%s", strerror(errno));
	else
		rc = 0;
	close(fd);
	return rc;
}

int fs_stored_put_plan(struct fs_state *s, const char *plan_hash, const char *text, size_t n, struct diag *d)
{
	char name[HEX_SIZE + 8], temp[32];
	int there = holds_plan(s, plan_hash, text, n, d);

	if (there < 0)
		return -1;
	plan_name(name, plan_hash);
	snprintf(temp, sizeof temp, "%.16s.plan", plan_hash);
	if (!there && write_plan(s, temp, text, n, d) < 0) {
		unlinkat(s->tmp, temp, 0);
		return -1;
	}
	if (!there && renameat(s->tmp, temp, s->plans, name) < 0) {
		fs_fault(d, FS_STATE "/plans", "write", errno, false);
		unlinkat(s->tmp, temp, 0);
		return -1;
	}
	if (fsync(s->plans) < 0)
		return diag_add(d, MIG_ERROR, "sync_failed", FS_STATE "/plans", "%s", strerror(errno));
	return 0;
}

int fs_stored_find_plan(const struct fs_state *s, const char *prefix, char plan_hash[HEX_SIZE], struct diag *d)
{
	struct fs_names l;
	size_t found = 0;

	if (s->plans < 0)
		return 0;
	if (fs_names(s->plans, &l) < 0)
		return fs_fault(d, FS_STATE "/plans", "read", errno, false);
	for (size_t i = 0; i < l.n; i++) {
		if (strncmp(l.name[i], prefix, 16) == 0 && strlen(l.name[i]) == HEX_LEN + 5) {
			memcpy(plan_hash, l.name[i], HEX_LEN);
			plan_hash[HEX_LEN] = '\0';
			found++;
		}
	}
	fs_names_release(&l);
	return found == 1;
}

int fs_stored_object(const struct fs_state *s, const char *raw, struct buf *out, struct diag *d)
{
	char is[HEX_SIZE], shown[HEX_SIZE + 24];

	snprintf(shown, sizeof shown, "%s/objects/%.64s", FS_STATE, raw);
	int rc = fs_state_read(s, s->objects, raw, shown, out, d);

	if (rc != 1)
		return rc;
	digest_hex(out->s, out->len, is);
	if (strcmp(is, raw) != 0)
		return diag_add(d, MIG_INVALID, "object_damaged", shown, "its bytes have the hash %s", is);
	return 1;
}

