/* invariants.c -- see invariants.h */
#include "invariants.h"

int invariant_read(struct invariant *v, const struct doc *doc, uint32_t t, const char *what, const char *where,
                   struct diag *d)
{
	static const struct member sql[] = { { "at", IS_STR | MAY_LACK },
		                             { "dialect", IS_STR | MAY_LACK },
		                             { "equals", IS_NUM | IS_STR | IS_BOOL | IS_NULL },
		                             { "examples", IS_STR | MAY_LACK },
		                             { "message", IS_STR },
		                             { "sql", IS_STR },
		                             { NULL, 0 } };
	static const struct member jq[] = {
		{ "entity", IS_STR }, { "jq", IS_STR }, { "message", IS_STR }, { NULL, 0 }
	};
	bool asks = doc_member(doc, t, "sql", 3) != DOC_NONE;
	uint32_t tok[6];

	if (shape_check(doc, t, asks ? sql : jq, tok, what, where, d) < 0)
		return -1;
	*v = (struct invariant){ .tok = t };
	if (!asks) {
		v->entity = tok[0];
		v->jq = tok[1];
		return 0;
	}
	v->dialect = tok[1];
	v->each_batch = doc_says(doc, t, "at", "batch");
	if (tok[0] && !v->each_batch && !doc_says(doc, t, "at", "end"))
		return diag_add(d, MIG_INVALID, "bad_invariant", where, "%s: at is neither \"batch\" nor \"end\"",
		                what);
	if (tok[1] && !doc_says(doc, t, "dialect", "sqlite") && !doc_says(doc, t, "dialect", "postgresql"))
		return diag_add(d, MIG_INVALID, "bad_invariant", where,
		                "%s: dialect is neither \"sqlite\" nor \"postgresql\"", what);
	return 0;
}

bool invariant_is_for(const struct invariant *v, const struct doc *doc, const char *dialect)
{
	return !v->jq && (!v->dialect || doc_equals(doc, v->dialect, dialect, strlen(dialect)));
}
