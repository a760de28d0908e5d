/* phases.c -- see phases.h */
#include "phases.h"

#include <stdlib.h>

static const char *const kinds[PHASE_NKINDS] = { "expand",    "dual_write", "backfill", "compare",
	                                         "dual_read", "cutover",    "contract" };

const char *phase_kind_name(enum phase_kind k)
{
	return kinds[k];
}

struct reading {
	struct phases *x;
	const char *path;
	struct diag *d;
};

static int bad(struct reading *r, const char *id, const char *what)
{
	return diag_add(r->d, MIG_INVALID, "bad_phases", r->path, "%s%s%s", id ? id : "", id ? ": " : "", what);
}

/* A file that somebody wrote, not a record: what is wrong with its shape is MIG_INVALID. */
static int shape(struct reading *r, uint32_t t, const struct member *m, uint32_t *tok, const char *what)
{
	struct diag why = DIAG_INIT;
	int rc = shape_check(&r->x->file.doc, t, m, tok, what, NULL, &why);

	if (rc < 0)
		bad(r, NULL, why.list[0].message);
	diag_release(&why);
	return rc;
}

void phases_release(struct phases *x)
{
	for (size_t i = 0; i < x->n; i++) {
		free(x->v[i].id);
		free(x->v[i].description);
		free(x->v[i].confirm);
	}
	free(x->v);
	free(x->id);
	docfile_release(&x->file);
	*x = (struct phases)PHASES_INIT;
}

/* ^[a-z][a-z0-9_-]*$ */
static bool is_id(const char *s)
{
	static const char more[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

	return *s >= 'a' && *s <= 'z' && s[strspn(s, more)] == '\0';
}

static int read_kind(struct reading *r, struct phase *ph, uint32_t t)
{
	const struct doc *d = &r->x->file.doc;

	for (int k = 0; k < PHASE_NKINDS; k++)
		if (doc_equals(d, t, kinds[k], strlen(kinds[k]))) {
			ph->kind = (enum phase_kind)k;
			return 0;
		}
	return bad(r, ph->id,
	           "its kind is not one of expand, dual_write, backfill, compare, dual_read, cutover, contract");
}

/* {"dev":[H,..],"prod":[..],"staging":[..]} */
static int read_plans(struct reading *r, struct phase *ph)
{
	static const struct member m[] = { { "dev", IS_ARR | MAY_LACK },
		                           { "prod", IS_ARR | MAY_LACK },
		                           { "staging", IS_ARR | MAY_LACK },
		                           { NULL, 0 } };
	const struct doc *d = &r->x->file.doc;
	uint32_t t[3];

	if (shape(r, ph->plans, m, t, "plans") < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		for (uint32_t e = t[i] + 1; t[i] && e < d->tok[t[i]].next; e = d->tok[e].next)
			if (!record_is_hash(d, e))
				return bad(r, ph->id, "a plan_hash is not 64 lower-case hex digits");
	return 0;
}

static int read_phase(struct reading *r, struct phase *ph, uint32_t t)
{
	static const struct member m[] = { { "confirm", IS_STR | MAY_LACK },
		                           { "description", IS_STR },
		                           { "id", IS_STR },
		                           { "kind", IS_STR },
		                           { "plans", IS_OBJ | MAY_LACK },
		                           { NULL, 0 } };
	const struct doc *d = &r->x->file.doc;
	uint32_t u[5];

	if (shape(r, t, m, u, "a phase") < 0)
		return -1;
	ph->id = record_dup(d, u[2]);
	ph->description = record_dup(d, u[1]);
	ph->confirm = u[0] ? record_dup(d, u[0]) : NULL;
	ph->plans = u[4];
	if (!is_id(ph->id))
		return bad(r, NULL, "an id is not a lower-case letter and letters, digits, - and _");
	if (!u[0] == !u[4])
		return bad(r, ph->id, "a phase has either plans or confirm");
	if (ph->confirm && !*ph->confirm)
		return bad(r, ph->id, "confirm does not say what is to be confirmed");
	if (read_kind(r, ph, u[3]) < 0)
		return -1;
	return u[4] ? read_plans(r, ph) : 0;
}

static bool has_kind(const struct phases *x, enum phase_kind k)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].kind == k)
			return true;
	return false;
}

static int check_order(struct reading *r)
{
	const struct phases *x = r->x;
	int rc = 0;

	if (x->n < 2 || x->v[0].kind != PHASE_EXPAND)
		return bad(r, NULL, "phases begin with expand, and there is more than one");
	for (size_t i = 1; i < x->n; i++) {
		const struct phase *a = &x->v[i - 1], *b = &x->v[i];

		if (b->kind == a->kind)
			rc = bad(r, b->id, "a second phase of its kind");
		else if (b->kind < a->kind)
			rc = bad(r, b->id,
			         "out of order: expand, dual_write, backfill, compare, dual_read, cutover, contract");
		for (size_t k = 0; k < i; k++)
			if (strcmp(x->v[k].id, b->id) == 0)
				rc = bad(r, b->id, "two phases have this id");
	}
	if (rc == 0 && has_kind(x, PHASE_CONTRACT) && !(has_kind(x, PHASE_COMPARE) && has_kind(x, PHASE_CUTOVER)))
		rc = bad(r, x->v[x->n - 1].id,
		         "nothing is removed that was not compared, or that is still written: "
		         "contract comes after a compare and a cutover");
	return rc;
}

