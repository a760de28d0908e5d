/* index-planner.c -- see index-planner.h */
#include "index-planner.h"

#include "plan-rejects.h"
#include "sql-text.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SHOWN_DUPLICATES = 20 };

struct planning {
	const struct index_ask *ask;
	const struct rowindex *x;
	struct sorted *rows; /* under their keys: ("a",1,NULL) */
	struct spool *spool; /* rejects as they come; then the rows that stay, in order */
	struct glob legacy;
	unsigned char *on; /* states of legacy */
	struct out *out;
	struct diag *d;
	struct tally seen;
	int64_t rejects;
	uint64_t nrow; /* that stay */
	size_t duplicates;
	size_t *cut, ncut, cutcap; /* steps of rows in each plan */
	struct buf sql, key, b;
};

/* ---- documents become rows ---- */

static bool is_legacy(struct planning *p, struct text ref)
{
	if (!p->legacy.n)
		return false;
	glob_start(&p->legacy, p->on);
	return glob_step(&p->legacy, p->on, ref.s, ref.n, p->on) && glob_accepts(&p->legacy, p->on);
}

/* The key sorts by what identifies, then by who yields: ["r1"] NUL 0 ref */
static int take_document(struct planning *p, const struct record *r)
{
	const struct rowindex *x = p->x;
	struct buf arena = BUF_INIT;
	struct text ref = record_text(r->doc, record_get(r, "ref"), &arena);
	uint32_t body = record_get(r, "body");
	int rc = 0;

	buf_reset(&p->sql);
	buf_reset(&p->key);
	for (size_t i = 0; i < x->ncolumn && rc == 0; i++) {
		const struct rowindex_column *c = &x->column[i];

		buf_addch(&p->sql, i ? ',' : '(');
		if (c->key && p->key.len)
			buf_addch(&p->key, ',');
		rc = rowindex_value(c, r->doc, body, ref, p->ask->dialect, &p->sql, c->key ? &p->key : NULL, p->d);
	}
	if (rc == 0) {
		buf_addch(&p->sql, ')');
		buf_addch(&p->key, '\0');
		buf_addch(&p->key, is_legacy(p, ref) ? '1' : '0');
		buf_add(&p->key, ref.s, ref.n);
		rc = sorted_add(p->rows, (struct text){ p->key.s, p->key.len }, (struct text){ p->sql.s, p->sql.len },
		                p->d);
	}
	buf_release(&arena);
	return rc;
}

static void count(struct planning *p, const struct record *r)
{
	struct buf ref = BUF_INIT, hash = BUF_INIT;

	tally_object(&p->seen, record_text(r->doc, record_get(r, "ref"), &ref),
	             record_text(r->doc, record_get(r, "hash"), &hash));
	buf_release(&ref);
	buf_release(&hash);
}

static int take_in(struct planning *p, struct stream *in)
{
	struct record r;
	int rc;

	while ((rc = stream_next(in, &r, p->d)) > 0) {
		if (r.kind == KIND_DOCUMENT || r.kind == KIND_REJECT)
			count(p, &r);
		if (in->fault)
			rc = r.kind == KIND_FAULT ? stream_put(p->out, r.line, r.len) : 0;
		else if (r.kind == KIND_DOCUMENT)
			rc = take_document(p, &r);
		else if (r.kind == KIND_REJECT)
			rc = stream_check_sum(in, &r, p->d) < 0
			             ? -1
			             : (p->rejects++, spool_add(p->spool, r.line, r.len, p->d));
		else if (r.kind != KIND_END)
			rc = diag_add(p->d, MIG_USAGE, "unexpected_kind", in->where,
			              "%s: not a document: mig-extract gives them", kind_name(r.kind));
		if (rc < 0)
			break;
	}
	return rc;
}

/* The rejects go ahead; then the spool is for the rows. */
static int put_rejects(struct planning *p)
{
	int64_t n = p->rejects, max = p->ask->plan.max_rejects;

	if (n > max)
		plan_rejects_name(p->spool, n, max, p->d);
	else if (n)
		plan_rejects_left(n, max, p->d);
	return plan_rejects_put(p->spool, p->out, p->d) < 0 || n > max ? -1 : 0;
}

