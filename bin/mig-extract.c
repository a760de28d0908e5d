/*
 * mig-extract -- read a store's documents, or the rows of a database or an endpoint, into a stream.
 *
 * stdin: nothing, or an endpoint's answer.  stdout: document and reject records, then end, with a
 * snapshot record ahead of rows; with --list-versions, one versions record; with
 * --applied, the applied plans; with --ledger, its entries.  Exit: 0, 2, 3 (store,
 * set, ref, table, plan or credentials missing), 4 (invalid set or query, broken
 * ledger, not all rows), 1.
 */
#include "extract-schema.h"
#include "extract.h"
#include "history.h"
#include "moment.h"
#include "rowopts.h"
#include "semver.h"

#include <stdlib.h>

static const char help[] =
	"usage: mig-extract --store URI --set DIR [--ref REF ...]\n"
	"       mig-extract --store URI --set DIR --list-versions\n"
	"       mig-extract --store URI --schema [--create]\n"
	"       mig-extract --store URI --applied [--last | --to VERSION | --plan HASH]\n"
	"                   [--migration ID] [--env ENV] [--tenant ID] [--project ID]\n"
	"                   [--state DIR]\n"
	"       mig-extract --store URI --ledger [--migration ID] [--env ENV] [--tenant ID]\n"
	"                   [--project ID] [--target-version SEMVER] [--event NAME]\n"
	"                   [--since TIME] [--until TIME] [--ref REF] [--state DIR]\n"
	"       mig-extract --store DATABASE [--set DIR] [--query FILE] [--entity NAME]\n"
	"                   [--after REF] [--tenant ID] [--env ENV]\n"
	"       mig-extract --store ENDPOINT --tenant ID --env ENV [--query FILE]\n"
	"                   [--entity NAME] [--after REF] [--token-file FILE] [--ca FILE]\n"
	"                   [--api URL] [--page N] [--timeout SECONDS] [--retries N]\n"
	"\n"
	"Read the documents of a store that a migration set describes, rows, or what was\n"
	"done to them; write a stream.\n"
	"\n"
	"  --store URI        where the documents live, fs:DIR, or a database, sqlite:FILE\n"
	"                     or postgresql://.., or an app, instantdb:APP (or MIG_STORE)\n"
	"  --set DIR          the migration set\n"
	"  --ref REF          only this document; may be given more than once\n"
	"  --list-versions    count the documents by version instead\n"
	"  --schema           what a database holds, and what is recorded of it, instead\n"
	"  --create           a SQLite file that lacks is as good as an empty one\n"
	"  --applied          the plans that are applied and not undone, newest first:\n"
	"    --last             those of the last run\n"
	"    --to VERSION       those that led beyond this version; a plain number is one of\n"
	"                       a database's history\n"
	"    --plan HASH        the one with this plan_hash\n"
	"  --ledger           the entries of the ledger, oldest first, only those with this\n"
	"    --migration ID --env ENV --tenant ID --project ID --target-version SEMVER\n"
	"    --event NAME       begin, step, commit, undo, rollback, verify, conflict or prune\n"
	"    --since TIME --until TIME  both included; a part such as 2026-01 will do\n"
	"    --ref REF          about plans that change this document\n"
	"  --state DIR        of an app: where its ledger and plans are\n"
	"\n"
	"DATABASE is sqlite:FILE or postgresql://..; its rows are read, or those of\n"
	"  --entity NAME      this table\n"
	"  --query FILE       these: {\"TABLE\":{\"columns\":[..],\"where\":SQL,\"key\":COLUMN},..},\n"
	"                     or {\"NAME\":{\"sql\":SELECT,\"key\":COLUMN},..}\n"
	"  --set DIR          the entity of a set of mode records, if it has one\n"
	"  --after REF        only what comes behind this reference\n"
	"  --tenant ID --env ENV  whose rows, and from where: for the snapshot alone\n"
	"\n"
	"ENDPOINT is https://HOST/PATH, instantdb:APP, or, for an answer that was saved, on\n"
	"stdin, response:domain or response:instantdb.  The token is in MIG_TOKEN.\n"
	"  --tenant ID --env ENV  whose rows, and from where\n"
	"  --query FILE       what is asked for: {\"ENTITY\":{..},..}\n"
	"  --entity NAME      only this one; without --query, all of it\n"
	"  --after REF        only what comes behind this reference\n"
	"  --token-file FILE  the token, in a file that only its owner may read\n"
	"  --ca FILE          the certificates to trust, instead of the system's\n"
	"  --api URL          of InstantDB (https://api.instantdb.com)\n"
	"  --page N           rows to ask InstantDB for at a time (500)\n"
	"  --timeout SECONDS  for each answer (60)\n"
	"  --retries N        after a failure that may pass (4)\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 success, 1 unexpected error, 2 usage, 3 store, set, ref, table,\n"
	"plan or credentials missing, 4 the set or the query is invalid, the ledger's\n"
	"chain is broken, or the rows are not all there.\n";

