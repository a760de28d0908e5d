/* sandbox_test.c -- what is left of a process, each time in a child of its own. */
#include "sandbox.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef MIG_SAN
static const bool left_out = true;
#else
static const bool left_out = false;
#endif

static char top[] = "/tmp/sandbox-test-XXXXXX";
static long abi;
static int root; /* top/tree */

/* Does what in a child, after which it looks around: the number of the first thing that is wrong, or 0. */
static int child(int (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(what());
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int try_open(const char *path, int flags)
{
	int fd = openat(root, path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static bool denied(int err)
{
	return err == EACCES || err == EPERM || err == EXDEV;
}

/* ---- a pure filter ---- */

static int pure(void)
{
	struct diag d = DIAG_INIT;
	int fd = openat(root, "open", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char c = 'x';

	if (sandbox_pure(&d) < 0 || d.n)
		return 1;
	if (try_open("file", O_RDONLY) != EMFILE || try_open("/dev/null", O_WRONLY) != EMFILE)
		return 2;
	if (dup(fd) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0)
		return 3;
	if (pwrite(fd, &c, 1, 0) != 1 || pread(fd, &c, 1, 0) != 1)
		return 4; /* what is open stays usable */
	if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 8, 8 }) == 0 && geteuid() != 0)
		return 5;
	if (abi > 0 && (unlinkat(root, "file", 0) == 0 || mkdirat(root, "new", 0700) == 0 ||
	                renameat(root, "file", root, "other") == 0 || truncate("/dev/null", 0) == 0))
		return 6;
	return 0;
}

/* ---- a store ---- */

/* Nothing is possible outside the tree, and no connection. */
static int outside(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr to = { .sa_family = AF_INET };

	if (!denied(try_open("../file", O_RDONLY)) || !denied(try_open("..", O_RDONLY | O_DIRECTORY)))
		return 11;
	if (!denied(try_open("../new", O_WRONLY | O_CREAT)) || unlinkat(root, "../file", 0) == 0)
		return 12;
	if (linkat(root, "file", root, "../linked", 0) == 0 || renameat(root, "file", root, "../moved") == 0 ||
	    renameat(root, "../file", root, "moved") == 0)
		return 13;
	if (abi >= 4 && fd >= 0 && (connect(fd, &to, sizeof to) == 0 || errno != EACCES))
		return 14;
	return 0;
}

static int tree_for_reading(void)
{
	struct diag d = DIAG_INIT;

	if (sandbox_tree(root, false, &d) < 0 || d.n)
		return 1;
	if (try_open("file", O_RDONLY) != 0 || try_open(".", O_RDONLY | O_DIRECTORY) != 0)
		return 2;
	if (!denied(try_open("file", O_WRONLY)) || !denied(try_open("new", O_WRONLY | O_CREAT)))
		return 3;
	if (unlinkat(root, "file", 0) == 0 || mkdirat(root, "new", 0700) == 0 ||
	    renameat(root, "file", root, "other") == 0 || linkat(root, "file", root, "other", 0) == 0)
		return 4;
	return outside();
}

static int tree_for_writing(void)
{
	struct diag d = DIAG_INIT;

	if (sandbox_tree(root, true, &d) < 0 || d.n)
		return 1;
	if (mkdirat(root, "sub", 0700) < 0 || try_open("sub/b", O_RDWR | O_CREAT | O_EXCL) != 0 ||
	    try_open("a", O_RDWR | O_CREAT | O_EXCL) != 0 || try_open("a", O_WRONLY | O_TRUNC) != 0)
		return 2;
	/* everything that an exchange from folder to folder takes, a link in a document's place included */
	if (renameat2(root, "a", root, "sub/b", RENAME_EXCHANGE) < 0 || linkat(root, "a", root, "sub/linked", 0) < 0 ||
	    symlinkat("a", root, "sub/link") < 0 || renameat2(root, "a", root, "sub/link", RENAME_EXCHANGE) < 0)
		return 3;
	if (unlinkat(root, "a", 0) < 0 || unlinkat(root, "sub/b", 0) < 0 || unlinkat(root, "sub/link", 0) < 0 ||
	    unlinkat(root, "sub/linked", 0) < 0 || unlinkat(root, "sub", AT_REMOVEDIR) < 0)
		return 4;
	if (mknodat(root, "device", S_IFCHR | 0600, makedev(1, 3)) == 0)
		return 5;
	return outside();
}

static int reading(void)
{
	struct diag d = DIAG_INIT;

	if (sandbox_reading(&d) < 0 || d.n)
		return 1;
	if (try_open("file", O_RDONLY) != 0 || try_open("../file", O_RDONLY) != 0)
		return 2;
	if (!denied(try_open("file", O_WRONLY)) || !denied(try_open("new", O_WRONLY | O_CREAT)) ||
	    unlinkat(root, "../file", 0) == 0)
		return 3;
	/* the last file is open: now nothing is left */
	return sandbox_pure(&d) == 0 && try_open("file", O_RDONLY) == EMFILE ? 0 : 4;
}

/* ---- a kernel that has Landlock and fails ---- */

static int full(void)
{
	struct diag d = DIAG_INIT;
	int i = 0;

	while (i < 64 && sandbox_tree(root, false, &d) == 0)
		i++;
	int ok = i > 0 && i < 64 && d.n == 1 && d.list[0].exit == MIG_ERROR && strcmp(d.list[0].rule, "sandbox_failed") == 0;

	diag_release(&d);
	return !ok;
}

static int nothing(void)
{
	struct diag d = DIAG_INIT;

	return sandbox_pure(&d) < 0 || sandbox_tree(root, false, &d) < 0 || sandbox_reading(&d) < 0 || d.n ||
	       try_open("file", O_RDWR) != 0;
}

static bool make_tree(void)
{
	int at = mkdtemp(top) ? open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	bool ok = at >= 0 && mkdirat(at, "tree", 0700) == 0 && close(openat(at, "file", O_CREAT | O_RDWR, 0600)) == 0;

	root = ok ? openat(at, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	ok = root >= 0 && close(openat(root, "file", O_CREAT | O_RDWR, 0600)) == 0;
	close(at);
	return ok;
}

int main(void)
{
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (!make_tree())
		return 2;
	if (left_out) {
		test("builds for the sanitizers leave the sandbox out");
		CHECK(child(nothing) == 0);
		goto end;
	}
	test("a pure filter has what is open, and nothing new");
	CHECK(child(pure) == 0);
	if (abi < 2)
		goto end;
	test("a reader's world is its tree, and that read-only");
	CHECK(child(tree_for_reading) == 0);
	test("a writer's world is its tree");
	CHECK(child(tree_for_writing) == 0);
	test("files may be read while there are some left to open");
	CHECK(child(reading) == 0);
	test("a sandbox that cannot be closed is a finding");
	CHECK(child(full) == 0);
end:
	unlinkat(root, "open", 0);
	unlinkat(root, "file", 0);
	unlinkat(root, "../file", 0);
	close(root);
	char *path = xasprintf("%s/tree", top);

	test("the test leaves nothing behind");
	CHECK(rmdir(path) == 0 && rmdir(top) == 0);
	free(path);
	return test_end();
}
