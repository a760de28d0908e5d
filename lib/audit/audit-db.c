/*
 * audit-db.c -- sinks in databases; see sink.h
 *
 * A filter that is behind its sandbox, out of memory or in a signal handler can
 * speak no database's protocol.  So a child that it forks before all that keeps
 * the connection, and the filter sends it lines.
 */
#include "audit-keep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEEPERS = 4 };

/* By handle; fd 0: not in use. */
static struct {
	int fd;
	pid_t pid;
} keeper[KEEPERS];

/*
 * The child holds no end of a pipe that is not its own: who reads from the
 * filter, or waits for its error messages, must not wait for the child.
 */
static void let_go(int fd)
{
	int own = fcntl(fd, F_DUPFD, 3), null = open("/dev/null", O_RDWR);

	for (int i = 0; i < 3; i++)
		null < 0 ? close(i) : dup2(null, i);
	if (own != 3)
		dup2(own, 3);
	close_range(4, ~0U, 0);
}

/* It lives as long as the filter, whatever the terminal sends to both. */
static void outlive(void)
{
	static const int sent[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGPIPE };

	for (size_t i = 0; i < sizeof sent / sizeof *sent; i++)
		signal(sent[i], SIG_IGN);
	signal(SIGALRM, SIG_DFL);
}

static int begin(keep_open *open_db, const char *name, struct diag *d)
{
	int pair[2], handle = 0;

	while (handle < KEEPERS && keeper[handle].fd)
		handle++;
	if (handle == KEEPERS)
		return diag_add(d, MIG_USAGE, "bad_audit", NULL, "MIG_AUDIT: more than %d databases", KEEPERS);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return diag_add(d, MIG_ERROR, "audit_unreachable", NULL, "the audit: %s", strerror(errno));
	int fd = fcntl(pair[0], F_DUPFD_CLOEXEC, 3); /* a closed stdin must not become the audit */
	pid_t pid = fd < 0 ? -1 : fork();

	if (pid == 0) {
		umask(077);
		outlive();
		let_go(pair[1]);
		audit_keep(3, open_db, name);
		_exit(0);
	}
	close(pair[0]);
	close(pair[1]);
	if (pid < 0) {
		if (fd >= 0)
			close(fd);
		return diag_add(d, MIG_ERROR, "audit_unreachable", NULL, "the audit: %s", strerror(errno));
	}
	keeper[handle].fd = fd;
	keeper[handle].pid = pid;
	return handle;
}

static int sqlite_open(const char *file, struct diag *d)
{
	return begin(db_sqlite_open, file, d);
}

static int open_uri(const char *scheme, const char *rest, struct diag *d)
{
	char *uri = xasprintf("%s%s", scheme, rest);
	int handle = begin(db_pg_open, uri, d);

	free(uri);
	return handle;
}

static int pg_open(const char *rest, struct diag *d)
{
	return open_uri("postgresql://", rest, d);
}

static int postgres_open(const char *rest, struct diag *d)
{
	return open_uri("postgres://", rest, d);
}

static void say(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);

		if (w < 0 && errno != EINTR)
			return; /* the answer tells why, or there is none */
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
}

static void say_line(int handle, char what, const char *line, size_t n)
{
	say(keeper[handle].fd, &what, 1);
	say(keeper[handle].fd, line, n);
}

static int hear(int fd, struct sink_said *said)
{
	char *p = (char *)said;
	size_t n = 0;

	while (n < sizeof *said) {
		ssize_t r = recv(fd, p + n, sizeof *said - n, 0);

		if (r == 0 || (r < 0 && errno != EINTR))
			return -1;
		if (r > 0)
			n += (size_t)r;
	}
	return 0;
}

static int append(int handle, const char *line, size_t n, struct sink_said *said)
{
	static const char silent[] = "its process ended, or had no answer for a minute";

	say_line(handle, KEEP_SAY, line, n);
	if (hear(keeper[handle].fd, said) == 0)
		return said->exit == MIG_OK ? 0 : -1;
	said->exit = MIG_PRECONDITION;
	memcpy(said->why, silent, sizeof silent);
	return -1;
}

static void will(int handle, const char *line, size_t n, bool timeless)
{
	say_line(handle, timeless ? KEEP_TIMELESS : KEEP_WILL, line, n);
}

/* Without the end of its lines it would not end. */
static void end(int handle)
{
	close(keeper[handle].fd);
	keeper[handle].fd = 0;
	while (waitpid(keeper[handle].pid, NULL, 0) < 0 && errno == EINTR)
		;
}

const struct sink sink_sqlite = { "sqlite:", sqlite_open, append, will, end };
const struct sink sink_pg = { "postgresql://", pg_open, append, will, end };
const struct sink sink_postgres = { "postgres://", postgres_open, append, will, end };