struct opts {
	const char *store, *set, *state;
	struct cli_list refs;
	bool versions, applied, ledger, schema, create;
	struct applied_ask which;
	struct history_ask entries;
	struct rowopts rows;
};

/* Rows are what is asked of an endpoint, and of a database, unless something else is. */
static bool wants_rows(const struct opts *o)
{
	bool otherwise = o->versions || o->applied || o->ledger || o->schema || o->refs.n;

	/* what was done to an app is in a folder of ours: nobody is asked */
	if (endpoint_kind(o->store) == ENDPOINT_INSTANT && (o->applied || o->ledger))
		return false;
	return rowopts_store(o->store) && (!otherwise || endpoint_kind(o->store) != ENDPOINT_NONE);
}

static int check_rows(struct opts *o)
{
	const struct history_ask *h = &o->entries;

	o->rows.others = o->state || o->refs.n || o->versions || o->applied || o->ledger || o->schema || o->create ||
	                 o->which.to || o->which.plan || o->which.last || h->migration || h->project || h->version ||
	                 h->event || h->since || h->until;
	o->rows.store = o->store;
	o->rows.set = o->set;
	o->rows.tenant = h->tenant;
	o->rows.env = h->env;
	return rowopts_check(&o->rows, help);
}

/* Documents need a set; what was done does not, and takes options of its own. */
static int check_mode(struct opts *o)
{
	const struct history_ask *h = &o->entries;
	bool filters = h->version || h->event || h->since || h->until;
	bool scope = h->migration || h->env || h->tenant || h->project;
	int which = (o->which.to != NULL) + (o->which.plan != NULL) + o->which.last;

	if (o->versions + o->applied + o->ledger + o->schema > 1)
		return cli_usage(help, "--list-versions, --schema, --applied and --ledger exclude each other");
	if (o->state && !o->applied && !o->ledger)
		return cli_usage(help, "--state goes with --applied or --ledger of an app");
	if (o->create && !o->schema)
		return cli_usage(help, "--create goes with --schema");
	if (!o->applied && which)
		return cli_usage(help, "--to, --last and --plan go with --applied");
	if (which > 1)
		return cli_usage(help, "--to, --last and --plan exclude each other");
	if (!o->ledger && (filters || (!o->applied && scope)))
		return cli_usage(help, "what entries are wanted goes with --ledger");
	if ((o->versions || o->applied || o->schema) && o->refs.n)
		return cli_usage(help, "--ref goes with documents, or with --ledger");
	if (o->ledger && o->refs.n > 1)
		return cli_usage(help, "--ref: once with --ledger");
	if (o->applied || o->ledger || o->schema)
		return o->set ? cli_usage(help, "--set goes with documents") : -1;
	return o->set ? -1 : cli_usage(help, "--set is required");
}

/* A time, or the front of one that ends with a whole part; NULL will do. */
static bool is_time(const char *s)
{
	char whole[] = "2000-01-01T00:00:00Z"; /* what a front stands for, but for its own characters */
	size_t n = s ? strlen(s) : 0;
	struct moment m;

	if (!s)
		return true;
	if (n < 4 || n >= sizeof whole || (whole[n] && !strchr("-T:Z", whole[n])))
		return false;
	memcpy(whole, s, n);
	return moment_read((struct text){ whole, sizeof whole - 1 }, &m);
}