/* ---- one row a key ---- */

static struct text until_nul(struct text key)
{
	return (struct text){ key.s, (size_t)((const char *)memchr(key.s, '\0', key.n) - key.s) };
}

static void yields(struct planning *p, struct text key, const struct buf *winner)
{
	struct text is = until_nul(key);

	if (p->duplicates++ < SHOWN_DUPLICATES) {
		char *ref = xmemdup(key.s + is.n + 2, key.n - is.n - 2);

		diag_warn(p->d, "duplicate", ref, "%.*s is indexed from %.*s", (int)is.n, is.s,
		          (int)(winner->len - is.n - 2), winner->s + is.n + 2);
		free(ref);
	}
}

/* A step is full, or a plan. */
static void cut_plan(struct planning *p, size_t steps)
{
	if (p->ncut == p->cutcap) {
		p->cutcap = p->cutcap ? p->cutcap * 2 : 8;
		p->cut = xrealloc(p->cut, p->cutcap, sizeof *p->cut);
	}
	p->cut[p->ncut++] = steps;
}

/* Set the rows of one step aside as one text of at most --batch rows: (..),(..) */
static int choose(struct planning *p)
{
	struct buf last = BUF_INIT;
	struct text key, row;
	size_t here = 0, steps = 0, bytes = 0;
	int rc = sorted_begin(p->rows, p->d);

	buf_reset(&p->b);
	while (rc >= 0 && (rc = sorted_next(p->rows, &key, &row, p->d)) > 0) {
		struct text is = until_nul(key);

		if (last.len > is.n && memcmp(last.s, key.s, is.n + 1) == 0) {
			yields(p, key, &last);
			continue;
		}
		buf_reset(&last);
		buf_add(&last, key.s, key.n);
		if (here == (size_t)p->ask->plan.batch) {
			rc = spool_add(p->spool, p->b.s, p->b.len, p->d);
			bytes += p->b.len;
			steps++;
			buf_reset(&p->b);
			here = 0;
			if (bytes > PLAN_BYTES || steps == PLAN_BATCH) {
				cut_plan(p, steps);
				steps = bytes = 0;
			}
		}
		buf_addstr(&p->b, here++ ? ",\n" : "");
		buf_add(&p->b, row.s, row.n);
		p->nrow++;
	}
	if (rc == 0 && here) {
		rc = spool_add(p->spool, p->b.s, p->b.len, p->d);
		steps++;
	}
	cut_plan(p, steps);
	if (p->duplicates > SHOWN_DUPLICATES)
		diag_warn(p->d, "more", NULL, "and %zu more duplicates", p->duplicates - SHOWN_DUPLICATES);
	buf_release(&last);
	return rc < 0 ? -1 : 0;
}

/* ---- steps ---- */

static void add_action(struct buf *b, const char *sql)
{
	struct rec w;

	if (b->len)
		buf_addch(b, ',');
	rec_open(&w, b);
	rec_cstr(&w, "op", "sql");
	rec_cstr(&w, "sql", sql);
	rec_close(&w);
}

static void add_check(struct buf *b, const char *sql, const char *message, int64_t equals)
{
	struct rec w;

	rec_open(&w, b);
	rec_cstr(&w, "check", "query");
	rec_int(&w, "equals", equals);
	rec_cstr(&w, "message", message);
	rec_cstr(&w, "sql", sql);
	rec_close(&w);
}

static struct text text_in(const struct buf *b)
{
	return (struct text){ b->s ? b->s : "", b->len };
}

static void add_step(struct planning *p, struct sql_plan *plan, const struct sql_header *h, const char *part,
                     const char *description, const struct sql_way *forth, const struct sql_way *back)
{
	char *object = xasprintf("%s.%s", p->x->table, part);
	struct sql_step s = { .object = object,
		              .what = "sql",
		              .from = "0",
		              .to = h->target_version,
		              .description = description,
		              .forth = *forth,
		              .back = *back,
		              .reversible = true,
		              .note = "An index holds nothing that the documents do not: plan it again from them." };

	s.forth.type = s.back.type = "index";
	sql_plan_add(plan, h, &s);
	free(object);
}

