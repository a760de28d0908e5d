/* plan.c -- see plan.h; plan-read.c reads one. */
#include "plan.h"

#include "sqlfinding.h"

static const char *const types[STEP_NTYPES] = { "schema", "data", "config", "profile", "index", "cleanup" };

const char *step_type_name(enum step_type t)
{
	return types[t];
}

int step_type_of(struct text name)
{
	for (int t = 0; t < STEP_NTYPES; t++)
		if (text_is(name, types[t]))
			return t;
	return -1;
}

bool plan_of_sql(const struct plan *p)
{
	return p->dialect.s && (text_is(p->dialect, "sqlite") || text_is(p->dialect, "postgresql"));
}

bool plan_of_rows(const struct plan *p)
{
	return p->dialect.s && text_is(p->dialect, "rows");
}

bool plan_of_descriptor(const struct plan *p)
{
	return p->dialect.s && text_is(p->dialect, "descriptor");
}

/* Of SQL: a finding that says so. */
static bool destroys_rows(const struct doc *d, const struct step *s)
{
	struct sqlfinding f;

	for (uint32_t e = s->findings + 1; e < d->tok[s->findings].next; e = d->tok[e].next) {
		sqlfinding_get(&f, d, e);
		if (sqlfinding_destroys(&f))
			return true;
	}
	return false;
}

static bool patch_removes(const struct doc *d, uint32_t patch)
{
	for (uint32_t t = patch + 1; t < d->tok[patch].next; t = d->tok[t].next)
		if (doc_says(d, t, "op", "remove"))
			return true;
	return false;
}

bool step_destroys(const struct plan *p, const struct step *s)
{
	if (plan_of_sql(p))
		return destroys_rows(p->doc, s);
	if (s->restore)
		return false;
	return s->type == STEP_CLEANUP || (s->patch && patch_removes(p->doc, s->patch));
}

void plan_key(struct text env, struct text tenant, struct text project, struct text migration_id, struct text step_id,
              char hex[HEX_SIZE])
{
	struct buf b = BUF_INIT;
	const struct text parts[] = { env, tenant, project, migration_id, step_id };

	buf_reserve(&b, env.n + tenant.n + project.n + migration_id.n + step_id.n + 32);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		buf_addch(&b, i ? ',' : '[');
		if (parts[i].s)
			canon_string(&b, parts[i].s, parts[i].n);
		else
			buf_add(&b, "null", 4);
	}
	buf_addch(&b, ']');
	digest_hex(b.s, b.len, hex);
	buf_release(&b);
}

int plan_put(struct out *o, const struct buf *b, size_t at, struct tally *t)
{
	char hash[HEX_SIZE];

	digest_hex(b->s, b->len, hash);
	tally_plan(t, hash);
	out_write(o, b->s, at);
	out_write(o, "\"plan_hash\":\"", 13);
	out_write(o, hash, HEX_LEN);
	out_write(o, "\",", 2);
	return stream_put(o, b->s + at, b->len - at);
}
