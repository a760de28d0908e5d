/* sql-rehearse.c -- see sql-rehearse.h */
#include "sql-rehearse.h"

#include "drift.h"
#include "sql-work.h"

#include <stdlib.h>

/* The schema, and a hash of the rows of each of its tables. */
struct picture {
	struct buf live;
	struct doc doc;
	char (*rows)[HEX_SIZE];
	size_t n;
};

static void picture_release(struct picture *p)
{
	buf_release(&p->live);
	doc_release(&p->doc);
	free(p->rows);
}

static uint32_t member(const struct doc *d, uint32_t obj, const char *name)
{
	return doc_member(d, obj, name, strlen(name));
}

static int by_string(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* SELECT "a", "b" FROM "t": columns by name, as their order may be another one */
static void write_select(struct buf *sql, const struct doc *d, uint32_t table)
{
	uint32_t list = member(d, table, "columns"), n = d->tok[list].n, t = list + 1;
	char **name = xcalloc(n, sizeof *name), *from = record_dup(d, member(d, table, "name"));

	for (uint32_t i = 0; i < n; i++, t = d->tok[t].next)
		name[i] = record_dup(d, member(d, t, "name"));
	if (n)
		qsort(name, n, sizeof *name, by_string);
	for (uint32_t i = 0; i < n; i++) {
		buf_addstr(sql, i ? ", " : "SELECT ");
		db_name(sql, name[i]);
	}
	buf_addstr(sql, n ? " FROM " : "SELECT 1 FROM ");
	db_name(sql, from);
	for (uint32_t i = 0; i < n; i++)
		free(name[i]);
	free(name);
	free(from);
}

/*
 * Rows come in any order, and some types have none to sort them by: their hashes
 * are added up, as numbers of 256 bits.
 */
struct summing {
	unsigned char sum[HEX_LEN / 2];
	struct buf line;
};

static unsigned nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static int add_row(void *arg, const struct db_value *v, size_t n)
{
	struct summing *s = arg;
	char hex[HEX_SIZE];
	unsigned carry = 0;

	buf_reset(&s->line);
	for (size_t i = 0; i < n; i++) {
		db_json(&s->line, &v[i]);
		buf_addch(&s->line, i + 1 < n ? ',' : '\n');
	}
	digest_hex(s->line.s, s->line.len, hex);
	for (size_t i = sizeof s->sum; i-- > 0;) {
		carry += s->sum[i] + (nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
		s->sum[i] = (unsigned char)carry;
		carry >>= 8;
	}
	return 0;
}

static int sum_rows(struct db *db, const struct doc *doc, uint32_t table, char hash[HEX_SIZE], struct diag *d)
{
	struct summing s = { .line = BUF_INIT };
	struct buf sql = BUF_INIT;

	write_select(&sql, doc, table);
	int rc = db->ops->query(db, sql.s, NULL, 0, add_row, &s, d);

	digest_hex(s.sum, sizeof s.sum, hash);
	buf_release(&s.line);
	buf_release(&sql);
	return rc;
}

static int take(struct picture *p, struct db *db, struct diag *d)
{
	*p = (struct picture){ .doc = DOC_INIT };
	if (db->ops->live(db, &p->live, d) < 0)
		return -1;
	if (doc_parse(&p->doc, p->live.s, p->live.len, RECORD_MAX_DEPTH) < 0)
		return diag_add(d, MIG_ERROR, "internal", NULL, "what the database holds does not read back");
	uint32_t tables = member(&p->doc, 0, "tables"), t = tables + 1;
	int rc = 0;

	p->n = p->doc.tok[tables].n;
	p->rows = xcalloc(p->n, sizeof *p->rows);
	for (size_t i = 0; i < p->n && rc == 0; i++, t = p->doc.tok[t].next)
		rc = sum_rows(db, &p->doc, t, p->rows[i], d);
	return rc;
}

static bool every(void *arg, const char *name)
{
	(void)arg, (void)name;
	return true;
}

static void report(void *arg, const struct drift *x)
{
	struct buf b = BUF_INIT;

	drift_message(&b, x);
	diag_add(arg, MIG_INVALID, "rehearsal", x->where, "after the way back, %s", b.s);
	buf_release(&b);
}

/* Tables that were not there before. */
static void report_new(void *arg, const struct drift *x)
{
	if (!x->actual && (strcmp(x->what, "table") == 0 || strcmp(x->what, "view") == 0))
		diag_add(arg, MIG_INVALID, "rehearsal", x->where, "after the way back, the %s is still there", x->what);
}

/* The schemas have the same tables here, in the same order. */
static void compare_rows(const struct picture *a, const struct picture *b, struct diag *d)
{
	uint32_t t = member(&a->doc, 0, "tables") + 1;

	for (size_t i = 0; i < a->n && i < b->n; i++, t = a->doc.tok[t].next) {
		if (strcmp(a->rows[i], b->rows[i]) == 0)
			continue;
		char *name = record_dup(&a->doc, member(&a->doc, t, "name"));

		diag_add(d, MIG_INVALID, "rehearsal", name,
		         "after the way back, its rows are not what they were: expected hash %s, found %s", a->rows[i],
		         b->rows[i]);
		free(name);
	}
}

static int compare(const struct picture *a, const struct picture *b, struct diag *d)
{
	size_t before = d->n;

	drift_compare(&a->doc, 0, &b->doc, 0, every, report, d);
	drift_compare(&b->doc, 0, &a->doc, 0, every, report_new, d);
	if (d->n == before)
		compare_rows(a, b, d);
	return d->n == before ? 0 : -1;
}

/* The transaction and then what cannot be in one. */
static int work(struct sql_work *w, struct diag *d)
{
	char live[HEX_SIZE];
	struct buf text = BUF_INIT;
	struct db *db = w->db;
	int rc = db->ops->begin(db, true, d);

	if (rc == 0 && (rc = db->ops->prepare(db, d)) == 0 && (rc = db->ops->live(db, &text, d)) == 0) {
		digest_hex(text.s, text.len, live);
		rc = sql_work_ask(w, live, NULL, NULL, d);
	}
	buf_release(&text);
	if (rc == 0)
		rc = sql_work_do(w, d);
	if (rc == 0)
		rc = db->ops->commit(db, d);
	for (size_t i = 0; i < w->n && rc == 0; i++)
		if (sql_alone(w, i) && (rc = sql_work_step(w, i, d)) == 0)
			rc = sql_work_after(w, i, d);
	return rc;
}

/* One plan of the stream. */
struct act {
	struct buf text;
	struct doc doc;
	struct plan plan;
	struct sql_kepts kept; /* backups that it made */
	struct diag own;       /* what went wrong in it */
};

struct rehearsal {
	struct db *copy;
	struct sql_state files;
	struct picture before;
	struct act **act;
	size_t n;
	bool failed, back; /* back: every plan can be undone */
};

struct rehearsal *rehearsal_begin(struct db *db, struct diag *d)
{
	struct rehearsal *r = xcalloc(1, sizeof *r);

	r->files = (struct sql_state){ .dir = -1, .memory = true };
	r->before.doc = (struct doc)DOC_INIT;
	r->back = true;
	r->copy = db->ops->scratch(db, d);
	if (r->copy && take(&r->before, r->copy, d) == 0)
		return r;
	rehearsal_free(r);
	return NULL;
}

void rehearsal_free(struct rehearsal *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		struct act *a = r->act[i];

		plan_release(&a->plan);
		doc_release(&a->doc);
		buf_release(&a->text);
		sql_kepts_release(&a->kept);
		diag_release(&a->own);
		free(a);
	}
	free(r->act);
	picture_release(&r->before);
	sql_state_release(&r->files);
	if (r->copy)
		r->copy->ops->close(r->copy);
	free(r);
}

/* A copy of the plan that lives as long as the rehearsal. */
static struct act *add_act(struct rehearsal *r, const struct plan *p, struct diag *d)
{
	struct act *a = xcalloc(1, sizeof *a);
	size_t n;
	const char *text = doc_span(p->doc, p->root, &n);

	a->doc = (struct doc)DOC_INIT;
	a->plan = (struct plan)PLAN_INIT;
	r->act = xrealloc(r->act, r->n + 1, sizeof *r->act);
	r->act[r->n++] = a;
	buf_add(&a->text, text, n);
	if (doc_parse(&a->doc, a->text.s, a->text.len, RECORD_MAX_DEPTH) < 0 ||
	    plan_read(&a->plan, &a->doc, 0, p->hash, d) < 0)
		return NULL;
	return a;
}

static bool all_reversible(const struct plan *p)
{
	for (size_t i = 0; i < p->nundo; i++)
		if (!p->undo[i].reversible)
			return false;
	return p->nundo > 0;
}

/* What hinders the rehearsal itself is a finding; everything else is about the plan. */
static int settle(struct rehearsal *r, const struct diag *own, int rc, struct diag *d)
{
	const struct finding *f = diag_first(own);

	r->failed = r->failed || rc < 0;
	if (rc < 0 && f && f->exit == MIG_PRECONDITION)
		return diag_add(d, f->exit, f->rule, f->where, "%s", f->message);
	return 0;
}

static struct sql_work work_of(struct rehearsal *r, const struct act *a)
{
	return (struct sql_work){
		.db = r->copy, .state = &r->files, .doc = a->plan.doc, .time = "1970-01-01T00:00:00Z"
	};
}

int rehearsal_forward(struct rehearsal *r, const struct plan *p, struct diag *d)
{
	if (p->rollback_mode)
		return diag_add(d, MIG_USAGE, "no_rehearsal", NULL,
		                "--rehearse takes the plan forward: it tries its rollback as well");
	struct act *a = add_act(r, p, d);

	if (!a)
		return -1;
	r->back = r->back && all_reversible(p);
	if (r->failed)
		return 0;
	struct sql_work w = work_of(r, a);

	w.step = a->plan.step;
	w.n = a->plan.nstep;
	w.hash = a->plan.hash;
	int rc = work(&w, &a->own);

	a->kept = w.kept;
	return settle(r, &a->own, rc, d);
}

int rehearsal_back(struct rehearsal *r, struct diag *d)
{
	struct picture after;
	int rc = 0;

	for (size_t i = r->n; i-- > 0 && r->back && !r->failed && rc == 0;) {
		struct act *a = r->act[i];
		struct sql_work w = work_of(r, a);

		w.step = a->plan.undo;
		w.n = a->plan.nundo;
		w.hash = "rehearsal";
		w.undoes = a->plan.hash;
		w.known = a->kept;
		rc = settle(r, &a->own, work(&w, &a->own), d);
		sql_kepts_release(&w.kept);
	}
	if (rc < 0 || r->failed || !r->back || r->n == 0)
		return rc;
	rc = take(&after, r->copy, d);
	if (rc == 0)
		r->failed = compare(&r->before, &after, &r->act[0]->own) < 0;
	picture_release(&after);
	return rc;
}

size_t rehearsal_count(const struct rehearsal *r)
{
	return r->n;
}

const struct plan *rehearsal_plan(const struct rehearsal *r, size_t i)
{
	return &r->act[i]->plan;
}

void rehearsal_judge(const struct rehearsal *r, size_t i, struct complaints *found)
{
	const struct diag *own = &r->act[i]->own;
	bool said = false;

	for (size_t k = 0; k < own->n; k++) {
		const struct finding *f = &own->list[k];

		if (f->exit == MIG_OK)
			continue;
		said = true;
		complain(found, &(struct complaint){ .rule = "rehearsal", .ref = f->where, .message = f->message });
	}
	if (r->failed && !said)
		complain(found, &(struct complaint){ .rule = "rehearsal",
		                                     .message = "not all plans of the stream went there and back" });
	else if (!r->failed && r->back)
		complain(found, &(struct complaint){ .rule = "rehearsed",
		                                     .message = "there and back on a copy: schema and rows are "
		                                                "what they were",
		                                     .note = true });
	else if (!r->failed)
		complain(found, &(struct complaint){ .rule = "rehearsed_forward",
		                                     .message = "done on a copy; what cannot be undone was not "
		                                                "tried back",
		                                     .warning = true });
}
