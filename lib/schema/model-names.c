/* model-names.c -- see model-names.h */
#include "model-names.h"

#include <stdlib.h>

/* A name or an id with the place that has it. */
struct claim {
	const char *name; /* NULL: the id counts */
	int64_t id;
	uint32_t tok;
	size_t order;
};

struct claims {
	struct claim *list;
	size_t n;
};

static void claim(struct claims *c, const char *name, int64_t id, uint32_t tok)
{
	struct claim *x = &MORE(c->list, c->n);

	*x = (struct claim){ name, id, tok, c->n };
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int c = x->name ? strcmp(x->name, y->name) : (x->id > y->id) - (x->id < y->id);

	return c ? c : (x->order > y->order) - (x->order < y->order);
}

/* Say which claims were made before, and forget them all. */
static void settle(struct declared *in, struct claims *c, const char *what)
{
	if (c->n)
		qsort(c->list, c->n, sizeof *c->list, compare_claims);
	for (size_t i = 1; i < c->n; i++) {
		const struct claim *x = &c->list[i - 1], *y = &c->list[i];

		if (x->name && strcmp(x->name, y->name) == 0)
			declared_wrong(in, y->tok, "schema_duplicate", "duplicate %s \"%s\"", what, y->name);
		else if (!x->name && x->id == y->id)
			declared_wrong(in, y->tok, "schema_duplicate", "duplicate %s %lld", what, (long long)y->id);
	}
	free(c->list);
	*c = (struct claims){ NULL, 0 };
}

/* The declared id of a field, which may have no column; 0 where it has none. */
static int64_t field_id(const struct declared *in, uint32_t field)
{
	uint32_t t = doc_member(in->doc, field, "id", 2);
	int64_t id;

	return t && in->doc->tok[t].type == DOC_NUMBER && doc_int(in->doc, t, &id) ? id : 0;
}

static void field_duplicates(struct declared *in, const struct table_draft *td)
{
	struct claims names = { NULL, 0 }, ids = { NULL, 0 };

	for (size_t k = 0; k < td->nfield; k++) {
		int64_t id = field_id(in, td->field[k].tok);

		claim(&names, td->field[k].name, 0, td->field[k].tok);
		if (id > 0)
			claim(&ids, NULL, id, td->field[k].tok);
	}
	settle(in, &names, "field name");
	settle(in, &ids, "field id");
}

void model_duplicates(struct draft *b)
{
	struct claims names = { NULL, 0 }, ids = { NULL, 0 };

	for (size_t i = 0; i < b->m->ntable; i++) {
		const struct table *t = &b->m->table[i];

		if (t->id)
			claim(&ids, NULL, t->id, b->table[i].tok);
		claim(&names, t->name, 0, b->table[i].tok);
		field_duplicates(&b->in, &b->table[i]);
	}
	settle(&b->in, &ids, "table id");
	settle(&b->in, &names, "table name");
}

static void constraint_clashes(struct declared *in, const struct table *t, uint32_t tok)
{
	struct claims names = { NULL, 0 };

	for (size_t k = 0; k < t->ncheck; k++)
		claim(&names, t->check[k].name, 0, tok);
	for (size_t k = 0; k < t->nfkey; k++)
		claim(&names, t->fkey[k].name, 0, tok);
	for (size_t k = 0; k < t->nunique; k++)
		claim(&names, t->unique[k].name, 0, tok);
	claim(&names, t->primary.name, 0, tok);
	settle(in, &names, "constraint name");
}

static void policy_clashes(struct declared *in, const struct table *t, uint32_t tok)
{
	struct claims names = { NULL, 0 };

	for (size_t k = 0; k < t->npolicy; k++)
		if (t->policy[k].name)
			claim(&names, t->policy[k].name, 0, tok);
	settle(in, &names, "policy name");
}

void model_clashes(struct draft *b)
{
	struct claims names = { NULL, 0 };

	for (size_t i = 0; i < b->m->ntable; i++) {
		const struct table *t = &b->m->table[i];
		uint32_t tok = b->table[i].tok ? b->table[i].tok : b->in.root;

		constraint_clashes(&b->in, t, tok);
		policy_clashes(&b->in, t, tok);
		claim(&names, t->name, 0, tok);
		claim(&names, t->primary.name, 0, tok);
		for (size_t k = 0; k < t->nindex; k++)
			claim(&names, t->index[k].name, 0, tok);
		for (size_t k = 0; k < t->nunique; k++)
			claim(&names, t->unique[k].name, 0, tok);
		for (size_t k = 0; k < t->nview; k++)
			claim(&names, t->view[k].name, 0, tok);
	}
	settle(&b->in, &names, "name in the database");
}
