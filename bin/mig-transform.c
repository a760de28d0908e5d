/*
 * mig-transform -- take documents along the hops of a migration set.
 *
 * stdin: document records.  stdout: a change, current or reject for each, all
 * else unchanged and in order.  Exit: 0, 2, 3 (set missing), 4 (invalid set,
 * impure or dying program, edited record, differing paths), 1.
 */
#include "cli.h"
#include "sandbox.h"
#include "set-read.h"
#include "transform.h"

#include <locale.h>
#include <stdlib.h>

static const char help[] =
	"usage: mig-transform --set DIR --target-version SEMVER [--check-paths]\n"
	"\n"
	"Turn documents into changes, by the programs of a migration set.\n"
	"\n"
	"  --set DIR                 the migration set\n"
	"  --target-version SEMVER   where to; \"latest\" is refused\n"
	"  --check-paths             all paths there must give the same documents\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 success, 1 unexpected error, 2 usage, 3 the set is missing,\n"
	"4 the set is invalid, a program is impure or died, a record was edited, or paths\n"
	"differ.\n";

struct opts {
	const char *set, *target;
	bool check_paths;
};

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const struct cli_opt opts[] = { { "set", CLI_TEXT, &o->set },
		                        { "target-version", CLI_TEXT, &o->target },
		                        { "check-paths", CLI_FLAG, &o->check_paths },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if (!o->set)
		return cli_usage(help, "--set is required");
	return cli_version(help, o->target) ? -1 : MIG_USAGE;
}

int main(int argc, char **argv)
{
	struct opts o = { .set = NULL };
	struct filter f;
	struct set *set;

	progname = "mig-transform";
	int rc = parse_opts(&o, argc, argv);

	if (rc >= 0)
		return rc;
	filter_init(&f, progname, true);
	cli_forget_surroundings();
	if ((set = set_read(o.set, &f.d)) && sandbox_pure(&f.d) == 0) {
		const struct transform_ask ask = { set, o.target, o.check_paths };

		transform_run(&ask, &f.in, &f.out, &f.d);
	}
	set_free(set);
	return filter_finish(&f);
}