static int parse_opts(struct opts *o, int argc, char **argv)
{
	struct history_ask *h = &o->entries;
	struct dataset_ask *r = &o->rows.ask;
	const struct cli_opt opts[] = { { "store", CLI_TEXT, &o->store },
		                        { "set", CLI_TEXT, &o->set },
		                        { "ref", CLI_LIST, &o->refs },
		                        { "state", CLI_TEXT, &o->state },
		                        { "list-versions", CLI_FLAG, &o->versions },
		                        { "schema", CLI_FLAG, &o->schema },
		                        { "create", CLI_FLAG, &o->create },
		                        { "applied", CLI_FLAG, &o->applied },
		                        { "to", CLI_TEXT, &o->which.to },
		                        { "last", CLI_FLAG, &o->which.last },
		                        { "plan", CLI_TEXT, &o->which.plan },
		                        { "ledger", CLI_FLAG, &o->ledger },
		                        { "migration", CLI_TEXT, &h->migration },
		                        { "target-version", CLI_TEXT, &h->version },
		                        { "env", CLI_TEXT, &h->env },
		                        { "tenant", CLI_TEXT, &h->tenant },
		                        { "project", CLI_TEXT, &h->project },
		                        { "event", CLI_TEXT, &h->event },
		                        { "since", CLI_TEXT, &h->since },
		                        { "until", CLI_TEXT, &h->until },
		                        { "query", CLI_TEXT, &r->query },
		                        { "entity", CLI_TEXT, &r->entity },
		                        { "after", CLI_TEXT, &r->after },
		                        { "token-file", CLI_TEXT, &r->token_file },
		                        { "ca", CLI_TEXT, &r->ca },
		                        { "api", CLI_TEXT, &r->api },
		                        { "page", CLI_COUNT, &r->page },
		                        { "timeout", CLI_COUNT, &r->timeout },
		                        { "retries", CLI_COUNT, &r->retries },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if (!o->store)
		o->store = cli_store();
	if (!o->store)
		return cli_usage(help, "--store is required");
	if (wants_rows(o))
		return check_rows(o);
	if (rowopts_given(&o->rows))
		return cli_usage(help, "--query, --entity and what follows in the list go with rows");
	if ((rc = check_mode(o)) >= 0)
		return rc;
	if (o->which.to && strlen(o->which.to) < 10 && strspn(o->which.to, "0123456789") == strlen(o->which.to)) {
		o->which.number = o->which.to;
		o->which.to = NULL;
	}
	if (o->which.to && !semver_valid(o->which.to))
		return cli_usage(help, "--to %s: not a semantic version", o->which.to);
	if (h->version && !semver_valid(h->version))
		return cli_usage(help, "--target-version %s: not a semantic version", h->version);
	if (h->event && !history_event(h->event))
		return cli_usage(help, "--event %s: none that a ledger has", h->event);
	if (!is_time(h->since) || !is_time(h->until))
		return cli_usage(help, "--since, --until: not a time such as 2026-01-31T12:00:00Z, or its front");
	o->which.migration = h->migration;
	o->which.env = h->env;
	o->which.tenant = h->tenant;
	o->which.project = h->project;
	return h->env && !cli_env(help, h->env) ? MIG_USAGE : -1;
}

static void run_history(struct opts *o, struct out *out, struct diag *d)
{
	const struct store_how how = { .mode = STORE_READ, .create = o->create, .state = o->state };
	struct store *store = store_open_as(o->store, &how, d);

	o->entries.ref = o->refs.n ? o->refs.v[0] : NULL;
	if (store && store->ops->confine(store, d) == 0) {
		if (o->schema)
			extract_schema(store, out, d);
		else if (o->applied)
			history_applied(store, &o->which, out, d);
		else
			history_entries(store, &o->entries, out, d);
	}
	if (store)
		store->ops->close(store);
}

static void run(struct opts *o, struct out *out, struct diag *d)
{
	struct set *set;
	struct store *store;

	if (o->rows.store) {
		rowopts_run(&o->rows, out, d);
		return;
	}
	if (o->applied || o->ledger || o->schema) {
		run_history(o, out, d);
		return;
	}
	set = set_read(o->set, d);
	store = set ? store_open(o->store, STORE_READ, d) : NULL;
	if (store && store->ops->confine(store, d) == 0) {
		if (o->versions)
			extract_versions(store, set, out, d);
		else
			extract_documents(store, set, o->refs.v, out, d);
	}
	if (store)
		store->ops->close(store);
	set_free(set);
}

int main(int argc, char **argv)
{
	struct opts o = { .rows = ROWOPTS_INIT };
	struct filter f;

	progname = "mig-extract";
	int rc = parse_opts(&o, argc, argv);

	if (rc < 0) {
		filter_init(&f, progname, false);
		run(&o, &f.out, &f.d);
		rc = filter_finish(&f);
	}
	free(o.refs.v);
	return rc;
}
