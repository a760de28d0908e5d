/*
 * mig-hash -- canonical JSON, its SHA-256, a check of the hashes inside, or a balance.
 *
 * stdin or FILEs (- is stdin): JSON values separated by white space.  stdout: a line a
 * value.  Exit: 0, 2 (not JSON), 3 (no such file), 4 (a hash does not hold), 1.
 */
#include "balancer.h"
#include "cli.h"
#include "hasher.h"
#include "operands.h"
#include "pointer.h"

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
	struct filter f;
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

static void read_file(void *arg, int fd, const char *name)
{
	struct opts *o = arg;

	if (o->balances)
		balancer_add(&o->balance, fd, name, &o->f.d);
	else
		hasher_run(&o->hasher, fd, name, &o->f.out, &o->f.d);
}

int main(int argc, char **argv)
{
	struct opts o = { .check = false };

	progname = "mig-hash";
	int rc = parse_opts(&o, argc, argv);

	if (rc >= 0)
		return rc;
	filter_init(&o.f, progname, false);
	o.f.page = true;
	operands_read(argv + o.operands, read_file, &o, &o.f.d);
	if (o.balances && diag_exit(&o.f.d) == MIG_OK)
		balancer_put(&o.balance, o.hasher.format == HASHER_JSON, &o.f.out);
	balance_release(&o.balance);
	return filter_finish(&o.f);
}