/*
 * CREATE TABLE "t__new" ("id" TEXT NOT NULL, .., PRIMARY KEY ("id")) with a mark
 * by which the table is known for an index of ours: nothing else is ever dropped.
 */
static void create(const struct planning *p, struct buf *actions)
{
	const struct rowindex *x = p->x;
	bool lite = p->ask->dialect == DIALECT_SQLITE, first = true;
	struct buf sql = BUF_INIT;

	buf_addf(&sql, "CREATE TABLE \"%s__new\" (%s", x->table, lite ? "/* mig index */ " : "");
	for (size_t i = 0; i < x->ncolumn; i++)
		buf_addf(&sql, "\"%s\" %s%s, ", x->column[i].name,
		         rowindex_sql_type(x->column[i].type, p->ask->dialect), x->column[i].key ? " NOT NULL" : "");
	buf_addf(&sql, "CONSTRAINT \"%s__key\" PRIMARY KEY (", x->table);
	for (size_t i = 0; i < x->ncolumn; i++)
		if (x->column[i].key) {
			buf_addf(&sql, "%s\"%s\"", first ? "" : ", ", x->column[i].name);
			first = false;
		}
	buf_addstr(&sql, "))");
	add_action(actions, sql.s);
	buf_reset(&sql);
	buf_addf(&sql, "COMMENT ON TABLE \"%s__new\" IS 'mig index'", x->table);
	if (!lite)
		add_action(actions, sql.s);
	buf_release(&sql);
}

/* Nothing but an index of ours may be dropped. */
static void add_guard(struct planning *p, struct buf *pre)
{
	static const char lite[] =
		"SELECT count(*) FROM sqlite_master WHERE name IN ('%s', '%s__new') AND "
		"(type <> 'table' OR sql NOT LIKE '%%/* mig index */%%')";
	static const char pg[] =
		"SELECT count(*) FROM pg_class WHERE relname IN ('%s', '%s__new') AND "
		"pg_table_is_visible(oid) AND obj_description(oid, 'pg_class') IS DISTINCT FROM 'mig index'";
	const char *t = p->x->table;
	char *sql = p->ask->dialect == DIALECT_SQLITE ? xasprintf(lite, t, t) : xasprintf(pg, t, t);
	char *message = xasprintf("something is called %s, and is no index that a plan built", t);

	add_check(pre, sql, message, 0);
	free(sql);
	free(message);
}

static void add_begin(struct planning *p, struct sql_plan *plan, const struct sql_header *h)
{
	struct buf actions = BUF_INIT, pre = BUF_INIT;
	char *drop = xasprintf("DROP TABLE IF EXISTS \"%s__new\"", p->x->table);

	add_guard(p, &pre);
	add_action(&actions, drop);
	create(p, &actions);
	const struct sql_way forth = { .actions = text_in(&actions), .pre = text_in(&pre) }, back = { .type = NULL };

	add_step(p, plan, h, "begin", "make room for the index beside the one that is there", &forth, &back);
	buf_release(&actions);
	buf_release(&pre);
	free(drop);
}

static void add_rows(struct planning *p, struct sql_plan *plan, const struct sql_header *h, uint64_t number,
                     const char *rows, size_t n)
{
	struct buf sql = BUF_INIT, actions = BUF_INIT;
	char *part = xasprintf("rows%" PRIu64, number),
	     *description = xasprintf("rows of the index, part %" PRIu64, number);

	buf_addf(&sql, "INSERT INTO \"%s__new\" VALUES\n", p->x->table);
	buf_add(&sql, rows, n);
	add_action(&actions, sql.s);
	const struct sql_way forth = { .actions = text_in(&actions) }, back = { .type = NULL };

	add_step(p, plan, h, part, description, &forth, &back);
	buf_release(&sql);
	buf_release(&actions);
	free(part);
	free(description);
}

