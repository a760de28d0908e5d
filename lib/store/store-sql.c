/* store-sql.c -- a database as a store: struct store_ops by way of struct db_ops; see store.h */
#include "store-sql.h"

#include "spent.h"
#include "sql-apply.h"
#include "sql-rows-apply.h"
#include "sql-rows-check.h"

#include <stdlib.h>
#include <unistd.h>

struct store_sql {
	struct store base;
	struct sql_store sql;
	enum store_mode mode;
	bool locked;
};

static struct store_sql *of(struct store *s)
{
	return (struct store_sql *)s;
}

static struct db *db_of(struct store *s)
{
	return of(s)->sql.db;
}

static int no_documents(struct store *s, struct diag *d)
{
	return diag_add(d, MIG_USAGE, "no_documents", db_of(s)->name,
	                "a database holds no documents: --schema reads it");
}

static int scan(struct store *s, char *const *globs, int (*each)(void *arg, const struct store_doc *doc), void *arg,
                struct diag *d)
{
	(void)globs, (void)each, (void)arg;
	return no_documents(s, d);
}

static int orphans(struct store *s, int (*each)(void *arg, struct text ref, struct text target), void *arg,
                   struct diag *d)
{
	(void)each, (void)arg;
	return no_documents(s, d);
}

static int read_doc(struct store *s, struct text ref, struct store_doc *doc, struct diag *d)
{
	(void)ref, (void)doc;
	return no_documents(s, d);
}

static int stored_plan(struct store *s, const char *plan_hash, struct buf *out, struct diag *d)
{
	int rc = sql_ledger_get_plan(db_of(s), plan_hash, out, d);

	if (rc == 0)
		return diag_add(d, MIG_PRECONDITION, "missing_plan", plan_hash, "this plan is not in the database");
	return rc < 0 ? -1 : 0;
}

static int object(struct store *s, struct text raw, struct buf *out, struct diag *d)
{
	(void)s, (void)raw, (void)out, (void)d;
	return 0;
}

static int walk(struct store *s, int (*each)(void *arg, const struct doc *entry), void *arg, int64_t *seq,
                char head[HEX_SIZE], struct diag *d)
{
	int fd = sql_ledger_file(db_of(s), d);

	if (fd < 0)
		return -1;
	int rc = ledger_walk(fd, each, arg, seq, head, d);

	close(fd);
	return rc;
}

static int last(struct store *s, const char *plan_hash, struct buf *out, struct diag *d)
{
	return sql_ledger_last(db_of(s), plan_hash, out, NULL, d);
}

/* {"actor":"ada","pid":42,"since":"2026-01-02T03:04:05Z"} */
static void write_holder(struct buf *b, const struct apply_ctx *c)
{
	char since[LEDGER_TIME_SIZE];
	struct rec w;

	ledger_time(c->now, since);
	rec_open(&w, b);
	rec_str(&w, "actor", c->grant->actor);
	rec_int(&w, "pid", getpid());
	rec_cstr(&w, "since", since);
	rec_close(&w);
}

static int lock(struct store *s, unsigned seconds, const struct apply_ctx *c, struct diag *d)
{
	struct store_sql *st = of(s);
	struct db *db = db_of(s);
	struct buf holder = BUF_INIT;

	if (st->mode != STORE_WRITE)
		return diag_add(d, MIG_ERROR, "internal", db->name,
		                "a store that was opened for reading is not locked");
	write_holder(&holder, c);
	int rc = db->ops->lock(db, seconds, holder.s, d);

	buf_release(&holder);
	st->locked = rc == 0;
	return rc;
}

/* The lock has undone what a killed run left; what it did is in the ledger, and the next run goes on from there. */
static int recover(struct store *s, const struct apply_ctx *c, struct diag *d)
{
	(void)s, (void)c, (void)d;
	return 0;
}

static int trust(struct store *s, int (*each)(void *arg, const char *name, const struct buf *pem), void *arg,
                 struct diag *d)
{
	return sql_state_trust(&of(s)->sql.state, each, arg, d);
}

static int spent(struct store *s, const struct uses *u, struct diag *d)
{
	int fd = sql_ledger_file(db_of(s), d);

	if (fd < 0)
		return -1;
	int rc = spent_check(fd, u, d);

	close(fd);
	return rc;
}

static int not_ours(const struct plan *p, struct db *db, struct diag *d)
{
	if (plan_of_rows(p))
		return 0;
	if (plan_of_descriptor(p))
		return diag_add(d, MIG_INVALID, "foreign_plan", NULL, "a plan of descriptors: no store takes it");
	if (!plan_of_sql(p))
		return diag_add(d, MIG_INVALID, "foreign_plan", NULL, "the plan changes documents, this is a database");
	if (!text_is(p->dialect, db->ops->dialect))
		return diag_add(d, MIG_INVALID, "foreign_plan", NULL, "the plan was not made for %s", db->ops->dialect);
	return 0;
}

static int apply(struct store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d)
{
	struct store_sql *st = of(s);

	if (!c->grant->dry_run && !st->locked)
		return diag_add(d, MIG_ERROR, "internal", db_of(s)->name, "nothing is applied without the lock");
	if (not_ours(p, db_of(s), d) < 0)
		return -1;
	return plan_of_rows(p) ? sql_rows_apply(&st->sql, p, c, o, d) : sql_apply(&st->sql, p, c, o, d);
}

/*
 * What a plan of SQL finds is what those before it leave, which only doing them
 * can tell: each is checked as it is done.  No row is in two plans of one run.
 */
