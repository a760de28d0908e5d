/* sql-state.c -- see sql-state.h */
#include "sql-state.h"

#include "fs-names.h"
#include "fs-state.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_MODE = 0700 };

/* What the operator can mend is MIG_PRECONDITION: nothing is committed yet. */
int sql_state_fault(struct diag *d, const char *where, const char *verb, int err)
{
	bool full = err == ENOSPC || err == EDQUOT, denied = err == EROFS || err == EACCES || err == EPERM;

	return diag_add(d, full || denied ? MIG_PRECONDITION : MIG_ERROR,
	                full     ? "store_full"
	                : denied ? "not_permitted"
	                         : "io_failed",
	                where, "cannot %s: %s", verb, strerror(err));
}

int sql_state_open(struct sql_state *s, const char *path, bool must, struct diag *d)
{
	*s = (struct sql_state)SQL_STATE_INIT;
	if (!path)
		return 0;
	s->path = xstrdup(path);
	s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir >= 0 || (!must && errno == ENOENT))
		return 0;
	return diag_add(d, MIG_PRECONDITION, "state_missing", path, "cannot open the state folder: %s",
	                strerror(errno));
}

void sql_state_release(struct sql_state *s)
{
	for (size_t i = 0; i < s->n; i++) {
		close(s->file[i].fd);
		free(s->file[i].name);
	}
	free(s->file);
	if (s->made_backups)
		unlinkat(s->dir, "backups", AT_REMOVEDIR);
	if (s->dir >= 0)
		close(s->dir);
	if (s->made)
		rmdir(s->path);
	free(s->path);
	*s = (struct sql_state)SQL_STATE_INIT;
}

/* Make STATE and STATE/backups where they lack. */
int sql_state_make(struct sql_state *s, struct diag *d)
{
	if (s->memory)
		return 0;
	if (!s->path) {
		diag_hint(d, "mig-apply --state DIR keeps the values that the plan is about to destroy or to change");
		return diag_add(d, MIG_PRECONDITION, "no_state", NULL,
		                "the plan has values to keep, and there is no --state DIR");
	}
	if (s->dir < 0) {
		s->made = mkdir(s->path, FOLDER_MODE) == 0;
		if (!s->made && errno != EEXIST)
			return sql_state_fault(d, s->path, "make the state folder", errno);
		s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (s->dir < 0)
			return sql_state_fault(d, s->path, "open the state folder", errno);
	}
	if (mkdirat(s->dir, "backups", FOLDER_MODE) == 0)
		s->made_backups = true;
	else if (errno != EEXIST)
		return sql_state_fault(d, s->path, "make its folder of backups", errno);
	return 0;
}

static int read_key(int dir, const char *name, int (*each)(void *arg, const char *name, const struct buf *pem),
                    void *arg, struct diag *d)
{
	struct buf pem = BUF_INIT;
	struct stat st;
	char *shown = xasprintf("trust/%s", name);
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0 || fstat(fd, &st) < 0)
		rc = diag_add(d, MIG_PRECONDITION, "missing_key", shown, "cannot open: %s", strerror(errno));
	else if (!S_ISREG(st.st_mode) || io_slurp(fd, &pem, (size_t)st.st_size, 1 << 20) < 0)
		rc = diag_add(d, MIG_PRECONDITION, "missing_key", shown, "cannot be read");
	else
		rc = each(arg, shown, &pem);
	if (fd >= 0)
		close(fd);
	buf_release(&pem);
	free(shown);
	return rc;
}

int sql_state_trust(struct sql_state *s, int (*each)(void *arg, const char *name, const struct buf *pem), void *arg,
                    struct diag *d)
{
	struct fs_names l;
	int dir = s->dir < 0 ? -1 : openat(s->dir, "trust", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc = 0;

	if (dir < 0 && (s->dir < 0 || errno == ENOENT))
		return 0;
	if (dir < 0 || fs_names(dir, &l) < 0) {
		if (dir >= 0)
			close(dir);
		return diag_add(d, MIG_PRECONDITION, "unreadable", "trust", "%s", strerror(errno));
	}
	for (size_t i = 0; i < l.n && rc == 0; i++) {
		size_t n = strlen(l.name[i]);

		if (n > 4 && l.name[i][0] != '.' && strcmp(l.name[i] + n - 4, ".pem") == 0)
			rc = read_key(dir, l.name[i], each, arg, d);
	}
	fs_names_release(&l);
	close(dir);
	return rc < 0 ? -1 : 1;
}
