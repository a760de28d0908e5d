/* permit.c -- see permit.h */
#include "permit.h"

static const struct member grant_members[] = { { "actor", IS_STR },
	                                       { "allow_destructive", IS_BOOL },
	                                       { "apply", IS_BOOL },
	                                       { "digest", IS_STR },
	                                       { "dry_run", IS_BOOL },
	                                       { "env", IS_STR },
	                                       { "issued_at", IS_STR },
	                                       { "nonce", IS_STR },
	                                       { "rules", IS_ARR },
	                                       { "scope", IS_OBJ },
	                                       { "ticket", IS_STR | MAY_LACK },
	                                       { NULL, 0 } };
static const struct member scope_members[] = { { "project", IS_STR | MAY_LACK },
	                                       { "tenant", IS_STR | MAY_LACK },
	                                       { NULL, 0 } };

int grant_read(struct grant *g, const struct doc *d, uint32_t t, struct buf *arena, const char *where,
               struct diag *diag)
{
	uint32_t m[11], s[2];

	if (shape_check(d, t, grant_members, m, "grant", where, diag) < 0 ||
	    shape_check(d, m[9], scope_members, s, "scope", where, diag) < 0)
		return -1;
	/* no text is longer than the record, so the arena does not move while they are decoded */
	buf_reset(arena);
	buf_reserve(arena, d->tok[t].len);
	struct text none = { NULL, 0 };

	*g = (struct grant){
		.actor = record_text(d, m[0], arena),
		.allow_destructive = d->tok[m[1]].type == DOC_TRUE,
		.apply = d->tok[m[2]].type == DOC_TRUE,
		.digest = record_text(d, m[3], arena),
		.dry_run = d->tok[m[4]].type == DOC_TRUE,
		.env = record_text(d, m[5], arena),
		.issued_at = record_text(d, m[6], arena),
		.nonce = record_text(d, m[7], arena),
		.rules = m[8],
		.project = s[0] ? record_text(d, s[0], arena) : none,
		.tenant = s[1] ? record_text(d, s[1], arena) : none,
		.ticket = m[10] ? record_text(d, m[10], arena) : none,
	};
	return 0;
}

void grant_write(struct buf *out, const struct grant *g, const char *rules, size_t n)
{
	struct rec w, scope;

	rec_open(&w, out);
	rec_str(&w, "actor", g->actor);
	rec_bool(&w, "allow_destructive", g->allow_destructive);
	rec_bool(&w, "apply", g->apply);
	rec_str(&w, "digest", g->digest);
	rec_bool(&w, "dry_run", g->dry_run);
	rec_str(&w, "env", g->env);
	rec_str(&w, "issued_at", g->issued_at);
	rec_str(&w, "nonce", g->nonce);
	rec_raw(&w, "rules", rules, n);
	rec_name(&w, "scope");
	rec_open(&scope, out);
	if (g->project.s)
		rec_str(&scope, "project", g->project);
	if (g->tenant.s)
		rec_str(&scope, "tenant", g->tenant);
	rec_close(&scope);
	if (g->ticket.s)
		rec_str(&w, "ticket", g->ticket);
	rec_close(&w);
}
