/* sqlite-trouble.c -- what an error of SQLite means; see sqlite-handle.h */
#include "sqlite-handle.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int sqlite_fail(struct sqlite *s, enum db_trouble trouble, enum mig_exit code, const char *rule, const char *message,
                struct diag *d)
{
	s->trouble = trouble;
	return diag_add(d, code, rule, s->base.name, "%s", message);
}

/* The process that holds a lock on the bytes of a file; 0 where there is none. */
static pid_t lock_owner(int fd, off_t at, off_t n)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = n };

	return fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK && l.l_pid > 0 ? l.l_pid : 0;
}

/* https://sqlite.org/src: os.h has PENDING_BYTE and the 511 behind it, wal.c the writer's lock in the -shm file. */
static pid_t holder(const struct sqlite *s)
{
	char *shm = xasprintf("%s-shm", s->file);
	int fd = open(shm, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	pid_t pid = lock_owner(s->fd, 0x40000000, 512);

	free(shm);
	/* left open: to close it would drop the locks that SQLite has in it */
	return pid || fd < 0 ? pid : lock_owner(fd, 120, 1);
}

static int locked(struct sqlite *s, struct diag *d)
{
	char message[96], path[32];
	struct stat st;
	pid_t pid = holder(s);

	snprintf(path, sizeof path, "/proc/%ld", (long)pid);
	if (pid && stat(path, &st) == 0)
		snprintf(message, sizeof message, "another run holds the lock: process %ld of user %lu", (long)pid,
		         (unsigned long)st.st_uid);
	else
		snprintf(message, sizeof message, "another connection holds the lock");
	return sqlite_fail(s, DB_UNREADY, MIG_PRECONDITION, "locked", message, d);
}

/* A killed writer left a journal that only a writer may play back. */
static int unfinished(struct sqlite *s, struct diag *d)
{
	diag_hint(d, "mig recover --store STORE --apply puts it back as it was before that write");
	return sqlite_fail(s, DB_UNREADY, MIG_PRECONDITION, "unfinished",
	                   "a write was cut off and must be undone first", d);
}

int sqlite_trouble(struct sqlite *s, int rc, struct diag *d)
{
	const char *said = sqlite3_errmsg(s->db);
	int extended = sqlite3_extended_errcode(s->db);

	if (extended == SQLITE_READONLY_ROLLBACK || extended == SQLITE_READONLY_RECOVERY ||
	    extended == SQLITE_READONLY_CANTINIT)
		return unfinished(s, d);
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return locked(s, d);
	case SQLITE_FULL:
		return sqlite_fail(s, DB_UNREADY, MIG_PRECONDITION, "store_full", said, d);
	case SQLITE_READONLY:
		return sqlite_fail(s, DB_UNREADY, MIG_PRECONDITION, "store_readonly", said, d);
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return sqlite_fail(s, DB_UNREADY, MIG_PRECONDITION, "not_permitted", said, d);
	case SQLITE_NOTADB:
		return sqlite_fail(s, DB_UNREADY, MIG_PRECONDITION, "not_a_database", said, d);
	case SQLITE_CORRUPT:
		return sqlite_fail(s, DB_OTHER, MIG_INVALID, "damaged", said, d);
	case SQLITE_AUTH:
		return sqlite_fail(s, DB_OTHER, MIG_INVALID, "ends_transaction",
		                   "a statement may not end the transaction, nor reach another database", d);
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
		return sqlite_fail(s, DB_CONSTRAINT, MIG_INVALID, "constraint", said, d);
	case SQLITE_IOERR:
		return sqlite_fail(s, DB_OTHER, MIG_ERROR, "io_failed", said, d);
	case SQLITE_INTERRUPT:
		return sqlite_fail(s, DB_OTHER, MIG_ERROR, "interrupted", "stopped by a signal", d);
	default:
		return sqlite_fail(s, DB_OTHER, MIG_ERROR, "sql_failed", said, d);
	}
}
