/* bundle-stage.c -- see bundle-stage.h */
#include "bundle-stage.h"

#include <stdlib.h>
#include <strings.h>

static const struct bundle_stage run[] = {
	[RUN_SCHEMA] = { "schema", "datasets", "schema", HOLDS_SCHEMA, true },
	[RUN_PERMS] = { "perms", "datasets", "perms", HOLDS_ANYTHING, true },
	[RUN_PLAN] = { "plan", "tx-plan", "schema-plan", HOLDS_PLANS, true },
	[RUN_EXTRACT] = { "extract", "datasets", "documents", HOLDS_DOCUMENTS, false },
	[RUN_TRANSFORM] = { "transform", "transformed", "changes", HOLDS_CHANGES, false },
	[RUN_TX_PLAN] = { "tx-plan", "tx-plan", "plans", HOLDS_PLANS, false },
	[RUN_DRY_RUN] = { "dry-run", "reports", "dry-run", HOLDS_OUTCOMES, false },
	[RUN_VERIFY_BEFORE] = { "verify-before", "reports", "verify-before", HOLDS_VERDICTS, false },
	{ NULL, NULL, NULL, HOLDS_ANYTHING, false },
};

static const struct bundle_stage pr[] = {
	{ "extract", "scripts", "extract", HOLDS_ANYTHING, false },
	{ "transform", "scripts", "transform", HOLDS_ANYTHING, false },
	{ "apply", "scripts", "apply", HOLDS_ANYTHING, false },
	{ "runbook", "docs", "runbook", HOLDS_ANYTHING, false },
	{ "rollback", "docs", "rollback", HOLDS_ANYTHING, false },
	{ "queries", "verification", "queries", HOLDS_ANYTHING, false },
	{ "acceptance", "verification", "acceptance", HOLDS_ANYTHING, false },
	{ NULL, NULL, NULL, HOLDS_ANYTHING, false },
};

static const struct {
	const char *name;
	const struct bundle_stage *stages;
} kinds[] = { [BUNDLE_RUN] = { "run", run }, [BUNDLE_PR] = { "pr", pr } };

const struct bundle_stage *bundle_stages(enum bundle_kind k)
{
	return kinds[k].stages;
}

const char *bundle_kind_name(enum bundle_kind k)
{
	return kinds[k].name;
}

int bundle_kind_of(struct text name)
{
	for (int k = 0; k < (int)(sizeof kinds / sizeof *kinds); k++)
		if (text_is(name, kinds[k].name))
			return k;
	return -1;
}

bool bundle_stage_has(const struct bundle_stage *s, const char *path)
{
	size_t n = strlen(s->folder), m = strlen(s->stem);

	if (strncmp(path, s->folder, n) != 0 || path[n] != '/' || strncasecmp(path + n + 1, s->stem, m) != 0)
		return false;
	const char *rest = path + n + 1 + m;

	return !*rest || (*rest == '.' && !strchr(rest, '/')) || (*rest == '/' && s->holds == HOLDS_ANYTHING);
}

/* ---- what the streams say ---- */

struct reading {
	struct bundle_facts *f;
	enum bundle_holds holds;
	const struct stream *in;
	struct tally t;
	struct buf ref, hash;
	struct diag *d;
};

static struct text text_of(const struct record *r, uint32_t t, struct buf *arena)
{
	buf_reset(arena);
	return r->doc->tok[t].type == DOC_STRING ? record_text(r->doc, t, arena) : TEXT("");
}

static int count_object(struct reading *x, const struct record *r)
{
	uint32_t ref, hash;

	if (r->kind != KIND_DOCUMENT && stream_check_sum(x->in, r, x->d) < 0)
		return -1;
	if (record_source(r, &ref, &hash))
		tally_object(&x->t, text_of(r, ref, &x->ref), text_of(r, hash, &x->hash));
	return 0;
}

static int not_so(struct reading *x, const char *rule, const char *what)
{
	return diag_add(x->d, MIG_INVALID, rule, x->in->where, "%s", what);
}

static void count_plan(struct reading *x, const char *hash)
{
	tally_plan(&x->t, hash);
	buf_addf(&x->f->plans, "%s\"%s\"", x->f->plans.len ? "," : "", hash);
}

/* The rest of a plan is judged by whoever gets it on stdin: the same hash is the same plan. */
static int take_plan(struct reading *x, const struct record *r)
{
	char want[HEX_SIZE], is[HEX_SIZE];
	uint32_t header = record_get(r, "header"), snapshot = doc_member(r->doc, header, "snapshot", 8);
	struct text made = text_of(r, doc_member(r->doc, snapshot, "digest", 6), &x->hash);

	if (!record_sum_holds(r->doc, 0, "plan_hash", want, is))
		return diag_add(x->d, MIG_INVALID, "plan_hash_integrity_failed", x->in->where,
		                "plan_hash: expected_hash %s, actual_hash %s", want, is);
	if (made.n != HEX_LEN || (x->f->snapshot[0] && memcmp(x->f->snapshot, made.s, HEX_LEN) != 0))
		return not_so(x, "bundle_snapshot", "the plans were made from different things");
	memcpy(x->f->snapshot, made.s, HEX_LEN);
	if (doc_member(r->doc, header, "dialect", 7))
		x->f->of_database = true;
	count_plan(x, want);
	return 0;
}