static bool is_in(const struct doc *d, uint32_t list, const char *hash)
{
	for (uint32_t e = list + 1; list && e < d->tok[list].next; e = d->tok[e].next)
		if (doc_equals(d, e, hash, HEX_LEN))
			return true;
	return false;
}

/* One verdict must not do for two phases, nor for two environments. */
static int check_hashes(struct reading *r)
{
	const struct doc *d = &r->x->file.doc;
	struct buf seen = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; i < r->x->n; i++) {
		const struct phase *ph = &r->x->v[i];

		for (uint32_t t = ph->plans; ph->plans && t < d->tok[ph->plans].next; t++) {
			if (!record_is_hash(d, t))
				continue;
			size_t n;
			const char *s = doc_span(d, t, &n);

			if (seen.len && memmem(seen.s, seen.len, s, n))
				rc = bad(r, ph->id, "a plan_hash is listed twice");
			buf_add(&seen, s, n);
		}
	}
	buf_release(&seen);
	return rc;
}

/* The canonical text of it all but the hashes. */
static void hash_strategy(struct phases *x, uint32_t description)
{
	struct buf b = BUF_INIT;
	struct rec w, in;

	rec_open(&w, &b);
	rec_name(&w, "description");
	canon_value(&b, &x->file.doc, description, DOC_NONE);
	rec_cstr(&w, "id", x->id);
	rec_cstr(&w, "kind", "phases");
	rec_name(&w, "phases");
	for (size_t i = 0; i < x->n; i++) {
		buf_addch(&b, i ? ',' : '[');
		rec_open(&in, &b);
		if (x->v[i].confirm)
			rec_cstr(&in, "confirm", x->v[i].confirm);
		rec_cstr(&in, "description", x->v[i].description);
		rec_cstr(&in, "id", x->v[i].id);
		rec_cstr(&in, "kind", kinds[x->v[i].kind]);
		rec_close(&in);
	}
	buf_addch(&b, ']');
	rec_close(&w);
	digest_hex(b.s, b.len, x->hash);
	for (size_t i = 0; i < x->n; i++) {
		buf_reset(&b);
		buf_addf(&b, "[\"phase\",\"%s\",\"%s\"]", x->hash, x->v[i].id);
		digest_hex(b.s, b.len, x->v[i].digest);
	}
	buf_release(&b);
}

static int read_file(struct reading *r)
{
	static const struct member m[] = {
		{ "description", IS_STR }, { "id", IS_STR }, { "kind", IS_STR }, { "phases", IS_ARR }, { NULL, 0 }
	};
	struct phases *x = r->x;
	const struct doc *d = &x->file.doc;
	uint32_t t[4];
	int rc = 0;

	if (shape(r, 0, m, t, "the file") < 0)
		return -1;
	if (!doc_equals(d, t[2], "phases", 6))
		return bad(r, NULL, "its kind is not \"phases\"");
	x->id = record_dup(d, t[1]);
	if (!is_id(x->id))
		return bad(r, NULL, "its id is not a lower-case letter and letters, digits, - and _");
	x->v = xcalloc(d->tok[t[3]].n + 1, sizeof *x->v);
	for (uint32_t e = t[3] + 1; e < d->tok[t[3]].next; e = d->tok[e].next)
		if (read_phase(r, &x->v[x->n++], e) < 0)
			rc = -1;
	if (rc < 0 || check_order(r) < 0 || check_hashes(r) < 0)
		return -1;
	hash_strategy(x, t[0]);
	return 0;
}

int phases_read(struct phases *x, const char *path, struct diag *d)
{
	struct reading r = { x, path, d };

	return docfile_read(&x->file, path, "missing_phases", d) < 0 ? -1 : read_file(&r);
}

const struct phase *phases_find(const struct phases *x, struct text id)
{
	for (size_t i = 0; i < x->n; i++)
		if (text_is(id, x->v[i].id))
			return &x->v[i];
	return NULL;
}

uint32_t phases_plans(const struct phases *x, const struct phase *ph, struct text env)
{
	return ph->plans ? doc_member(&x->file.doc, ph->plans, env.s, env.n) : DOC_NONE;
}

bool phases_list(const struct phases *x, const struct phase *ph, struct text env, const char *plan_hash)
{
	return is_in(&x->file.doc, phases_plans(x, ph, env), plan_hash);
}

void phases_member(const struct phases *x, const struct phase *ph, struct buf *out)
{
	struct rec w;

	rec_open(&w, out);
	rec_cstr(&w, "id", ph->id);
	rec_int(&w, "index", ph - x->v + 1);
	rec_cstr(&w, "kind", kinds[ph->kind]);
	rec_int(&w, "of", (int64_t)x->n);
	rec_cstr(&w, "strategy", x->hash);
	rec_close(&w);
}
