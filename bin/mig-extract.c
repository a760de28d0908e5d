/*
 * mig-extract -- read a store's documents, or the rows of a database or an endpoint, into a stream.
 *
 * stdin: nothing, or an endpoint's answer.  stdout: document and reject records, then end, with a
 * snapshot record ahead of rows; with --list-versions, one versions record; with
 * --applied, the applied plans; with --ledger, its entries.  Exit: 0, 2, 3 (store,
 * set, ref, table, plan or credentials missing), 4 (invalid set or query, broken
 * ledger, not all rows), 1.
 */
#include "extract-way.h"
#include "moment.h"
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

static int parse_opts(struct extract_way *w, int argc, char **argv)
{
	struct entry_scope *s = &w->scope;
	struct history_ask *h = &w->entries;
	struct dataset_ask *r = &w->rows.ask;
	const struct cli_opt opts[] = { { "store", CLI_TEXT, &w->store },
		                        { "set", CLI_TEXT, &w->set },
		                        { "ref", CLI_LIST, &w->refs },
		                        { "state", CLI_TEXT, &w->state },
		                        { "list-versions", CLI_FLAG, &w->versions },
		                        { "schema", CLI_FLAG, &w->schema },
		                        { "create", CLI_FLAG, &w->create },
		                        { "applied", CLI_FLAG, &w->applied },
		                        { "to", CLI_TEXT, &w->which.to },
		                        { "last", CLI_FLAG, &w->which.last },
		                        { "plan", CLI_TEXT, &w->which.plan },
		                        { "ledger", CLI_FLAG, &w->ledger },
		                        { "migration", CLI_TEXT, &s->migration },
		                        { "target-version", CLI_TEXT, &h->version },
		                        { "env", CLI_TEXT, &s->env },
		                        { "tenant", CLI_TEXT, &s->tenant },
		                        { "project", CLI_TEXT, &s->project },
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
	const char *wrong, *to;
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if (!w->store && !(w->store = cli_store()))
		return cli_usage(help, "--store is required");
	if (extract_way_rows(w))
		return rowopts_check(&w->rows, help);
	if ((wrong = extract_way_wrong(w)))
		return cli_usage(help, "%s", wrong);
	if ((to = w->which.to) && !applied_number(to) && !semver_valid(to))
		return cli_usage(help, "--to %s: not a semantic version", to);
	if (w->which.plan && !digest_spelled(w->which.plan))
		return cli_usage(help, "%s: a plan_hash has 64 hex digits", w->which.plan);
	if (h->version && !semver_valid(h->version))
		return cli_usage(help, "--target-version %s: not a semantic version", h->version);
	if (h->since && !moment_front(h->since))
		return cli_usage(help, "--since %s: not a time such as 2026-01-31T12:00:00Z, or its front", h->since);
	if (h->until && !moment_front(h->until))
		return cli_usage(help, "--until %s: not a time such as 2026-01-31T12:00:00Z, or its front", h->until);
	if (h->event && !history_event(h->event))
		return cli_usage(help, "invalid --event: %s (begin, step, commit, undo, rollback, verify, conflict or "
		                 "prune)", h->event);
	return s->env && !cli_env(help, s->env) ? MIG_USAGE : -1;
}

int main(int argc, char **argv)
{
	struct extract_way w = { .rows = ROWOPTS_INIT };
	struct filter f;

	progname = "mig-extract";
	int rc = parse_opts(&w, argc, argv);

	if (rc < 0) {
		filter_init(&f, progname, false);
		extract_way_run(&w, &f.out, &f.d);
		rc = filter_finish(&f);
	}
	free(w.refs);
	return rc;
}
