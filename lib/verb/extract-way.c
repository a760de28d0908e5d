/* extract-way.c -- see extract-way.h */
#include "extract-way.h"

#include "extract-schema.h"
#include "extract.h"
#include "set-read.h"

/* Rows are what is asked of an endpoint, and of a database, unless something else is. */
static bool wants_rows(const struct extract_way *w)
{
	bool otherwise = w->versions || w->applied || w->ledger || w->schema || w->refs;

	/* what was done to an app is in a folder of ours: nobody is asked */
	if (endpoint_kind(w->store) == ENDPOINT_INSTANT && (w->applied || w->ledger))
		return false;
	return rowopts_store(w->store) && (!otherwise || endpoint_kind(w->store) != ENDPOINT_NONE);
}

/* How many of the options were given that say which plans? */
static int of_applied(const struct extract_way *w)
{
	return (w->which.to != NULL) + (w->which.plan != NULL) + w->which.last;
}

/* Was one given that says which entries, and nothing else? */
static bool of_entries(const struct extract_way *w)
{
	return w->entries.version || w->entries.event || w->entries.since || w->entries.until;
}

bool extract_way_rows(struct extract_way *w)
{
	if (!wants_rows(w))
		return false;
	w->rows.store = w->store;
	w->rows.set = w->set;
	w->rows.tenant = w->scope.tenant;
	w->rows.env = w->scope.env;
	w->rows.others = w->state || w->refs || w->versions || w->applied || w->ledger || w->schema || w->create ||
	                 of_applied(w) || of_entries(w) || w->scope.migration || w->scope.project;
	return true;
}

const char *extract_way_wrong(const struct extract_way *w)
{
	const struct entry_scope *s = &w->scope;
	bool scope = s->migration || s->env || s->tenant || s->project;

	if (rowopts_given(&w->rows))
		return "--query, --entity and what follows in the list go with rows";
	if (w->versions + w->applied + w->ledger + w->schema > 1)
		return "--list-versions, --schema, --applied and --ledger exclude each other";
	if (w->state && !w->applied && !w->ledger)
		return "--state goes with --applied or --ledger of an app";
	if (w->create && !w->schema)
		return "--create goes with --schema";
	if (!w->applied && of_applied(w))
		return "--to, --last and --plan go with --applied";
	if (of_applied(w) > 1)
		return "--to, --last and --plan exclude each other";
	if (!w->ledger && (of_entries(w) || (!w->applied && scope)))
		return "what entries are wanted goes with --ledger";
	if ((w->versions || w->applied || w->schema) && w->refs)
		return "--ref goes with documents, or with --ledger";
	if (w->ledger && w->refs && w->refs[1])
		return "--ref: once with --ledger";
	if (w->applied || w->ledger || w->schema)
		return w->set ? "--set goes with documents" : NULL;
	return w->set ? NULL : "--set is required";
}

static void put_applied(const struct extract_way *w, struct store *s, struct out *out, struct diag *d)
{
	struct applied_ask which = w->which;

	which.scope = w->scope;
	applied_plans(s, &which, out, d);
}

static void put_entries(const struct extract_way *w, struct store *s, struct out *out, struct diag *d)
{
	struct history_ask entries = w->entries;

	entries.scope = w->scope;
	entries.ref = w->refs ? *w->refs : NULL;
	history_entries(s, &entries, out, d);
}

void extract_way_run(const struct extract_way *w, struct out *out, struct diag *d)
{
	const struct store_how how = { .mode = STORE_READ, .create = w->create, .state = w->state };

	if (w->rows.store) {
		rowopts_run(&w->rows, out, d);
		return;
	}
	struct set *set = w->set ? set_read(w->set, d) : NULL;
	struct store *s = set || !w->set ? store_open_as(w->store, &how, d) : NULL;

	if (!s || s->ops->confine(s, d) < 0)
		;
	else if (w->schema)
		extract_schema(s, out, d);
	else if (w->applied)
		put_applied(w, s, out, d);
	else if (w->ledger)
		put_entries(w, s, out, d);
	else if (w->versions)
		extract_versions(s, set, out, d);
	else
		extract_documents(s, set, w->refs, out, d);
	store_close(s);
	set_free(set);
}
