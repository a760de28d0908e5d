/* rowopts.c -- see rowopts.h */
#include "rowopts.h"

#include "tablerows.h"

static bool is_database(const char *store)
{
	return strncmp(store, "sqlite:", 7) == 0 || strncmp(store, "postgresql:", 11) == 0 ||
	       strncmp(store, "postgres:", 9) == 0;
}

bool rowopts_store(const char *store)
{
	return is_database(store) || endpoint_kind(store) != ENDPOINT_NONE;
}

static bool asks_endpoint(const struct dataset_ask *a)
{
	return a->token_file || a->ca || a->api || a->page != CLI_NONE || a->timeout != CLI_NONE ||
	       a->retries != CLI_NONE;
}

bool rowopts_given(const struct rowopts *o)
{
	return o->ask.query || o->ask.entity || o->ask.after || asks_endpoint(&o->ask);
}

static int check_database(const struct rowopts *o, const char *help)
{
	if (o->others)
		return cli_usage(help, "rows of a database are asked for with --set, --query, --entity or --after");
	if (asks_endpoint(&o->ask))
		return cli_usage(help, "--token-file and what follows in the list go with an endpoint");
	if (!cli_text(help, "tenant", o->tenant) || (o->env && !cli_env(help, o->env)))
		return MIG_USAGE;
	return -1;
}

static int64_t given(int64_t v, int64_t otherwise)
{
	return v == CLI_NONE ? otherwise : v;
}

static int check_endpoint(struct rowopts *o, const char *help)
{
	struct dataset_ask *a = &o->ask;

	if (o->set || o->others)
		return cli_usage(help, "an endpoint is asked with --tenant, --env, --query or --entity");
	if (!o->tenant)
		return cli_usage(help, "--tenant is required");
	if (!cli_text(help, "tenant", o->tenant) || !cli_env(help, o->env))
		return MIG_USAGE;
	if (!a->query && !a->entity && endpoint_online(endpoint_kind(o->store)))
		return cli_usage(help, "--query is required, or --entity");
	a->page = given(a->page, 500);
	a->timeout = given(a->timeout, 60);
	a->retries = given(a->retries, 4);
	if (a->page < 2 || a->page > 100000 || a->timeout < 1 || a->timeout > 86400 || a->retries > 100)
		return cli_usage(help, "--page: 2 to 100000; --timeout: 1 to 86400; --retries: 0 to 100");
	a->uri = o->store;
	a->tenant = o->tenant;
	a->env = o->env;
	a->api = a->api ? a->api : "https://api.instantdb.com";
	return -1;
}

int rowopts_check(struct rowopts *o, const char *help)
{
	int rc = is_database(o->store) ? check_database(o, help) : check_endpoint(o, help);

	if (rc >= 0)
		return rc;
	return cli_text(help, "entity", o->ask.entity) && cli_text(help, "after", o->ask.after) ? -1 : MIG_USAGE;
}

int rowopts_run(const struct rowopts *o, struct out *out, struct diag *d)
{
	const struct tablerows_ask tables = {
		.uri = o->store,
		.set = o->set,
		.query = o->ask.query,
		.entity = o->ask.entity,
		.after = o->ask.after,
		.tenant = o->tenant,
		.env = o->env,
	};

	return is_database(o->store) ? tablerows_run(&tables, out, d) : dataset_run(&o->ask, out, d);
}