static void add_swap(struct planning *p, struct sql_plan *plan, const struct sql_header *h)
{
	const char *t = p->x->table;
	struct buf actions = BUF_INIT, back = BUF_INIT, pre = BUF_INIT, post = BUF_INIT;
	char *drop = xasprintf("DROP TABLE IF EXISTS \"%s\"", t);
	char *rename = xasprintf("ALTER TABLE \"%s__new\" RENAME TO \"%s\"", t, t);
	char *sql = xasprintf("SELECT count(*) FROM \"%s\"", t);

	add_action(&actions, drop);
	add_action(&actions, rename);
	add_action(&back, drop);
	add_guard(p, &pre);
	add_check(&post, sql, "rows of the index", (int64_t)p->nrow);
	const struct sql_way to = { .actions = text_in(&actions), .post = text_in(&post) };
	const struct sql_way from = { .actions = text_in(&back), .pre = text_in(&pre) };

	add_step(p, plan, h, "end", "put the index in the place of the one that is there", &to, &from);
	buf_release(&actions);
	buf_release(&back);
	buf_release(&pre);
	buf_release(&post);
	free(drop);
	free(rename);
	free(sql);
}

/* ---- plans ---- */

static int put_part(struct planning *p, struct sql_plan *plan, struct sql_header *h, uint64_t *number, struct tally *t)
{
	const char *rows;
	size_t n;

	h->part++;
	if (h->part == 1)
		add_begin(p, plan, h);
	for (size_t i = 0; i < p->cut[h->part - 1]; i++) {
		if (spool_next(p->spool, &rows, &n, p->d) <= 0)
			return -1;
		add_rows(p, plan, h, ++*number, rows, n);
	}
	if (h->part == h->parts)
		add_swap(p, plan, h);
	return sql_plan_put(plan, h, p->out, t, p->d);
}

static int put_plans(struct planning *p, struct stream *in)
{
	const struct plan_ask *a = &p->ask->plan;
	struct sql_plan plan = SQL_PLAN_INIT;
	struct sql_header h = { .ask = a,
		                .dialect = p->ask->dialect,
		                .digest = in->end_digest,
		                .records = (int64_t)p->seen.n,
		                .set_id = a->migration_id,
		                .set_hash = p->x->hash,
		                .target_version = a->target_version,
		                .parts = p->ncut,
		                .nstep = 2,
		                .max = in->lines.max };
	struct tally t;
	uint64_t number = 0;
	/* the rejects stand in front of the rows */
	int rc = spool_rewind(p->spool, p->d);

	for (int64_t i = 0; i < p->rejects && rc >= 0; i++) {
		const char *line;
		size_t n;

		rc = spool_next(p->spool, &line, &n, p->d);
	}
	for (size_t i = 0; i < p->ncut; i++)
		h.nstep += p->cut[i];
	tally_init(&t);
	while (rc >= 0 && h.part < h.parts)
		rc = put_part(p, &plan, &h, &number, &t);
	if (rc >= 0)
		rc = stream_put_tally(p->out, "mig-plan", &t);
	tally_release(&t);
	sql_plan_release(&plan);
	return rc < 0 ? -1 : 0;
}

int index_planner_run(const struct index_ask *ask, const struct rowindex *index, struct sorted *rows,
                      struct spool *spool, struct stream *in, struct out *out, struct diag *d)
{
	struct planning p = { .ask = ask, .x = index, .rows = rows, .spool = spool, .out = out, .d = d };

	glob_init(&p.legacy, index->legacy);
	p.on = xcalloc(p.legacy.n + 1, 1);
	tally_init(&p.seen);
	int rc = take_in(&p, in);

	if (rc == 0 && !in->fault && (rc = stream_verify_end(in, &p.seen, d)) == 0 && (rc = put_rejects(&p)) == 0 &&
	    (rc = choose(&p)) == 0)
		rc = put_plans(&p, in);
	tally_release(&p.seen);
	glob_release(&p.legacy);
	free(p.on);
	free(p.cut);
	buf_release(&p.sql);
	buf_release(&p.key);
	buf_release(&p.b);
	return rc;
}
