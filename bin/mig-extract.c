/*
 * mig-extract -- read a store's documents into a stream.
 *
 * stdin: nothing.  stdout: document and reject records, then end; with
 * --list-versions, one versions record.  Exit: 0, 2, 3 (store, set or --ref
 * missing), 4 (invalid set), 1.
 */
#include "cli.h"
#include "extract.h"

#include <stdlib.h>

static const char help[] =
	"usage: mig-extract --store URI --set DIR [--ref REF ...]\n"
	"       mig-extract --store URI --set DIR --list-versions\n"
	"\n"
	"Read the documents of a store that a migration set describes; write a stream.\n"
	"\n"
	"  --store URI       where the documents live: fs:DIR (or MIG_STORE)\n"
	"  --set DIR         the migration set\n"
	"  --ref REF         only this document; may be given more than once\n"
	"  --list-versions   count the documents by version instead\n"
	"  --help --version\n"
	"\n"
	"Exit status: 0 success, 1 unexpected error, 2 usage, 3 store, set or ref missing,\n"
	"4 the set is invalid.\n";

struct opts {
	const char *store, *set;
	struct cli_list refs;
	bool versions;
};

static int parse_opts(struct opts *o, int argc, char **argv)
{
	const struct cli_opt opts[] = { { "store", CLI_TEXT, &o->store },
		                        { "set", CLI_TEXT, &o->set },
		                        { "ref", CLI_LIST, &o->refs },
		                        { "list-versions", CLI_FLAG, &o->versions },
		                        { NULL, CLI_FLAG, NULL } };
	int rc = cli_parse(argc, argv, help, opts, NULL);

	if (rc >= 0)
		return rc;
	if (!o->store)
		o->store = cli_store();
	if (!o->store)
		return cli_usage(help, "--store is required");
	if (!o->set)
		return cli_usage(help, "--set is required");
	if (o->versions && o->refs.n)
		return cli_usage(help, "--list-versions counts all documents: no --ref");
	return -1;
}

static void run(const struct opts *o, struct out *out, struct diag *d)
{
	struct set *set = set_read(o->set, d);
	struct store *store = set ? store_open(o->store, STORE_READ, d) : NULL;

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
	struct opts o = { .store = NULL };
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
