/*
 * mig-gate -- decide whether plans may run.
 *
 * stdin: plans.  stdout: a permit for each once all have been judged, then end.
 * Exit: 0, 2, 3 (stream cut short), 4 (plan edited, other env or scope), 5
 * (refused), 1.
 */
#include "cli.h"
#include "gate.h"
#include "sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static const char help[] =
	"usage: mig-gate --env dev|staging|prod [--apply | --dry-run] [--tenant ID]\n"
	"                [--project ID] [--prod-override TICKET] [--allow-destructive]\n"
	"                [--now TIME]\n"
	"\n"
	"Judge the plans on stdin; write permits for mig-apply, or refuse.\n"
	"\n"
	"  --env ENV                 dev, staging or prod; must be the plans'\n"
	"  --apply                   let mig-apply write\n"
	"  --dry-run                 let mig-apply only show what it would do\n"
	"  --tenant ID --project ID  the scope; must be the plans'\n"
	"  --prod-override TICKET    the ticket that env prod needs\n"
	"  --allow-destructive       let steps remove data or be irreversible\n"
	"  --now TIME                the permits' time (RFC 3339) instead of the clock\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 permits written, 1 unexpected error, 2 usage or an unknown record,\n"
	"3 the stream was cut short, 4 a plan was edited or is for another env or scope,\n"
	"5 refused.\n";

struct opts {
	const char *env, *tenant, *project, *ticket, *now;
	bool apply, dry_run, destructive;
	char *stamp;
};

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const struct cli_opt opts[] = { { "env", CLI_TEXT, &o->env },
		                        { "apply", CLI_FLAG, &o->apply },
		                        { "dry-run", CLI_FLAG, &o->dry_run },
		                        { "tenant", CLI_TEXT, &o->tenant },
		                        { "project", CLI_TEXT, &o->project },
		                        { "prod-override", CLI_TEXT, &o->ticket },
		                        { "allow-destructive", CLI_FLAG, &o->destructive },
		                        { "now", CLI_TEXT, &o->now },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if (!cli_env(help, o->env) || !cli_text(help, "tenant", o->tenant) || !cli_text(help, "project", o->project) ||
	    (o->ticket && *o->ticket && !cli_text(help, "prod-override", o->ticket)))
		return MIG_USAGE;
	return cli_now(help, o->now, &o->stamp) ? -1 : MIG_USAGE;
}

static struct text given(const char *s)
{
	return (struct text){ s, s ? strlen(s) : 0 };
}

/* 32 random hex digits. */
static void make_nonce(char nonce[33])
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		die(MIG_ERROR, "no random bytes for the nonce");
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
}

int main(int argc, char **argv)
{
	struct opts o = { .env = NULL };
	struct filter f;
	struct spool plans;
	char nonce[33], *actor;

	progname = "mig-gate";
	int rc = parse_opts(&o, argc, argv);

	if (rc >= 0)
		return rc;
	make_nonce(nonce);
	if (!(actor = cli_actor(help))) {
		free(o.stamp);
		return MIG_USAGE;
	}
	char *issued = o.stamp ? xstrdup(o.stamp) : cli_clock();
	struct grant ask = {
		.env = given(o.env),
		.tenant = given(o.tenant),
		.project = given(o.project),
		.apply = o.apply,
		.dry_run = o.dry_run,
		.allow_destructive = o.destructive,
		.ticket = given(o.ticket),
		.actor = given(actor),
		.nonce = given(nonce),
		.issued_at = given(issued),
	};

	filter_init(&f, progname, true);
	if (spool_init(&plans, &f.d) == 0 && sandbox_pure(&f.d) == 0)
		gate_run(&ask, &plans, &f.in, &f.out, &f.d);
	spool_release(&plans);
	rc = filter_finish(&f);
	free(actor);
	free(issued);
	free(o.stamp);
	return rc;
}
