/* verify.c -- see verify.h */
#include "verify.h"

#include "against.h"
#include "audit.h"
#include "sql-rehearse.h"
#include "verdict.h"
#include "verify-documents.h"
#include "verify-rows.h"
#include "verify-sql.h"

#include <stdlib.h>

struct verifying {
	struct store *s;
	const struct verify_ask *ask;
	struct out *out;
	struct diag *d;
	struct complaints found;
	struct against against;
	struct buf plan_text; /* of the plan that the store holds */
	struct rehearsal *rehearsal;
	struct rows_verify rows;
	struct documents_verify documents;
};

static int verify_in_database(struct verifying *v, struct db *db, const struct plan *p)
{
	if (!text_is(p->dialect, db->ops->dialect))
		return diag_add(v->d, MIG_INVALID, "foreign_plan", NULL, "the plan was not made for %s",
		                db->ops->dialect);
	if (v->ask->rehearse) {
		if (!v->rehearsal && !(v->rehearsal = rehearsal_begin(db, v->d)))
			return -1;
		return rehearsal_forward(v->rehearsal, p, v->d);
	}
	return verify_sql_plan(db, p, &v->found, v->d) < 0 ? -1 : verdict_put(&v->found, p, v->out);
}

/* The way back, and then a verdict for each plan. */
static int end_rehearsal(struct verifying *v)
{
	int rc = v->rehearsal ? rehearsal_back(v->rehearsal, v->d) : 0;

	for (size_t i = 0; v->rehearsal && i < rehearsal_count(v->rehearsal) && rc == 0; i++) {
		complaints_reset(&v->found);
		rehearsal_judge(v->rehearsal, i, &v->found);
		rc = verdict_put(&v->found, rehearsal_plan(v->rehearsal, i), v->out);
	}
	return rc;
}

static int verify_rows(struct verifying *v, const struct plan *p)
{
	if (!v->s->ops->look)
		return diag_add(v->d, MIG_INVALID, "foreign_plan", NULL,
		                "a plan of rows: this store holds documents");
	if (v->ask->rehearse)
		return diag_add(v->d, MIG_USAGE, "no_rehearsal", NULL,
		                "a plan of rows is tried with a dry run: mig-gate --dry-run | mig-apply");
	v->rows.s = v->s;
	v->rows.out = v->out;
	v->rows.found = &v->found;
	v->rows.d = v->d;
	return verify_rows_plan(&v->rows, p) < 0 ? -1 : verdict_put(&v->found, p, v->out);
}

static int verify_documents(struct verifying *v, const struct plan *p)
{
	if (plan_of_sql(p))
		return diag_add(v->d, MIG_INVALID, "foreign_plan", NULL,
		                "the plan is for a database, this is a folder");
	if (v->ask->rehearse)
		return diag_add(v->d, MIG_USAGE, "no_rehearsal", NULL,
		                "a plan of documents is tried with a dry run: mig-gate --dry-run | mig-apply");
	v->documents.s = v->s;
	v->documents.found = &v->found;
	v->documents.d = v->d;
	return verify_documents_plan(&v->documents, p) < 0 ? -1 : verdict_put(&v->found, p, v->out);
}

static int verify_plan(struct verifying *v, const struct plan *p)
{
	if (plan_of_descriptor(p))
		return diag_add(v->d, MIG_INVALID, "foreign_plan", NULL, "a plan of descriptors: no store takes it");
	complaints_reset(&v->found);
	against_check(&v->against, p->hash, &v->found);
	if (plan_of_rows(p))
		return verify_rows(v, p);
	if (v->s->ops->database)
		return verify_in_database(v, v->s->ops->database(v->s), p);
	return verify_documents(v, p);
}

/* Find the record's plan: inside it, or for an outcome in the store. */
static int read_plan(struct verifying *v, const struct record *r, struct plan *p, struct doc *stored, const char *where)
{
	char *hash;
	int rc;

	if (r->kind == KIND_PLAN)
		return plan_read(p, r->doc, 0, where, v->d);
	if (r->kind == KIND_PERMIT)
		return plan_read(p, r->doc, record_get(r, "plan"), where, v->d);
	hash = record_dup(r->doc, record_get(r, "plan_hash"));
	buf_reset(&v->plan_text);
	rc = v->s->ops->plan(v->s, hash, &v->plan_text, v->d);
	free(hash);
	if (rc == 0 && doc_parse(stored, v->plan_text.s, v->plan_text.len, RECORD_MAX_DEPTH) < 0)
		rc = diag_add(v->d, MIG_INVALID, "plan_hash_integrity_failed", where, "the stored plan is damaged: %s",
		              stored->err.reason);
	return rc < 0 ? -1 : plan_read(p, stored, 0, where, v->d);
}

static int find_plan(struct verifying *v, const struct record *r, struct plan *p, struct doc *stored, const char *where)
{
	if (read_plan(v, r, p, stored, where) < 0)
		return -1;
	if (v->s->ops->look && !v->s->ops->database && !plan_of_rows(p))
		return diag_add(v->d, MIG_INVALID, "foreign_plan", NULL,
		                "the plan is not of rows, and this is an app that holds them");
	audit_scope(p->env, p->tenant);
	return 0;
}

static void verifying_release(struct verifying *v)
{
	documents_verify_release(&v->documents);
	rows_verify_release(&v->rows);
	rehearsal_free(v->rehearsal);
	against_release(&v->against);
	complaints_release(&v->found);
	buf_release(&v->plan_text);
}

static int take_in(struct verifying *v, struct stream *in, struct tally *t)
{
	struct doc stored = DOC_INIT;
	struct plan p = PLAN_INIT;
	struct record r;
	int rc;

	while ((rc = stream_next(in, &r, v->d)) > 0) {
		if (r.kind == KIND_PLAN || r.kind == KIND_PERMIT || r.kind == KIND_OUTCOME) {
			if ((rc = find_plan(v, &r, &p, &stored, in->where)) < 0)
				break;
			tally_plan(t, p.hash);
			rc = verify_plan(v, &p);
		} else if (r.kind == KIND_REJECT || r.kind == KIND_FAULT) {
			rc = stream_pass(in, &r, v->out, v->d);
		} else if (r.kind != KIND_END) {
			rc = diag_add(v->d, MIG_USAGE, "unexpected_kind", in->where,
			              "%s: not a plan, permit or outcome", kind_name(r.kind));
		}
		if (rc < 0)
			break;
	}
	plan_release(&p);
	doc_release(&stored);
	return rc;
}

int verify_run(struct store *s, const struct verify_ask *ask, struct stream *in, struct out *out, struct diag *d)
{
	struct verifying v = { .s = s,
		               .ask = ask,
		               .out = out,
		               .d = d,
		               .found = COMPLAINTS_INIT(d, ask->strict),
		               .documents = DOCUMENTS_VERIFY_INIT };
	struct tally t;
	int rc = ask->against ? against_read(&v.against, ask->against, ask->against_text, d) : 0;

	tally_init(&t);
	if (rc == 0)
		rc = take_in(&v, in, &t);
	uint64_t n = t.n;

	if (rc == 0 && !in->fault && (rc = stream_verify_end(in, &t, d)) == 0 && (rc = end_rehearsal(&v)) == 0) {
		against_finish(&v.against, d);
		complaints_finish(&v.found);
		rc = diag_exit(d) == MIG_OK ? stream_put_end(out, "mig-verify", n, in->end_digest) : -1;
	}
	tally_release(&t);
	verifying_release(&v);
	return rc;
}
