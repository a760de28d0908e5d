/* sql-schema.c -- see sql-schema.h */
#include "sql-schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The server's text of a JSON column in canonical form; NULL where it is none. */
static char *canonical(const struct db_value *v)
{
	struct doc doc = DOC_INIT;
	struct buf text = BUF_INIT, out = BUF_INIT;
	char *json = NULL;

	if (v->s)
		buf_add(&text, v->s, v->n);
	if (v->s && doc_parse(&doc, text.s, text.len, RECORD_MAX_DEPTH) == 0) {
		canon_value(&out, &doc, 0, DOC_NONE);
		json = buf_steal(&out);
	}
	doc_release(&doc);
	buf_release(&text);
	return json;
}

/* version, MAX(version), checksum, schema, live */
static int take_recorded(void *arg, const struct db_value *v, size_t n)
{
	struct recorded *r = arg;

	if (n != 5 || r->version)
		return 0;
	r->last = strtoll(v[1].s, NULL, 10);
	if (v[0].type == DB_NULL)
		return 0;
	r->version = strtoll(v[0].s, NULL, 10);
	r->checksum = xmemdup(v[2].n ? v[2].s : "", v[2].n);
	r->schema = canonical(&v[3]);
	r->live = canonical(&v[4]);
	return 0;
}

int recorded_read(struct recorded *r, struct db *db, struct diag *d)
{
	const struct db_names *t = &db->ops->names;

	*r = (struct recorded){ .version = 0 };
	int rc = db->ops->known(db, d);

	if (rc != 1)
		return rc;
	/* what is there now is the row of schema_checksum; the history remembers how it came about */
	char *sql = xasprintf(
		"SELECT h.version, m.last, coalesce(c.checksum, h.checksum), coalesce(c.schema, h.schema), h.live "
		"FROM (SELECT MAX(version) AS last FROM %s) m "
		"LEFT JOIN %s h ON h.version = (SELECT MAX(version) FROM %s WHERE rolled_back_at IS NULL) "
		"AND h.rolled_back_at IS NULL LEFT JOIN %s c ON c.id = 'singleton' "
		"WHERE m.last IS NOT NULL",
		t->history, t->history, t->history, t->checksum);

	rc = db->ops->query(db, sql, NULL, 0, take_recorded, r, d);
	free(sql);
	return rc;
}

void recorded_release(struct recorded *r)
{
	free(r->checksum);
	free(r->schema);
	free(r->live);
	*r = (struct recorded){ .version = 0 };
}

int sql_live_hash(struct db *db, struct buf *out, char hash[HEX_SIZE], struct diag *d)
{
	struct buf own = BUF_INIT, *b = out ? out : &own;
	size_t at = b->len;
	int rc = db->ops->live(db, b, d);

	if (rc == 0)
		digest_hex(b->s + at, b->len - at, hash);
	buf_release(&own);
	return rc;
}

/* A plan that is committed and was not rolled back, and the hand-written hops that it applied. */
struct done {
	char plan_hash[HEX_SIZE];
	struct buf hops; /* objects of "applied", parted by commas */
};

struct applied {
	struct doc plan;
	struct done *done; /* in the order of their commits */
	size_t n;
	struct done **by_hash;
};

static char *string(const struct doc *e, uint32_t obj, const char *name)
{
	return record_dup(e, doc_member(e, obj, name, strlen(name)));
}

/* {"checksum":..,"from":..,"normalised":..,"op":"record","to":..} */
static void add_hop(struct done *to, const struct doc *p, uint32_t action, const char *migration)
{
	char *checksum = string(p, action, "checksum"), *from = string(p, action, "from"),
	     *normalised = string(p, action, "normalised"), *version = string(p, action, "to");
	struct rec w;

	if (to->hops.len)
		buf_addch(&to->hops, ',');
	rec_open(&w, &to->hops);
	rec_cstr(&w, "checksum", checksum);
	rec_cstr(&w, "from", from);
	rec_cstr(&w, "migration_id", migration);
	rec_cstr(&w, "normalised", normalised);
	rec_cstr(&w, "plan_hash", to->plan_hash);
	rec_cstr(&w, "to", version);
	rec_close(&w);
	free(checksum);
	free(from);
	free(normalised);
	free(version);
}

static void add_hops(struct done *to, const struct doc *p)
{
	uint32_t steps = doc_member(p, 0, "steps", 5);
	char *migration = string(p, doc_member(p, 0, "header", 6), "migration_id");

	for (uint32_t s = steps + 1; steps && s < p->tok[steps].next; s = p->tok[s].next) {
		uint32_t list = doc_member(p, s, "actions", 7);

		for (uint32_t t = list + 1; list && t < p->tok[list].next; t = p->tok[t].next)
			if (doc_says(p, t, "op", "record") && doc_member(p, t, "normalised", 10))
				add_hop(to, p, t, migration);
	}
	free(migration);
}

static void take_back(struct applied *a, const char *plan_hash)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->done[i].plan_hash, plan_hash) != 0)
			a->done[kept++] = a->done[i];
	a->n = kept;
}

