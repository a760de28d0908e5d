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

static bool all_reversible(const struct plan *p)
{
	for (size_t i = 0; i < p->nundo; i++)
		if (!p->undo[i].reversible)
			return false;
	return p->nundo > 0;
}

static int there_and_back(struct db *copy, const struct plan *p, bool back, struct diag *d)
{
	struct sql_state files = { .dir = -1, .memory = true };
	struct sql_work w = { .db = copy,
		              .state = &files,
		              .doc = p->doc,
		              .step = p->step,
		              .n = p->nstep,
		              .hash = p->hash,
		              .time = "1970-01-01T00:00:00Z" };
	struct sql_work undo = w;
	int rc = work(&w, d);

	undo.step = p->undo;
	undo.n = p->nundo;
	undo.hash = "rehearsal";
	undo.undoes = p->hash;
	undo.known = w.kept;
	if (rc == 0 && back)
		rc = work(&undo, d);
	sql_kepts_release(&w.kept);
	sql_kepts_release(&undo.kept);
	sql_state_release(&files);
	return rc;
}

static int rehearse(struct db *db, const struct plan *p, bool back, struct diag *d)
{
	struct picture before, after;
	struct db *copy = db->ops->scratch(db, d);

	if (!copy)
		return -1;
	int rc = take(&before, copy, d);

	if (rc == 0)
		rc = there_and_back(copy, p, back, d);
	if (rc == 0 && back) {
		rc = take(&after, copy, d);
		if (rc == 0)
			rc = compare(&before, &after, d);
		picture_release(&after);
	}
	picture_release(&before);
	copy->ops->close(copy);
	return rc;
}

/* What would be a finding of apply is one of the verdict here. */
static void complain_of(struct complaints *found, const struct diag *own, struct diag *d)
{
	for (size_t i = 0; i < own->n; i++) {
		const struct finding *f = &own->list[i];

		if (f->exit == MIG_PRECONDITION)
			diag_add(d, f->exit, f->rule, f->where, "%s", f->message);
		else if (f->exit != MIG_OK)
			complain(found,
			         &(struct complaint){ .rule = "rehearsal", .ref = f->where, .message = f->message });
	}
}

int sql_rehearse(struct db *db, const struct plan *p, struct complaints *found, struct diag *d)
{
	struct diag own = DIAG_INIT;
	bool back = all_reversible(p);

	if (p->rollback_mode)
		return diag_add(d, MIG_USAGE, "no_rehearsal", NULL,
		                "--rehearse takes the plan forward: it tries its rollback as well");
	size_t before = d->n;
	int rc = rehearse(db, p, back, &own);

	if (rc == 0 && back)
		complain(found, &(struct complaint){ .rule = "rehearsed",
		                                     .message = "there and back on a copy: schema and rows are "
		                                                "what they were",
		                                     .note = true });
	else if (rc == 0)
		complain(found, &(struct complaint){ .rule = "rehearsed_forward",
		                                     .message = "done on a copy; it cannot be undone",
		                                     .warning = true });
	complain_of(found, &own, d);
	diag_release(&own);
	return d->n > before && found->failed == 0 && rc < 0 ? -1 : 0;
}
