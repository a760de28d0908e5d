/* sql-ledger.c -- see sql-ledger.h */
#include "sql-ledger.h"

#include "io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const char where[] = "ledger";

/* A statement about one of our tables: new. */
static char *about(const char *before, const char *table, const char *after)
{
	return xasprintf("%s%s%s", before, table, after);
}

static struct text member(const struct doc *e, const char *name)
{
	uint32_t t = doc_member(e, 0, name, strlen(name));

	if (t == DOC_NONE || e->tok[t].type != DOC_STRING || (e->tok[t].flags & DOC_ESCAPED))
		return (struct text){ NULL, 0 };
	return (struct text){ e->text + e->tok[t].off + 1, e->tok[t].len - 2 };
}

/* The entry must be whole: what is put behind it vouches for it. */
static int take_tip(struct sql_chain *c, struct buf *line, struct diag *d)
{
	struct doc e = DOC_INIT;
	char is[HEX_SIZE];
	int rc = 0;

	if (doc_parse(&e, line->s, line->len, RECORD_MAX_DEPTH) < 0 || !record_sum_holds(&e, 0, "hash", c->head, is) ||
	    !doc_int(&e, doc_member(&e, 0, "seq", 3), &c->seq) || c->seq < 1) {
		diag_hint(d, "mig-verify --ledger shows where the chain breaks");
		rc = diag_add(d, MIG_INVALID, "ledger_broken", where, "the last entry cannot be trusted");
	}
	doc_release(&e);
	return rc;
}

int sql_chain_read(struct sql_chain *c, struct db *db, struct diag *d)
{
	struct buf line = BUF_INIT;

	*c = (struct sql_chain){ .head = LEDGER_START };
	char *sql = about("SELECT entry FROM ", db->ops->names.ledger, " ORDER BY seq DESC LIMIT 1");
	int rc = db->ops->known(db, d);

	if (rc == 1)
		rc = db_one(db, sql, NULL, 0, &line, d);
	if (rc == 1)
		rc = take_tip(c, &line, d);
	free(sql);
	buf_release(&line);
	return rc < 0 ? -1 : 0;
}

/* What an entry is found by again. */
static struct db_value found_by(struct text hash)
{
	return (struct db_value){ hash.s ? DB_TEXT : DB_NULL, hash.s, hash.n };
}

int sql_chain_add(struct sql_chain *c, struct db *db, const struct entry *e, struct diag *d)
{
	struct buf line = BUF_INIT;
	char prev[HEX_SIZE], seq[24];

	memcpy(prev, c->head, HEX_SIZE);
	entry_write(&line, e, c->seq + 1, prev, c->head);
	snprintf(seq, sizeof seq, "%" PRId64, ++c->seq);
	char *sql = about("INSERT INTO ", db->ops->names.ledger,
	                  " (seq, entry, plan_hash, undoes) VALUES ($1, $2, $3, $4)");
	const struct db_value p[] = { db_text(seq), { DB_TEXT, line.s, line.len }, found_by(e->plan_hash),
		                      found_by(e->undoes) };
	int rc = db->ops->later(db, sql, p, 4, d);

	free(sql);
	buf_release(&line);
	return rc;
}

/* Entries on their way into a file. */
struct filing {
	struct out out;
	struct doc doc;
	struct diag *d;
};

/* Is a column what the entry says, or NULL where that says nothing? */
static bool column_holds(const struct doc *e, const char *name, const struct db_value *v)
{
	struct text is = member(e, name);

	return v->s ? text_same(is, (struct text){ v->s, v->n }) : is.s == NULL;
}

/* entry, plan_hash, undoes: who hides an entry from those who look for its plan has edited the ledger as well */
static int put_line(void *arg, const struct db_value *v, size_t n)
{
	struct filing *f = arg;
	struct buf line = BUF_INIT;

	(void)n;
	buf_add(&line, v->s ? v->s : "", v->n);
	bool reads = doc_parse(&f->doc, line.s, line.len, RECORD_MAX_DEPTH) == 0;
	bool holds = !reads || (column_holds(&f->doc, "plan_hash", &v[1]) && column_holds(&f->doc, "undoes", &v[2]));

	buf_release(&line);
	if (!holds)
		return diag_add(f->d, MIG_INVALID, "ledger_broken", where,
		                "a row is filed under another plan than its entry's");
	return out_write(&f->out, v->s ? v->s : "", v->n) < 0 || out_write(&f->out, "\n", 1) < 0 ? -1 : 0;
}

