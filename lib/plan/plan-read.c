/* plan-read.c -- see plan-read.h, and plan_read of plan.h */
#include "plan-read.h"

#include "number.h"

#include <stdlib.h>

int plan_usage(const struct plan_reading *r, const char *what)
{
	return diag_add(r->d, MIG_USAGE, "bad_plan", r->where, "%s: %s", r->what, what);
}

int plan_invalid(const struct plan_reading *r, const char *rule, const char *what)
{
	return diag_add(r->d, MIG_INVALID, rule, r->where, "%s: %s", r->what, what);
}

int plan_shape(const struct plan_reading *r, uint32_t t, const struct member *m, uint32_t *tok, const char *what)
{
	return shape_check(r->doc, t, m, tok, what, r->where, r->d);
}

/* The plan owns characters that were escaped. */
static void keep(struct plan *p, char *text)
{
	if (p->nowned == p->ownedcap) {
		p->ownedcap = p->ownedcap ? p->ownedcap * 2 : 16;
		p->owned = xrealloc(p->owned, p->ownedcap, sizeof *p->owned);
	}
	p->owned[p->nowned++] = text;
}

struct text plan_text(struct plan *p, uint32_t t)
{
	struct buf b = BUF_INIT;
	struct text v;

	if (t == DOC_NONE || p->doc->tok[t].type != DOC_STRING)
		return (struct text){ NULL, 0 };
	v = record_text(p->doc, t, &b);
	if (b.s)
		keep(p, b.s);
	return v;
}

bool plan_is_hash(struct text t)
{
	unsigned bad = 0;

	if (t.n != HEX_LEN)
		return false;
	/* without branches: nothing foretells which digit comes next */
	for (size_t i = 0; i < HEX_LEN; i++) {
		unsigned char c = (unsigned char)t.s[i];

		bad |= ((unsigned char)(c - '0') > 9) & ((unsigned char)(c - 'a') > 5);
	}
	return !bad;
}

/* A list of steps, or of rollback entries, which messages call name and a number. */
struct list {
	struct step **step;
	size_t *n, *cap;
	const char *name;
	bool entries;
};

static int read_steps(const struct plan_reading *plan, uint32_t list, const struct list *l)
{
	const struct doc *d = plan->doc;
	char what[24 + NUMBER_SIZE];
	char *number = stpcpy(stpcpy(what, l->name), " ");
	struct plan_reading r = *plan;
	size_t i = 0;

	*l->n = 0;
	if (*l->cap < d->tok[list].n) {
		*l->cap = d->tok[list].n;
		*l->step = xrealloc(*l->step, *l->cap, sizeof **l->step);
	}
	r.what = what;
	for (uint32_t t = list + 1; t < d->tok[list].next; t = d->tok[t].next) {
		number[number_print_int((int64_t)i + 1, number)] = '\0';
		if (plan_read_step(&r, t, (int64_t)i + 1, l->entries, *l->step + i) < 0)
			return -1;
		*l->n = ++i;
	}
	return 0;
}

static void forget(struct plan *p)
{
	while (p->nowned)
		free(p->owned[--p->nowned]);
}

/* Is its plan_hash that of the record? */
static int check_hash(const struct plan_reading *r, uint32_t hash)
{
	struct plan *p = r->p;
	char want[HEX_SIZE];

	if (p->known) {
		memcpy(p->hash, plan_text(p, hash).s, HEX_LEN);
		return 0;
	}
	return record_sum_holds(r->doc, p->root, "plan_hash", want, p->hash)
	               ? 0
	               : diag_add(r->d, MIG_INVALID, "plan_hash_integrity_failed", r->where,
	                          "the plan was changed: expected_hash %s, actual_hash %s", want, p->hash);
}

/* The rollback list, and whether it is the inverse of the steps. */
static int read_way_back(const struct plan_reading *r, uint32_t list)
{
	struct plan *p = r->p;

	if (read_steps(r, list, &(struct list){ &p->undo, &p->nundo, &p->undocap, "rollback entry", true }) < 0)
		return -1;
	if (p->nstep == 0)
		return plan_invalid(r, "bad_plan", "it has no steps");
	return plan_of_sql(p) || plan_of_descriptor(p) ? plan_sql_pairs(r) : plan_pairs(r);
}

static int read_plan(struct plan *p, const struct doc *doc, uint32_t root, const char *where, struct diag *d)
{
	static const struct member m[] = { { "header", IS_OBJ },   { "kind", IS_STR },  { "plan_hash", IS_STR },
		                           { "rollback", IS_ARR }, { "steps", IS_ARR }, { NULL, 0 } };
	const struct plan_reading r = { .p = p, .doc = doc, .what = "plan", .where = where, .d = d };
	uint32_t t[5];

	forget(p);
	p->doc = doc;
	p->root = root;
	p->nundo = 0;
	if (plan_shape(&r, root, m, t, "plan") < 0)
		return -1;
	if (!doc_equals(doc, t[1], "plan", 4))
		return plan_usage(&r, "kind is not \"plan\"");
	if (check_hash(&r, t[2]) < 0 || plan_read_header(&r, t[0]) < 0 ||
	    read_steps(&r, t[4], &(struct list){ &p->step, &p->nstep, &p->stepcap, "step", p->rollback_mode }) < 0)
		return -1;
	return p->known ? 0 : read_way_back(&r, t[3]);
}

int plan_read(struct plan *p, const struct doc *doc, uint32_t root, const char *where, struct diag *d)
{
	p->known = false;
	return read_plan(p, doc, root, where, d);
}

int plan_reread(struct plan *p, const struct doc *doc, uint32_t root, const char *where, struct diag *d)
{
	p->known = true;
	return read_plan(p, doc, root, where, d);
}

void plan_release(struct plan *p)
{
	forget(p);
	free(p->owned);
	free(p->step);
	free(p->undo);
	*p = (struct plan)PLAN_INIT;
}
