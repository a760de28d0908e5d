/*
 * mig-report -- a page about a stream.
 *
 * stdin: documents, changes, plans, permits, outcomes, verdicts or versions.
 * stdout: a page.  Exit: 0, that of a fault that came in, 2 (a line that is no
 * record), 3 (stream cut short), 4 (stream or plan edited), 1.
 */
#include "cli.h"
#include "report.h"
#include "sandbox.h"

#include <stdlib.h>
#include <unistd.h>

static const char help[] =
	"usage: mig-report [--format text|json|html] [--lines]\n"
	"\n"
	"Show what the stream on stdin holds: for plans, the page that reviewers read.\n"
	"\n"
	"  --format FORMAT   text (the default), json (one object) or html (one page)\n"
	"  --lines           fixed lines for scripts: env, plan_hash=.. ok=.. code=..\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 the stream was whole, 1 unexpected error, 2 usage or a line that\n"
	"is no record, 3 the stream was cut short, 4 it was edited; after a fault, its code.\n";

struct opts {
	struct report_ask ask;
};

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const char *format = NULL, *no_color = getenv("NO_COLOR");
	const struct cli_opt opts[] = { { "format", CLI_TEXT, &format },
		                        { "lines", CLI_FLAG, &o->ask.lines },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if (!cli_format(help, format))
		return MIG_USAGE;
	if (format && o->ask.lines)
		return cli_usage(help, "--lines has a format of its own");
	if (format && *format != 't')
		o->ask.format = *format == 'j' ? REPORT_JSON : REPORT_HTML;
	o->ask.bold = isatty(STDOUT_FILENO) && !(no_color && *no_color);
	return -1;
}

int main(int argc, char **argv)
{
	struct opts o = { .ask.format = REPORT_TEXT };
	struct filter f;

	progname = "mig-report";
	int rc = parse_opts(&o, argc, argv);

	if (rc >= 0)
		return rc;
	filter_init(&f, progname, true);
	f.page = true;
	if (sandbox_pure(&f.d) == 0)
		report_run(&o.ask, &f.in, &f.out, &f.d);
	return filter_finish(&f);
}
