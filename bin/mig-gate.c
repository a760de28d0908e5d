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

#include <stdlib.h>

static const char help[] =
	"usage: mig-gate --env dev|staging|prod [--apply | --dry-run] [--tenant ID]\n"
	"                [--project ID] [--prod-override TICKET] [--allow-destructive]\n"
	"                [--allow RULE=REASON ...] [--rehearsed FILE] [--phases FILE]\n"
	"                [--evidence FILE ...] [--confirmed FILE ...] [--bundle DIR]\n"
	"                [--policy FILE.jq ...] [--approval FILE ...] [--approvals N]\n"
	"                [--trust KEY.pem ...] [--sign KEY.pem] [--key-id ID]\n"
	"                [--ttl SECONDS] [--now TIME]\n"
	"\n"
	"Judge the plans on stdin; write permits for mig-apply, or refuse.\n"
	"\n"
	"  --env ENV                 dev, staging or prod; must be the plans'\n"
	"  --apply                   let mig-apply write\n"
	"  --dry-run                 let mig-apply only show what it would do\n"
	"  --tenant ID --project ID  the scope; must be the plans'\n"
	"  --prod-override TICKET    the ticket that env prod needs\n"
	"  --allow-destructive       let steps remove data or be irreversible\n"
	"  --allow RULE=REASON       let a finding of this rule pass without a review; may be\n"
	"                            given more than once\n"
	"  --rehearsed FILE          refuse plans of databases that these verdicts of\n"
	"                            mig-verify --rehearse do not speak of\n"
	"  --phases FILE             the phases that the plans are one of; refuse them while\n"
	"                            one before them is not done\n"
	"  --evidence FILE           what mig-verify says of the phases before; may be given\n"
	"                            more than once\n"
	"  --confirmed FILE          a confirmation of a phase that has no plans; may be\n"
	"                            given more than once\n"
	"  --bundle DIR              refuse plans whose bundle (mig-bundle) is not there, whole\n"
	"                            and unchanged\n"
	"  --policy FILE.jq          ask this program too; may be given more than once\n"
	"  --approval FILE           an approval of these plans; may be given more than once\n"
	"  --approvals N             how many approvers plans in review need, in every env\n"
	"                            (default: 1 in prod, 0 elsewhere)\n"
	"  --trust KEY.pem           a key that approvals may be signed with; may be given\n"
	"                            more than once\n"
	"  --sign KEY.pem            sign the permits with this private key\n"
	"  --key-id ID               what the permits call that key (its hash)\n"
	"  --ttl SECONDS             let the permits expire\n"
	"  --now TIME                the permits' time (RFC 3339) instead of the clock\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 permits written, 1 unexpected error, 2 usage or an unknown record,\n"
	"3 the stream was cut short, a file cannot be read, or a bundle is incomplete, 4 a\n"
	"plan was edited, breaks its contract or is for another env, scope or strategy, a\n"
	"key, policy, approval or file of phases is none, or a bundle was changed, 5 refused.\n";

struct opts {
	struct gate_ask ask;
	const char *now;
	char *actor, *stamp;
};

static int check_opts(struct opts *o)
{
	struct gate_ask *a = &o->ask;
	const char *wrong, *bad;

	if (!cli_env(help, a->env) || !cli_text(help, "tenant", a->tenant) || !cli_text(help, "project", a->project) ||
	    (a->ticket && *a->ticket && !cli_text(help, "prod-override", a->ticket)) ||
	    !cli_text(help, "key-id", a->key_name))
		return MIG_USAGE;
	for (char **waiver = a->allow; waiver && *waiver; waiver++)
		if (!cli_text(help, "allow", *waiver))
			return MIG_USAGE;
	if (a->allow && (wrong = waivers_json(a->allow, &a->waivers, &bad)))
		return cli_usage(help, "--allow: %.*s %s", (int)strcspn(bad, "="), bad, wrong);
	if ((wrong = gate_ask_wrong(a)))
		return cli_usage(help, "%s", wrong);
	if (!cli_now(help, o->now, &o->stamp) || !(o->actor = cli_actor(help)))
		return MIG_USAGE;
	if (!o->stamp)
		o->stamp = cli_clock();
	a->issued_at = o->stamp;
	a->actor = o->actor;
	return -1;
}

static int parse_opts(struct opts *o, int argc, char **argv)
{
	struct gate_ask *a = &o->ask;
	const struct cli_opt opts[] = { { "env", CLI_TEXT, &a->env },
		                        { "apply", CLI_FLAG, &a->apply },
		                        { "dry-run", CLI_FLAG, &a->dry_run },
		                        { "tenant", CLI_TEXT, &a->tenant },
		                        { "project", CLI_TEXT, &a->project },
		                        { "prod-override", CLI_TEXT, &a->ticket },
		                        { "allow-destructive", CLI_FLAG, &a->destructive },
		                        { "allow", CLI_LIST, &a->allow },
		                        { "rehearsed", CLI_TEXT, &a->rehearsed },
		                        { "phases", CLI_TEXT, &a->phases },
		                        { "evidence", CLI_LIST, &a->evidence },
		                        { "confirmed", CLI_LIST, &a->confirmed },
		                        { "bundle", CLI_TEXT, &a->bundle },
		                        { "policy", CLI_LIST, &a->policies },
		                        { "approval", CLI_LIST, &a->approvals },
		                        { "approvals", CLI_COUNT, &a->needed },
		                        { "trust", CLI_LIST, &a->trust },
		                        { "sign", CLI_TEXT, &a->sign },
		                        { "key-id", CLI_TEXT, &a->key_name },
		                        { "ttl", CLI_COUNT, &a->ttl },
		                        { "now", CLI_TEXT, &o->now },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	return rc >= 0 ? rc : check_opts(o);
}

/* Everything is opened and compiled before the sandbox closes and the first plan is read. */
static int run(const struct gate_ask *ask)
{
	struct filter f;
	struct spool plans;
	struct gate gate;

	filter_init(&f, progname, true);
	int spooled = spool_init(&plans, &f.d);

	cli_forget_surroundings();
	if (gate_open(&gate, ask, &f.d) == 0 && spooled == 0 && sandbox_pure(&f.d) == 0)
		gate_run(&gate, &plans, &f.in, &f.out, &f.d);
	spool_release(&plans);
	int rc = filter_finish(&f);

	gate_close(&gate);
	return rc;
}

int main(int argc, char **argv)
{
	struct opts o = { .ask = GATE_ASK_INIT };

	progname = "mig-gate";
	int rc = parse_opts(&o, argc, argv);

	if (rc < 0)
		rc = run(&o.ask);
	free(o.actor);
	free(o.stamp);
	gate_ask_release(&o.ask);
	return rc;
}
