/*
 * plant.c -- a betrayal, planted behind the sandbox of every filter.
 *
 * Linked in front of sandbox_pure and its sisters (ld --wrap) by "make plant",
 * never into what is installed.  MIG_TEST_PLANT names what the filter tries as
 * soon as it has given up what it does not need; it then exits with 98 if that
 * was denied, with 99 if it was not:
 *
 *	read:PATH    open a file for reading
 *	write:PATH   open it for writing, making it
 *	remove:PATH  remove it, which takes no descriptor
 *	device:PATH  make it, a second /dev/null
 *	connect      to TCP port 1 of this machine; a refusal by that port counts as "not denied"
 *	landlock     nothing: 99 if the kernel has Landlock, 98 if not, 97 in builds without a sandbox
 *
 * With MIG_TEST_PLANT_BARE the sandbox is left out: the same must then succeed.
 */
#include "sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { LEFT_OUT = 97, DENIED = 98, POSSIBLE = 99 };

int __real_sandbox_pure(struct diag *d);
int __real_sandbox_reading(struct diag *d);
int __real_sandbox_client(int dir, struct diag *d);
int __real_sandbox_trees(const int *dirs, size_t n, bool writes, struct diag *d);
int __real_sandbox_tree(int dir, bool writes, struct diag *d);
int __real_sandbox_root(int dir, struct diag *d);
int __wrap_sandbox_pure(struct diag *d);
int __wrap_sandbox_reading(struct diag *d);
int __wrap_sandbox_client(int dir, struct diag *d);
int __wrap_sandbox_trees(const int *dirs, size_t n, bool writes, struct diag *d);
int __wrap_sandbox_tree(int dir, bool writes, struct diag *d);
int __wrap_sandbox_root(int dir, struct diag *d);

static const char *what;
static bool bare;

/* Before main: mig-transform forgets its environment. */
__attribute__((constructor)) static void remember(void)
{
	what = getenv("MIG_TEST_PLANT");
	bare = getenv("MIG_TEST_PLANT_BARE");
}

static bool can_connect(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(1) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == ECONNREFUSED);
}

static bool is_possible(void)
{
	const char *path = strchr(what, ':');

	if (strcmp(what, "connect") == 0)
		return can_connect();
	if (strcmp(what, "landlock") == 0)
		return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
	if (!path++)
		abort();
	if (*what == 'd')
		return mknod(path, S_IFCHR | 0600, makedev(1, 3)) == 0;
	if (*what == 'w')
		return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0;
	return *what == 'r' && what[2] == 'm' ? unlink(path) == 0 : open(path, O_RDONLY | O_CLOEXEC) >= 0;
}

static int betray(int rc)
{
	if (!what)
		return rc;
#ifdef MIG_SAN
	_exit(LEFT_OUT);
#endif
	_exit(is_possible() ? POSSIBLE : DENIED);
}

int __wrap_sandbox_pure(struct diag *d)
{
	return betray(bare ? 0 : __real_sandbox_pure(d));
}

int __wrap_sandbox_reading(struct diag *d)
{
	return betray(bare ? 0 : __real_sandbox_reading(d));
}

int __wrap_sandbox_client(int dir, struct diag *d)
{
	return betray(bare ? 0 : __real_sandbox_client(dir, d));
}

int __wrap_sandbox_trees(const int *dirs, size_t n, bool writes, struct diag *d)
{
	return betray(bare ? 0 : __real_sandbox_trees(dirs, n, writes, d));
}

int __wrap_sandbox_tree(int dir, bool writes, struct diag *d)
{
	return betray(bare ? 0 : __real_sandbox_tree(dir, writes, d));
}

int __wrap_sandbox_root(int dir, struct diag *d)
{
	return betray(bare ? 0 : __real_sandbox_root(dir, d));
}
