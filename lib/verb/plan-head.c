/* plan-head.c -- see plan-head.h */
#include "plan-head.h"

#include "record.h"

void plan_head_put(const struct plan_head *h, size_t part, size_t of, struct buf *out)
{
	const struct plan_ask *a = h->ask;
	struct rec w, in;

	rec_open(&w, out);
	if (h->dialect)
		rec_cstr(&w, "dialect", h->dialect);
	rec_cstr(&w, "env", a->env);
	rec_int(&w, "format", 1);
	rec_cstr(&w, "migration_id", a->migration_id);
	rec_cstr(&w, "mode", "forward");
	rec_name(&w, "part");
	rec_open(&in, out);
	rec_int(&in, "index", (int64_t)part);
	rec_int(&in, "of", (int64_t)of);
	rec_close(&in);
	if (h->rows.s)
		rec_raw(&w, "rows", h->rows.s, h->rows.n);
	rec_name(&w, "scope");
	rec_open(&in, out);
	if (a->project)
		rec_cstr(&in, "project", a->project);
	if (a->tenant)
		rec_cstr(&in, "tenant", a->tenant);
	rec_close(&in);
	rec_raw(&w, "set", h->set.s, h->set.n);
	rec_name(&w, "snapshot");
	rec_open(&in, out);
	rec_int(&in, "changes", h->changes);
	rec_int(&in, "current", h->current);
	rec_cstr(&in, "digest", h->digest);
	rec_int(&in, "records", h->records);
	rec_int(&in, "rejects", h->rejects);
	rec_close(&in);
	rec_cstr(&w, "target_version", h->target_version);
	rec_cstr(&w, "tool_version", MIG_VERSION);
	rec_close(&w);
}
