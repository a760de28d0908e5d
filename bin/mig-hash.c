/*
 * mig-hash -- canonical JSON, its SHA-256, a check of the hashes inside, or a balance.
 *
 * stdin or FILEs (- is stdin): JSON values separated by white space.  stdout: a line a
 * value.  Exit: 0, 2 (not JSON), 3 (no such file), 4 (a hash does not hold), 1.
 */
#include "balancer.h"
#include "cli.h"
#include "hasher.h"
#include "pointer.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"usage: mig-hash [--canonical | --check | --balance] [--without POINTER]\n"
	"                [--format text|json] [FILE ...]\n"
	"\n"
	"Hash JSON values by their canonical text, print that text, or check records.\n"
	"\n"
	"  --canonical        print each value as canonical JSON (RFC 8785) instead\n"
	"  --check            recompute every sum, plan_hash and end digest\n"
	"  --balance          count the rows of each entity, with a digest that no order changes\n"
	"  --without POINTER  leave this member out (RFC 6901)\n"
	"  --format FORMAT    text: \"hash  file\", as sha256sum; json: an object a line\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 success, 1 unexpected error, 2 usage or not JSON, 3 no such file,\n"
	"4 a hash does not hold, or a balance was asked of changes to documents.\n";

struct opts {
	struct hasher hasher;
	bool canonical, check, balances;
	struct balance balance;
	const char *format;
	int operands;
};

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const struct cli_opt opts[] = {
		{ "canonical", CLI_FLAG, &o->canonical }, { "check", CLI_FLAG, &o->check },
		{ "balance", CLI_FLAG, &o->balances },    { "without", CLI_TEXT, &o->hasher.without },
		{ "format", CLI_TEXT, &o->format },       { NULL, CLI_FLAG, NULL }
	};
	const char *without;
	int rc = cli_parse(argc, argv, help, opts, &o->operands);

	if (rc >= 0)
		return rc;
	if (o->canonical + o->check + o->balances > 1)
		return cli_usage(help, "--canonical, --check and --balance exclude each other");
	if (o->balances && o->hasher.without)
		return cli_usage(help, "--without does not go with --balance");
	if (o->format && strcmp(o->format, "text") != 0 && strcmp(o->format, "json") != 0)
		return cli_usage(help, "invalid --format: %s (text or json)", o->format);
	if (o->format && (o->canonical || o->check))
		return cli_usage(help, "--format goes with hashes only");
	without = o->hasher.without;
	if (without && (!*without || !pointer_valid(without, strlen(without))))
		return cli_usage(help, "--without %s: not a JSON pointer (RFC 6901) to a member", without);
	o->hasher.mode = o->canonical ? HASHER_CANONICAL : o->check ? HASHER_CHECK : HASHER_HASH;
	o->hasher.format = !o->format ? HASHER_BARE : *o->format == 't' ? HASHER_TEXT : HASHER_JSON;
	return -1;
}

static void read_file(struct opts *o, int fd, const char *path, struct filter *f)
{
	if (o->balances)
		balancer_add(&o->balance, fd, path, &f->d);
	else
		hasher_run(&o->hasher, fd, path, &f->out, &f->d);
}

static void run_file(struct opts *o, const char *path, bool last, struct filter *f)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		diag_add(&f->d, MIG_PRECONDITION, "missing_file", path, "a folder, not a file");
		close(fd);
		return;
	}
	if (fd < 0) {
		diag_add(&f->d, errno == EMFILE || errno == ENFILE ? MIG_ERROR : MIG_PRECONDITION, "missing_file", path,
		         "%s", strerror(errno));
		return;
	}
	if (!last || sandbox_pure(&f->d) == 0)
		read_file(o, fd, path, f);
	if (!standard)
		close(fd);
}

/* Several files are opened one after the other, whatever the limit on descriptors. */
static void run(struct opts *o, int argc, char **argv, struct filter *f)
{
	if (o->operands == argc)
		run_file(o, "-", true, f);
	if (argc - o->operands > 1 && sandbox_reading(&f->d) < 0)
		return;
	for (int i = o->operands; i < argc; i++)
		run_file(o, argv[i], i == argc - 1, f);
	if (o->balances && diag_exit(&f->d) == MIG_OK)
		balancer_put(&o->balance, o->hasher.format == HASHER_JSON, &f->out);
}

int main(int argc, char **argv)
{
	struct opts o = { .check = false };
	struct filter f;

	progname = "mig-hash";
	int rc = parse_opts(&o, argc, argv);

	if (rc >= 0)
		return rc;
	filter_init(&f, progname, false);
	f.page = true;
	run(&o, argc, argv, &f);
	balance_release(&o.balance);
	return filter_finish(&f);
}