static int follow(void *arg, const struct doc *e)
{
	struct applied *a = arg;
	char *hash = string(e, 0, "plan_hash"), *undoes = string(e, 0, "undoes");

	if (doc_says(e, 0, "event", "commit") && hash && strlen(hash) == HEX_LEN) {
		take_back(a, hash);
		a->done = xrealloc(a->done, a->n + 1, sizeof *a->done);
		a->done[a->n] = (struct done){ .hops = BUF_INIT };
		memcpy(a->done[a->n++].plan_hash, hash, HEX_SIZE);
	} else if (doc_says(e, 0, "event", "rollback") && undoes) {
		take_back(a, undoes);
	}
	free(hash);
	free(undoes);
	return 0;
}

static int by_hash(const void *a, const void *b)
{
	const struct done *const *x = a, *const *y = b;

	return strcmp((*x)->plan_hash, (*y)->plan_hash);
}

static int take_plan(void *arg, struct text hash, struct buf *plan)
{
	struct applied *a = arg;
	struct done key = { .hops = BUF_INIT }, *const p = &key, **found;

	if (hash.n != HEX_LEN)
		return 0;
	memcpy(key.plan_hash, hash.s, HEX_LEN);
	found = a->n ? bsearch(&p, a->by_hash, a->n, sizeof *a->by_hash, by_hash) : NULL;
	if (found && doc_parse(&a->plan, plan->s, plan->len, RECORD_MAX_DEPTH) == 0)
		add_hops(*found, &a->plan);
	return 0;
}

/* All plans in one question: to ask for each of them takes a server longer than all else. */
static int read_hops(struct applied *a, struct db *db, struct diag *d)
{
	if (!a->n)
		return 0;
	a->by_hash = xcalloc(a->n, sizeof *a->by_hash);
	for (size_t i = 0; i < a->n; i++)
		a->by_hash[i] = &a->done[i];
	qsort(a->by_hash, a->n, sizeof *a->by_hash, by_hash);
	return sql_ledger_each_plan(db, take_plan, a, d);
}

static void put_hops(struct buf *out, struct applied *a)
{
	size_t n = 0;

	buf_addch(out, '[');
	for (size_t i = 0; i < a->n; i++) {
		if (a->done[i].hops.len && n++)
			buf_addch(out, ',');
		buf_add(out, a->done[i].hops.s, a->done[i].hops.len);
		buf_release(&a->done[i].hops);
	}
	buf_addch(out, ']');
}

/* The hand-written hops that are applied: those of plans committed and not rolled back. */
static int put_applied(struct db *db, struct buf *out, struct diag *d)
{
	struct applied a = { .plan = DOC_INIT };
	char head[HEX_SIZE];
	int64_t seq;
	int fd = sql_ledger_file(db, d), rc = fd < 0 ? -1 : ledger_walk(fd, follow, &a, &seq, head, d);

	if (rc == 0)
		rc = read_hops(&a, db, d);
	put_hops(out, &a);
	free(a.by_hash);
	free(a.done);
	doc_release(&a.plan);
	if (fd >= 0)
		close(fd);
	return rc;
}

static void put_recorded(struct buf *out, const struct recorded *r)
{
	struct rec w;

	if (!r->version) {
		buf_addstr(out, "null");
		return;
	}
	rec_open(&w, out);
	rec_cstr(&w, "checksum", r->checksum);
	rec_int(&w, "history_version", r->version);
	rec_int(&w, "last_version", r->last);
	rec_name(&w, "live");
	buf_addstr(out, r->live ? r->live : "null");
	rec_name(&w, "schema");
	buf_addstr(out, r->schema ? r->schema : "null");
	rec_close(&w);
}

static int put_record(struct db *db, struct buf *out, const struct recorded *r, char hash[HEX_SIZE], struct diag *d)
{
	struct buf live = BUF_INIT;
	struct rec w;

	rec_open(&w, out);
	rec_name(&w, "applied");
	int rc = put_applied(db, out, d);

	rec_cstr(&w, "dialect", db->ops->dialect);
	rec_name(&w, "estimates");
	if (rc == 0)
		rc = db->ops->estimates(db, out, d);
	if (rc == 0)
		rc = sql_live_hash(db, &live, hash, d);
	if (rc == 0) {
		rec_cstr(&w, "hash", hash);
		rec_cstr(&w, "kind", "schema");
		rec_raw(&w, "live", live.s, live.len);
		rec_name(&w, "recorded");
		put_recorded(out, r);
		rec_close(&w);
	}
	buf_release(&live);
	return rc;
}

int sql_schema(struct db *db, struct buf *out, char hash[HEX_SIZE], struct diag *d)
{
	struct recorded r;

	if (db->ops->begin(db, false, d) < 0)
		return -1;
	int rc = recorded_read(&r, db, d);

	if (rc == 0)
		rc = put_record(db, out, &r, hash, d);
	recorded_release(&r);
	db->ops->rollback(db);
	return rc;
}
