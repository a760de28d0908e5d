/* sandbox.c -- see sandbox.h */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef MIG_SAN
static const bool left_out = true;
#else
static const bool left_out = false;
#endif

/* The kernel's struct landlock_ruleset_attr as of ABI 6; an older one takes it if what it does not know is 0. */
struct ruleset {
	uint64_t fs, tcp, scopes;
};

/*
 * What each ABI can forbid; a newer one is asked for the last line.  ABI 4:
 * all rights to files up to TRUNCATE, to bind and to connect TCP.
 */
static const struct ruleset by_abi[] = {
	{ (1 << 13) - 1, 0, 0 }, /* 1: EXECUTE .. MAKE_SYM */
	{ (1 << 14) - 1, 0, 0 }, /* 2: REFER */
	{ (1 << 15) - 1, 0, 0 }, /* 3: TRUNCATE */
	{ (1 << 15) - 1, 3, 0 }, /* 4: BIND_TCP, CONNECT_TCP */
	{ (1 << 16) - 1, 3, 0 }, /* 5: IOCTL_DEV */
	{ (1 << 16) - 1, 3, 3 }, /* 6: abstract sockets and signals of others */
};

#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/*
 * A writer has every right below its folder, so that the kernel, which looks for
 * them from a name upwards, stops at that folder: for one right that is denied
 * there it would go on to / in every link and rename, a tenth of mig-apply's
 * time.  What must not be made even there, devices, takes a capability.
 */
#define WRITING (~UINT64_C(0))

static bool online; /* TCP may be spoken: set only by sandbox_online */

static int failed(struct diag *d, const char *what)
{
	return diag_add(d, MIG_ERROR, "sandbox_failed", NULL, "cannot give up what is not needed: %s: %s", what,
	                strerror(errno));
}

static int allow_below(int ruleset, int dir, uint64_t rights)
{
	const struct landlock_path_beneath_attr below = { .allowed_access = rights, .parent_fd = dir };

	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
}

/* Keep only these rights below dir; none at all if dir is -1. */
static int landlock(int dir, uint64_t rights, struct diag *d)
{
	const long known = sizeof by_abi / sizeof *by_abi;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	/* ABI 1 knows no REFER: it forbids every rename from one folder to another */
	if (abi < 1 || (abi == 1 && rights & LANDLOCK_ACCESS_FS_REFER))
		return 0;
	const struct ruleset *all = &by_abi[(abi < known ? abi : known) - 1];
	const struct ruleset wanted = { all->fs, online ? 0 : all->tcp, all->scopes };
	int fd = (int)syscall(SYS_landlock_create_ruleset, &wanted, sizeof wanted, 0);

	if (fd < 0)
		return failed(d, "landlock_create_ruleset");
	int rc = 0;

	if (dir >= 0 && allow_below(fd, dir, rights & all->fs) < 0)
		rc = failed(d, "landlock_add_rule");
	else if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		rc = failed(d, "landlock_restrict_self");
	close(fd);
	return rc;
}

static int confine(int dir, uint64_t rights, struct diag *d)
{
	tzset(); /* libc would read the time zone when it is first asked for a time */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return failed(d, "no_new_privs");
	return landlock(dir, rights, d);
}

/* Root, too, can then make no device file; no_new_privs keeps it from coming back. */
static int give_up_devices(struct diag *d)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
	const uint32_t mknod_bit = CAP_TO_MASK(CAP_MKNOD);

	if (syscall(SYS_capget, &head, caps) < 0)
		return failed(d, "capget");
	caps[0].effective &= ~mknod_bit;
	caps[0].permitted &= ~mknod_bit;
	caps[0].inheritable &= ~mknod_bit;
	return syscall(SYS_capset, &head, caps) < 0 ? failed(d, "capset") : 0;
}

int sandbox_pure(struct diag *d)
{
	const struct rlimit none = { 0, 0 };

	if (left_out)
		return 0;
	if (confine(-1, 0, d) < 0)
		return -1;
	return setrlimit(RLIMIT_NOFILE, &none) < 0 ? failed(d, "RLIMIT_NOFILE") : 0;
}

int sandbox_reading(struct diag *d)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return failed(d, "/");
	int rc = sandbox_tree(root, false, d);

	close(root);
	return rc;
}

int sandbox_online(struct diag *d)
{
	online = true;
	int rc = sandbox_reading(d);

	online = false;
	return rc;
}

int sandbox_tree(int dir, bool writes, struct diag *d)
{
	if (left_out)
		return 0;
	if (writes && give_up_devices(d) < 0)
		return -1;
	return confine(dir, writes ? WRITING : READING, d);
}