static int take_schema(struct reading *x, const struct record *r)
{
	char is[HEX_SIZE];

	canon_hash(r->doc, record_get(r, "live"), DOC_NONE, is);
	if (!doc_equals(r->doc, record_get(r, "hash"), is, HEX_LEN))
		return not_so(x, "hash_mismatch", "the hash of the schema record does not hold");
	memcpy(x->f->snapshot, is, HEX_SIZE);
	tally_object(&x->t, TEXT("schema"), (struct text){ is, HEX_LEN });
	return 0;
}

static bool is_true(const struct record *r, const char *name)
{
	return r->doc->tok[record_get(r, name)].type == DOC_TRUE;
}

/* An outcome or a verdict. */
static int take_report(struct reading *x, const struct record *r)
{
	uint32_t hash = record_get(r, "plan_hash");
	char hex[HEX_SIZE] = "";

	if (r->kind == KIND_OUTCOME && !is_true(r, "dry_run"))
		return not_so(x, "bundle_failed", "an outcome that is not of a dry run");
	if (!is_true(r, "ok"))
		return not_so(x, "bundle_failed",
		              r->kind == KIND_OUTCOME ? "the dry run failed" : "what was verified failed");
	if (r->doc->tok[hash].type == DOC_NULL)
		return 0;
	if (!record_is_hash(r->doc, hash))
		return not_so(x, "bundle_kind", "a plan_hash that is none");
	memcpy(hex, text_of(r, hash, &x->hash).s, HEX_LEN);
	count_plan(x, hex);
	return 0;
}

/* Which kind of record counts in which stage. */
static int take(struct reading *x, const struct record *r)
{
	bool objects = x->holds == HOLDS_DOCUMENTS || x->holds == HOLDS_CHANGES;

	switch (r->kind) {
	case KIND_END:
	case KIND_FAULT: return 0;
	case KIND_REJECT: return objects ? count_object(x, r) : stream_check_sum(x->in, r, x->d);
	case KIND_SNAPSHOT:
		if (objects)
			return stream_check_sum(x->in, r, x->d);
		break;
	case KIND_DOCUMENT:
		if (x->holds == HOLDS_DOCUMENTS)
			return count_object(x, r);
		break;
	case KIND_CHANGE:
	case KIND_CURRENT:
		if (x->holds == HOLDS_CHANGES)
			return count_object(x, r);
		break;
	case KIND_PLAN:
		if (x->holds == HOLDS_PLANS)
			return take_plan(x, r);
		break;
	case KIND_SCHEMA:
		if (x->holds == HOLDS_SCHEMA)
			return take_schema(x, r);
		break;
	case KIND_OUTCOME:
		if (x->holds == HOLDS_OUTCOMES)
			return take_report(x, r);
		break;
	case KIND_VERDICT:
		if (x->holds == HOLDS_VERDICTS)
			return take_report(x, r);
		break;
	default: break;
	}
	return not_so(x, "bundle_kind", "a record that does not belong in this file");
}

static int read_all(struct reading *x, struct stream *in)
{
	struct record r;
	size_t n = 0;
	int rc;

	while ((rc = stream_next(in, &r, x->d)) > 0 && (rc = take(x, &r)) == 0)
		n += r.kind != KIND_END;
	if (rc < 0)
		return -1;
	if (in->fault)
		return not_so(x, "bundle_fault", "it ends in a fault");
	if (stream_verify_end(in, &x->t, x->d) < 0)
		return -1;
	if (n == 0 && (x->holds == HOLDS_SCHEMA || x->holds == HOLDS_VERDICTS))
		return not_so(x, "bundle_kind", "it holds nothing but its end");
	x->f->any = true;
	x->f->records = in->end_records;
	memcpy(x->f->digest, in->end_digest, HEX_SIZE);
	return 0;
}

int bundle_stage_read(struct bundle_facts *f, const struct bundle_stage *s, int fd, const char *path, struct diag *d)
{
	struct diag mine = DIAG_INIT;
	struct stream in;
	struct reading x = { .f = f, .holds = s->holds, .in = &in, .d = &mine };

	stream_init(&in, fd, "mig-bundle");
	tally_init(&x.t);
	int rc = read_all(&x, &in);

	for (size_t i = 0; i < mine.n; i++) {
		const struct finding *m = &mine.list[i];
		bool line = m->where && strncmp(m->where, "line ", 5) == 0;

		diag_add(d, m->exit == MIG_USAGE ? MIG_INVALID : m->exit, m->rule, path, "%s%s%s",
		         line ? m->where : "", line ? ": " : "", m->message);
	}
	tally_release(&x.t);
	stream_release(&in);
	buf_release(&x.ref);
	buf_release(&x.hash);
	diag_release(&mine);
	return rc;
}

void bundle_facts_release(struct bundle_facts *f)
{
	buf_release(&f->plans);
}