static int check(struct store *s, const struct plan *p, const struct apply_ctx *c, struct outcome *o, struct diag *d)
{
	(void)c, (void)o;
	if (not_ours(p, db_of(s), d) < 0)
		return -1;
	return plan_of_rows(p) && !c->restores ? sql_rows_foresee(&of(s)->sql, p, d) : 0;
}

static int look(struct store *s, const struct plan *p, const struct step *st,
                int (*each)(void *arg, size_t i, struct text there), void *arg, struct diag *d)
{
	return sql_rows_look(&of(s)->sql, p, st, each, arg, d);
}

static int restored(struct store *s, const struct plan *p, struct diag *d)
{
	return sql_rows_restored(&of(s)->sql, p, d);
}

static int note(struct store *s, const struct entry *e, struct diag *d)
{
	struct db *db = db_of(s);
	struct entry mine = *e;
	struct sql_chain chain;

	if (!of(s)->locked)
		return diag_add(d, MIG_ERROR, "internal", db->name, "nothing is noted without the lock");
	mine.user = (struct text){ of(s)->sql.user, strlen(of(s)->sql.user) };
	of(s)->sql.chain.seq = 0;
	if (db->ops->begin(db, true, d) < 0)
		return -1;
	if (db->ops->prepare(db, d) == 0 && sql_chain_read(&chain, db, d) == 0 &&
	    sql_chain_add(&chain, db, &mine, d) == 0 && db->ops->commit(db, d) == 0)
		return 0;
	db->ops->rollback(db);
	return -1;
}

static int alone(struct store *s, struct diag *d)
{
	return diag_add(d, MIG_USAGE, "no_jobs", db_of(s)->name, "--jobs: one process at a time writes to a database");
}

static int detach(struct store *s, const struct relay *r, struct diag *d)
{
	(void)r;
	return alone(s, d);
}

static int answer(struct store *s, enum relay_ask what, bool exchanged, const char *text, size_t n,
                  struct relay_answer *a, struct diag *d)
{
	(void)what, (void)exchanged, (void)text, (void)n, (void)a;
	return alone(s, d);
}

static int prune(struct store *s, const char *before, const struct apply_ctx *c,
                 int (*allow)(void *arg, const struct store_pruned *p, struct diag *d), void *arg,
                 struct store_pruned *p, struct diag *d)
{
	(void)before, (void)c, (void)allow, (void)arg;
	*p = (struct store_pruned){ .seq = -1 };
	return diag_add(d, MIG_PRECONDITION, "not_supported", db_of(s)->name, "--prune is for folders of documents");
}

static struct db *database(struct store *s)
{
	return db_of(s);
}

static int confine(struct store *s, struct diag *d)
{
	struct sql_store *sql = &of(s)->sql;

	if (!sql->user) /* the user database is out of reach from here on */
		sql->user = ledger_user();
	return sql->db->ops->confine(sql->db, sql->state.dir, d);
}

static void close_store(struct store *s)
{
	struct sql_store *sql = &of(s)->sql;

	sql_state_release(&sql->state);
	row_tables_release(&sql->tables);
	if (sql->db)
		sql->db->ops->close(sql->db);
	free(sql->user);
	free(s);
}

static const struct store_ops ops = {
	.scan = scan,
	.orphans = orphans,
	.read = read_doc,
	.plan = stored_plan,
	.object = object,
	.ledger = walk,
	.last = last,
	.lock = lock,
	.recover = recover,
	.trust = trust,
	.spent = spent,
	.apply = apply,
	.check = check,
	.look = look,
	.restored = restored,
	.note = note,
	.detach = detach,
	.answer = answer,
	.prune = prune,
	.database = database,
	.confine = confine,
	.close = close_store,
};

struct store *store_sql_new(struct db *db, const struct store_how *how, const char *state, struct diag *d)
{
	struct store_sql *st = xcalloc(1, sizeof *st);

	st->base.ops = &ops;
	st->mode = how->mode;
	st->sql.db = db;
	st->sql.state = (struct sql_state)SQL_STATE_INIT;
	if (sql_state_open(&st->sql.state, how->state ? how->state : state, how->state != NULL, d) == 0) {
		db->stop = store_interrupted;
		return &st->base;
	}
	close_store(&st->base);
	return NULL;
}

struct store *store_sqlite_open(const char *file, const struct store_how *how, struct diag *d)
{
	enum db_mode mode = how->mode == STORE_READ ? how->create ? DB_READ_OR_EMPTY : DB_READ
	                    : how->create           ? DB_CREATE
	                                            : DB_WRITE;
	struct db *db = db_sqlite_open(file, mode, d);

	if (!db)
		return NULL;
	char *real = realpath(file, NULL), *state = xasprintf("%s.mig", real ? real : file);
	struct store *s = store_sql_new(db, how, state, d);

	free(real);
	free(state);
	return s;
}

struct store *store_pg_open(const char *uri, const struct store_how *how, struct diag *d)
{
	/* who reads with it asks for what may be there */
	if (how->create && how->mode != STORE_READ) {
		diag_add(d, MIG_USAGE, "bad_store", NULL,
		         "--create makes SQLite files; createdb makes a PostgreSQL database");
		return NULL;
	}
	struct db *db = db_pg_open(uri, how->mode == STORE_READ ? DB_READ : DB_WRITE, d);

	return db ? store_sql_new(db, how, NULL, d) : NULL;
}