int sql_ledger_file(struct db *db, struct diag *d)
{
	struct filing f = { .doc = DOC_INIT, .d = d };
	int fd = memfd_create("ledger", MFD_CLOEXEC), rc = db->ops->known(db, d);

	if (fd < 0)
		return diag_add(d, MIG_ERROR, "io_failed", where, "memfd_create: %s", strerror(errno));
	out_init(&f.out, fd);
	if (rc == 1) {
		char *sql = about("SELECT entry, plan_hash, undoes FROM ", db->ops->names.ledger, " ORDER BY seq");

		rc = db->ops->query(db, sql, NULL, 0, put_line, &f, d);
		free(sql);
	}
	if (rc >= 0)
		rc = out_finish(&f.out, d);
	out_release(&f.out);
	doc_release(&f.doc);
	if (rc < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Looking for an entry of a plan, the newest first. */
struct looking {
	const char *plan_hash, *event; /* event: NULL for any that counts */
	struct doc doc;
	struct buf *out;
	char found[16];
	/* or for its steps */
	void (*each)(void *arg, const struct doc *entry);
	void *arg;
	bool done;
};

/* Does the entry leave what became of its plan as it was? */
static bool is_aside(struct text event)
{
	return text_is(event, "verify") || text_is(event, "prune") || text_is(event, "conflict") ||
	       text_is(event, "step");
}

static int look(void *arg, const struct db_value *v, size_t n)
{
	struct looking *l = arg;
	struct buf line = BUF_INIT;

	(void)n;
	if (l->done)
		return 0;
	buf_add(&line, v->s, v->n);
	bool ok = doc_parse(&l->doc, line.s, line.len, RECORD_MAX_DEPTH) == 0;
	struct text event = ok ? member(&l->doc, "event") : (struct text){ NULL, 0 };

	/* what undoes a plan is about it as well */
	ok = ok && (text_is(member(&l->doc, "plan_hash"), l->plan_hash) ||
	            (text_is(event, "rollback") && text_is(member(&l->doc, "undoes"), l->plan_hash)));

	if (ok && l->each && text_is(event, "step")) {
		l->each(l->arg, &l->doc);
	} else if (ok && (l->event ? text_is(event, l->event) : !is_aside(event))) {
		l->done = true;
		snprintf(l->found, sizeof l->found, "%.*s", (int)event.n, event.s);
		if (l->out)
			buf_add(l->out, v->s, v->n);
	}
	buf_release(&line);
	return 0;
}

static int look_for(struct db *db, struct looking *l, struct diag *d)
{
	int rc = db->ops->known(db, d);

	if (rc != 1)
		return rc;
	char *sql = about("SELECT entry FROM ", db->ops->names.ledger,
	                  " WHERE plan_hash = $1 OR undoes = $1 ORDER BY seq DESC");
	const struct db_value p = db_text(l->plan_hash);

	rc = db->ops->query(db, sql, &p, 1, look, l, d);
	doc_release(&l->doc);
	free(sql);
	return rc < 0 ? -1 : l->done;
}

int sql_ledger_last(struct db *db, const char *plan_hash, struct buf *out, char event[16], struct diag *d)
{
	struct looking l = { .plan_hash = plan_hash, .doc = DOC_INIT, .out = out };
	int rc = look_for(db, &l, d);

	if (event)
		memcpy(event, l.found, sizeof l.found);
	return rc;
}

/* Where the chain ends, and whether a plan was ever heard of. */
struct standing {
	struct buf tip;
	bool heard;
};

/* entry, is it the last of all */
static int stand(void *arg, const struct db_value *v, size_t n)
{
	struct standing *s = arg;

	(void)n;
	if (*v[1].s == '0')
		s->heard = true;
	else
		buf_add(&s->tip, v[0].s, v[0].n);
	return 0;
}

/* What undoes a plan names one that is in the ledger: of most plans, nothing more is to be asked. */
int sql_ledger_stand(struct db *db, const char *plan_hash, char event[16], struct sql_chain *c, struct diag *d)
{
	struct standing s = { .tip = BUF_INIT };
	const char *ledger = db->ops->names.ledger;
	const struct db_value p = db_text(plan_hash);
	int rc = db->ops->known(db, d);
	bool tip = c->seq == 0 || !db->ops->untouched(db);

	if (tip)
		*c = (struct sql_chain){ .head = LEDGER_START };
	memset(event, 0, 16);
	if (rc != 1)
		return rc;
	char *sql = xasprintf("SELECT entry, 0 FROM %s WHERE plan_hash = $1%s%s%s", ledger,
	                      tip ? " UNION ALL SELECT entry, 1 FROM (SELECT entry FROM " : "", tip ? ledger : "",
	                      tip ? " ORDER BY seq DESC LIMIT 1) AS tip" : "");

	rc = db->ops->query(db, sql, &p, 1, stand, &s, d);
	if (rc == 0 && s.tip.len)
		rc = take_tip(c, &s.tip, d);
	if (rc == 0 && s.heard)
		rc = sql_ledger_last(db, plan_hash, NULL, event, d);
	buf_release(&s.tip);
	free(sql);
	return rc;
}

int sql_ledger_find(struct db *db, const char *plan_hash, const char *event, struct buf *out, struct diag *d)
{
	struct looking l = { .plan_hash = plan_hash, .event = event, .doc = DOC_INIT, .out = out };

	return look_for(db, &l, d);
}

int sql_ledger_steps(struct db *db, const char *plan_hash, void (*each)(void *arg, const struct doc *entry), void *arg,
                     struct diag *d)
{
	struct looking l = { .plan_hash = plan_hash, .event = "begin", .doc = DOC_INIT, .each = each, .arg = arg };

	return look_for(db, &l, d) < 0 ? -1 : 0;
}

int sql_ledger_undoing(struct db *db, const char *plan_hash, char undoing[HEX_SIZE], struct diag *d)
{
	const struct db_value p = db_text(plan_hash);
	struct buf line = BUF_INIT;
	struct doc e = DOC_INIT;
	int rc = db->ops->known(db, d);

	if (rc == 1) {
		char *sql = about("SELECT entry FROM ", db->ops->names.ledger,
		                  " WHERE undoes = $1 ORDER BY seq DESC LIMIT 1");

		rc = db_one(db, sql, &p, 1, &line, d);
		free(sql);
	}
	if (rc == 1)
		rc = doc_parse(&e, line.s, line.len, RECORD_MAX_DEPTH) == 0 &&
		     !text_is(member(&e, "event"), "rollback");
	if (rc == 1)
		snprintf(undoing, HEX_SIZE, "%.*s", (int)member(&e, "plan_hash").n, member(&e, "plan_hash").s);
	doc_release(&e);
	buf_release(&line);
	return rc;
}

int sql_ledger_get_plan(struct db *db, const char *plan_hash, struct buf *out, struct diag *d)
{
	const struct db_value p = db_text(plan_hash);
	int rc = db->ops->known(db, d);

	if (rc != 1)
		return rc;
	char *sql = about("SELECT plan FROM ", db->ops->names.plan, " WHERE plan_hash = $1");

	rc = db_one(db, sql, &p, 1, out, d);
	free(sql);
	return rc;
}

struct each_plan {
	int (*each)(void *arg, struct text plan_hash, struct buf *plan);
	void *arg;
	struct buf plan;
};

static int take_plan(void *arg, const struct db_value *v, size_t n)
{
	struct each_plan *e = arg;

	(void)n;
	buf_reset(&e->plan);
	buf_add(&e->plan, v[1].n ? v[1].s : "", v[1].n);
	return e->each(e->arg, (struct text){ v[0].s, v[0].n }, &e->plan);
}

int sql_ledger_each_plan(struct db *db, int (*each)(void *arg, struct text plan_hash, struct buf *plan), void *arg,
                         struct diag *d)
{
	struct each_plan e = { .each = each, .arg = arg };
	int rc = db->ops->known(db, d);

	if (rc != 1)
		return rc;
	char *sql = about("SELECT plan_hash, plan FROM ", db->ops->names.plan, "");

	rc = db->ops->query(db, sql, NULL, 0, take_plan, &e, d);
	free(sql);
	buf_release(&e.plan);
	return rc;
}

int sql_ledger_put_plan(struct db *db, const char *plan_hash, struct text plan, struct diag *d)
{
	const struct db_value p[] = { db_text(plan_hash), { DB_TEXT, plan.s, plan.n } };
	char *sql = about("INSERT INTO ", db->ops->names.plan,
	                  " (plan_hash, plan) VALUES ($1, $2) ON CONFLICT (plan_hash) DO NOTHING");
	int rc = db->ops->later(db, sql, p, 2, d);

	free(sql);
	return rc;
}
