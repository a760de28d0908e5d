/*
 * mig-approve -- sign an approval of plans.
 *
 * stdin is not read.  stdout: the approval.  Exit: 0, 2, 3 (no such key), 4 (it
 * is none), 1.
 */
#include "approval.h"
#include "cli.h"
#include "sandbox.h"

static const char help[] =
	"usage: mig-approve --digest DIGEST --env dev|staging|prod --approver NAME\n"
	"                   --ticket TICKET --expires-at TIME --key KEY.pem\n"
	"\n"
	"Write a signed approval, for mig-gate --approval.\n"
	"\n"
	"  --digest DIGEST    of the plans, as mig-report prints it\n"
	"  --env ENV          dev, staging or prod\n"
	"  --approver NAME    who approves\n"
	"  --ticket TICKET    where that is told\n"
	"  --expires-at TIME  until when it counts (RFC 3339)\n"
	"  --key KEY.pem      the approver's private key, Ed25519\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 success, 1 unexpected error, 2 usage, 3 the key cannot be read,\n"
	"4 it is no such key.\n";

struct opts {
	const char *digest, *env, *approver, *ticket, *expires_at, *key;
};

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const struct cli_opt opts[] = { { "digest", CLI_TEXT, &o->digest },
		                        { "env", CLI_TEXT, &o->env },
		                        { "approver", CLI_TEXT, &o->approver },
		                        { "ticket", CLI_TEXT, &o->ticket },
		                        { "expires-at", CLI_TEXT, &o->expires_at },
		                        { "key", CLI_TEXT, &o->key },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	for (const struct cli_opt *opt = opts; rc < 0 && opt->name; opt++)
		if (!*(const char **)opt->to)
			return cli_usage(help, "--%s is required", opt->name);
	if (rc >= 0)
		return rc;
	if (!digest_spelled(o->digest))
		return cli_usage(help, "--digest %s: not 64 hex digits in lower case", o->digest);
	if (!cli_env(help, o->env) || !cli_text(help, "approver", o->approver) ||
	    !cli_text(help, "ticket", o->ticket) || !cli_time(help, "expires-at", o->expires_at))
		return MIG_USAGE;
	return -1;
}

static void run(const struct opts *o, struct filter *f)
{
	struct key *k = key_read(o->key, true, &f->d);
	struct buf line = BUF_INIT;

	if (k && sandbox_pure(&f->d) == 0) {
		struct approval a = {
			.approver = text_cstr(o->approver),
			.digest = text_cstr(o->digest),
			.env = text_cstr(o->env),
			.expires_at = text_cstr(o->expires_at),
			.key_id = text_cstr(key_id(k)),
			.ticket = text_cstr(o->ticket),
		};

		approval_write(&line, &a, k);
		stream_put(&f->out, line.s, line.len);
	}
	buf_release(&line);
	key_free(k);
}

int main(int argc, char **argv)
{
	struct opts o = { .key = NULL };
	struct filter f;

	progname = "mig-approve";
	int rc = parse_opts(&o, argc, argv);

	if (rc >= 0)
		return rc;
	filter_init(&f, progname, false);
	run(&o, &f);
	return filter_finish(&f);
}
