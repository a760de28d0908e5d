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

enum { CONNECT_TCP = 2 };

/*
 * A writer has every right below its folder, so that the kernel, which looks for
 * them from a name upwards, stops at that folder: for one right that is denied
 * there it would go on to / in every link and rename, a tenth of mig-apply's
 * time.  What must not be made even there, devices, takes a capability.
 */
#define WRITING (~UINT64_C(0))

static int failed(struct diag *d, const char *what)
{
	return diag_add(d, MIG_ERROR, "sandbox_failed", NULL, "cannot give up what is not needed: %s: %s", what,
	                strerror(errno));
}

/* What is left: rights below some folders, and speaking to servers. */
struct left {
	struct below {
		int dir;
		uint64_t rights;
	} v[3];
	size_t n;
	bool connects;
	bool alone; /* nothing else has a name any more */
};

static int allow_below(int ruleset, int dir, uint64_t rights)
{
	const struct landlock_path_beneath_attr below = { .allowed_access = rights, .parent_fd = dir };

	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
}

static bool renames(const struct left *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].rights & LANDLOCK_ACCESS_FS_REFER)
			return true;
	return false;
}

static int landlock(const struct left *l, struct diag *d)
{
	const long known = sizeof by_abi / sizeof *by_abi;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	/* ABI 1 knows no REFER: it forbids every rename from one folder to another */
	if (abi < 1 || (abi == 1 && renames(l)))
		return 0;
	struct ruleset all = by_abi[(abi < known ? abi : known) - 1];

	if (l->connects)
		all.tcp &= ~(uint64_t)CONNECT_TCP;
	if (l->alone)
		all.fs = 0;
	if (!all.fs && !all.tcp && !all.scopes)
		return 0;
	int fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);

	if (fd < 0)
		return failed(d, "landlock_create_ruleset");
	int rc = 0;

	for (size_t i = 0; i < l->n && rc == 0; i++)
		if (allow_below(fd, l->v[i].dir, l->v[i].rights & all.fs) < 0)
			rc = failed(d, "landlock_add_rule");
	if (rc == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		rc = failed(d, "landlock_restrict_self");
	close(fd);
	return rc;
}

static int confine(const struct left *l, struct diag *d)
{
	tzset(); /* libc would read the time zone when it is first asked for a time */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return failed(d, "no_new_privs");
	return landlock(l, d);
}

/* ---- capabilities: no_new_privs keeps them from coming back ---- */

enum { CAP_WORDS = _LINUX_CAPABILITY_U32S_3 };

#define ALL_OTHERS UINT32_MAX

/* What root needs over files that are not its own. */
#define OVER_FILES                                                                                                     \
	(CAP_TO_MASK(CAP_CHOWN) | CAP_TO_MASK(CAP_DAC_OVERRIDE) | CAP_TO_MASK(CAP_FOWNER) | CAP_TO_MASK(CAP_FSETID))

static struct __user_cap_header_struct cap_head(void)
{
	return (struct __user_cap_header_struct){ .version = _LINUX_CAPABILITY_VERSION_3 };
}

/* Give up all but the capabilities of this mask, which is of the first word, and others of the rest. */
static int keep_capabilities(uint32_t mask, uint32_t others, struct diag *d)
{
	struct __user_cap_header_struct head = cap_head();
	struct __user_cap_data_struct caps[CAP_WORDS];

	if (syscall(SYS_capget, &head, caps) < 0)
		return failed(d, "capget");
	for (size_t i = 0; i < CAP_WORDS; i++) {
		const uint32_t keep = i ? others : mask;

		caps[i].effective &= keep;
		caps[i].permitted &= keep;
		caps[i].inheritable &= keep;
	}
	return syscall(SYS_capset, &head, caps) < 0 ? failed(d, "capset") : 0;
}

/* Root, too, can then make no device file. */
static int give_up_devices(struct diag *d)
{
	return keep_capabilities(~CAP_TO_MASK(CAP_MKNOD), ALL_OTHERS, d);
}

static bool may_change_root(void)
{
	struct __user_cap_header_struct head = cap_head();
	struct __user_cap_data_struct caps[CAP_WORDS];

	return syscall(SYS_capget, &head, caps) == 0 && caps[0].effective & CAP_TO_MASK(CAP_SYS_CHROOT);
}

int sandbox_pure(struct diag *d)
{
	const struct rlimit none = { 0, 0 };

	if (left_out)
		return 0;
	if (confine(&(struct left){ .n = 0 }, d) < 0)
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

int sandbox_tree(int dir, bool writes, struct diag *d)
{
	return sandbox_trees(&dir, 1, writes, d);
}

int sandbox_trees(const int *dirs, size_t n, bool writes, struct diag *d)
{
	struct left l = { .n = n };

	if (left_out)
		return 0;
	if (writes && give_up_devices(d) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		l.v[i] = (struct below){ dirs[i], writes ? WRITING : READING };
	return confine(&l, d);
}

int sandbox_root(int dir, struct diag *d)
{
	if (left_out || !may_change_root())
		return sandbox_tree(dir, true, d);
	tzset(); /* while the time zones have a name */
	if (fchdir(dir) < 0 || chroot(".") < 0)
		return failed(d, "chroot");
	return keep_capabilities(OVER_FILES, 0, d) < 0 ? -1 : confine(&(struct left){ .alone = true }, d);
}

int sandbox_client(int dir, struct diag *d)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct left l = { .v = { { root, READING }, { dir, WRITING } }, .n = dir < 0 ? 1 : 2, .connects = true };

	if (root < 0)
		return failed(d, "/");
	int rc = left_out ? 0 : give_up_devices(d);

	if (rc == 0 && !left_out)
		rc = confine(&l, d);
	close(root);
	return rc;
}
