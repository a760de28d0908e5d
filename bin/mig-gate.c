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
	const char *env, *tenant, *project, *ticket, *sign, *key_id, *now, *rehearsed, *phases, *bundle;
	bool apply, dry_run, destructive;
	struct cli_list allow, policies, approvals, trust, evidence, confirmed;
	struct buf waivers;
	int64_t needed, ttl; /* -1: not given */
	char *stamp;
};

static void release_opts(struct opts *o)
{
	free(o->allow.v);
	buf_release(&o->waivers);
	free(o->policies.v);
	free(o->approvals.v);
	free(o->trust.v);
	free(o->evidence.v);
	free(o->confirmed.v);
	free(o->stamp);
}

/* The waivers as the grant keeps them: true, or false after a line on stderr. */
static bool take_waivers(struct opts *o)
{
	const char *bad, *fault;

	for (size_t i = 0; i < o->allow.n; i++)
		if (!cli_text(help, "allow", o->allow.v[i]))
			return false;
	if (!o->allow.n || !(fault = waivers_json(o->allow.v, &o->waivers, &bad)))
		return true;
	cli_usage(help, "--allow: %.*s %s", (int)strcspn(bad, "="), bad, fault);
	return false;
}

/* What the options ask of each other; MIG_USAGE, or -1 to go on. */
static int check_opts(struct opts *o)
{
	if (!cli_env(help, o->env) || !cli_text(help, "tenant", o->tenant) || !cli_text(help, "project", o->project) ||
	    (o->ticket && *o->ticket && !cli_text(help, "prod-override", o->ticket)) ||
	    !cli_text(help, "key-id", o->key_id) || !take_waivers(o))
		return MIG_USAGE;
	if (o->key_id && !o->sign)
		return cli_usage(help, "--key-id goes with --sign");
	if (o->approvals.n && !o->trust.n)
		return cli_usage(help, "--approval needs --trust: the keys of those who may approve");
	if (!o->phases && (o->evidence.n || o->confirmed.n))
		return cli_usage(help, "--evidence and --confirmed go with --phases");
	if (o->confirmed.n && !o->trust.n)
		return cli_usage(help, "--confirmed needs --trust: the keys of those who may confirm");
	if (o->needed == 0 || o->needed > 1000)
		return cli_usage(help, "--approvals: from 1 to 1000");
	if (o->ttl == 0 || o->ttl > 3650 * INT64_C(86400))
		return cli_usage(help, "--ttl: from a second to ten years");
	return -1;
}

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const struct cli_opt opts[] = { { "env", CLI_TEXT, &o->env },
		                        { "apply", CLI_FLAG, &o->apply },
		                        { "dry-run", CLI_FLAG, &o->dry_run },
		                        { "tenant", CLI_TEXT, &o->tenant },
		                        { "project", CLI_TEXT, &o->project },
		                        { "prod-override", CLI_TEXT, &o->ticket },
		                        { "allow-destructive", CLI_FLAG, &o->destructive },
		                        { "allow", CLI_LIST, &o->allow },
		                        { "rehearsed", CLI_TEXT, &o->rehearsed },
		                        { "phases", CLI_TEXT, &o->phases },
		                        { "evidence", CLI_LIST, &o->evidence },
		                        { "confirmed", CLI_LIST, &o->confirmed },
		                        { "bundle", CLI_TEXT, &o->bundle },
		                        { "policy", CLI_LIST, &o->policies },
		                        { "approval", CLI_LIST, &o->approvals },
		                        { "approvals", CLI_COUNT, &o->needed },
		                        { "trust", CLI_LIST, &o->trust },
		                        { "sign", CLI_TEXT, &o->sign },
		                        { "key-id", CLI_TEXT, &o->key_id },
		                        { "ttl", CLI_COUNT, &o->ttl },
		                        { "now", CLI_TEXT, &o->now },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc < 0)
		rc = check_opts(o);
	return rc >= 0 ? rc : cli_now(help, o->now, &o->stamp) ? -1 : MIG_USAGE;
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
	struct opts o = { .needed = -1, .ttl = -1 };
	char *actor = NULL;

	progname = "mig-gate";
	int rc = parse_opts(&o, argc, argv);

	if (rc < 0 && !(actor = cli_actor(help)))
		rc = MIG_USAGE;
	if (rc < 0) {
		char *issued = o.stamp ? xstrdup(o.stamp) : cli_clock();
		struct gate_ask ask = {
			.grant = { .env = text_cstr(o.env),
			           .tenant = text_cstr(o.tenant),
			           .project = text_cstr(o.project),
			           .apply = o.apply,
			           .dry_run = o.dry_run,
			           .allow_destructive = o.destructive,
			           .ticket = text_cstr(o.ticket),
			           .waivers = { o.waivers.s, o.waivers.len },
			           .actor = text_cstr(actor),
			           .issued_at = text_cstr(issued) },
			.policies = o.policies.v,
			.approvals = o.approvals.v,
			.trust = o.trust.v,
			.rehearsed = o.rehearsed,
			.phases = o.phases,
			.evidence = o.evidence.v,
			.confirmed = o.confirmed.v,
			.bundle = o.bundle,
			.sign = o.sign,
			.key_name = o.key_id,
			.ttl = o.ttl > 0 ? o.ttl : 0,
			.needed = o.needed > 0 ? (size_t)o.needed : 0,
		};

		rc = run(&ask);
		free(issued);
	}
	free(actor);
	release_opts(&o);
	return rc;
}
