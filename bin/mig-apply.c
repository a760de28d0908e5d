/*
 * mig-apply -- use permits: do what their plans say.
 *
 * stdin: permits, or verdicts to write down.  stdout: an outcome for each plan,
 * or the verdicts, then end.  Exit: 0, 2, 3 (store missing, locked, full; stream
 * cut short), 4 (drift, a hash does not hold), 5 (no permit, or one that is not
 * believed), 1 (also for a deadline).
 */
#include "apply.h"
#include "cli.h"

#include <stdlib.h>

static const char help[] =
	"usage: mig-apply --store URI [--trust KEY.pem ...] [--lock-timeout SECONDS]\n"
	"                 [--deadline SECONDS] [--now TIME]\n"
	"\n"
	"Do exactly what the permitted plans on stdin say; the only filter that writes.\n"
	"Verdicts on stdin are written into the ledger and passed on.\n"
	"\n"
	"  --store URI             where the documents live: fs:DIR (or MIG_STORE)\n"
	"  --trust KEY.pem         refuse permits that no such key signed; may be given more\n"
	"                          than once (default: the keys in the store's .mig/trust/)\n"
	"  --lock-timeout SECONDS  how long to wait for another writer (10)\n"
	"  --deadline SECONDS      do not begin what would take longer, as far as the ledger tells\n"
	"  --now TIME              the time to stamp (RFC 3339) instead of the clock\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 applied or nothing to do, 1 unexpected error or past the deadline,\n"
	"2 usage or an unknown record, 3 store missing, locked, full or not writable, or\n"
	"the stream was cut short, 4 drift, or a hash or check does not hold, 5 no permit,\n"
	"or one that is unsigned, foreign, expired or spent.\n";

enum { NONE = -1 };

struct opts {
	const char *store, *now;
	struct cli_list trust;
	int64_t lock_timeout, deadline;
	char *stamp, *actor;
};

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const struct cli_opt opts[] = { { "store", CLI_TEXT, &o->store },
		                        { "trust", CLI_LIST, &o->trust },
		                        { "now", CLI_TEXT, &o->now },
		                        { "lock-timeout", CLI_COUNT, &o->lock_timeout },
		                        { "deadline", CLI_COUNT, &o->deadline },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if (!o->store)
		o->store = cli_store();
	if (!o->store)
		return cli_usage(help, "--store is required");
	if (o->lock_timeout > 86400)
		return cli_usage(help, "--lock-timeout: at most a day");
	if (o->deadline == 0 || o->deadline > 31536000)
		return cli_usage(help, "--deadline: from one second to a year");
	if (!cli_now(help, o->now, &o->stamp) || !(o->actor = cli_actor(help)))
		return MIG_USAGE;
	return -1;
}

static void run(const char *uri, char *const *trusted, const struct apply_ask *ask, struct filter *f)
{
	struct spool permits = { .fd = -1 };
	struct store *s = store_open(uri, STORE_WRITE, &f->d);

	/* the keys are read before the rest of the file system is out of reach */
	if (s && trust_read(ask->trust, trusted, &f->d) == 0 && spool_init(&permits, &f->d) == 0 &&
	    s->ops->confine(s, &f->d) == 0)
		apply_run(s, ask, &permits, &f->in, &f->out, &f->d);
	spool_release(&permits);
	if (s)
		s->ops->close(s);
}

int main(int argc, char **argv)
{
	struct opts o = { .lock_timeout = 10, .deadline = NONE };
	struct trust trust = TRUST_INIT;
	struct filter f;

	progname = "mig-apply";
	int rc = parse_opts(&o, argc, argv);

	if (rc < 0) {
		struct apply_ask ask = { .lock_timeout = (unsigned)o.lock_timeout,
			                 .now = o.stamp,
			                 .deadline = o.deadline == NONE ? 0 : o.deadline,
			                 .actor = o.actor,
			                 .trust = &trust };

		filter_init(&f, progname, true);
		run(o.store, o.trust.v, &ask, &f);
		rc = filter_finish(&f);
	}
	trust_release(&trust);
	free(o.trust.v);
	free(o.actor);
	free(o.stamp);
	return rc;
}
