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

/* The hand-written hops that are applied: those of plans committed and not rolled back. */
struct hop {
	char plan_hash[HEX_SIZE];
	char *json; /* the object of "applied" */
};

struct applied {
	struct db *db;
	struct diag *d;
	struct doc plan;
	struct hop *hop;
	size_t n;
};

static char *string(const struct doc *e, uint32_t obj, const char *name)
{
	return record_dup(e, doc_member(e, obj, name, strlen(name)));
}

/* {"checksum":..,"from":..,"normalised":..,"op":"record","to":..} */
static void add_hop(struct applied *a, uint32_t action, const char *migration, const char *plan_hash)
{
	const struct doc *p = &a->plan;
	char *checksum = string(p, action, "checksum"), *from = string(p, action, "from"),
	     *normalised = string(p, action, "normalised"), *to = string(p, action, "to");
	struct buf json = BUF_INIT;
	struct rec w;

	rec_open(&w, &json);
	rec_cstr(&w, "checksum", checksum);
	rec_cstr(&w, "from", from);
	rec_cstr(&w, "migration_id", migration);
	rec_cstr(&w, "normalised", normalised);
	rec_cstr(&w, "plan_hash", plan_hash);
	rec_cstr(&w, "to", to);
	rec_close(&w);
	a->hop = xrealloc(a->hop, a->n + 1, sizeof *a->hop);
	snprintf(a->hop[a->n].plan_hash, HEX_SIZE, "%s", plan_hash);
	a->hop[a->n++].json = buf_steal(&json);
	free(checksum);
	free(from);
	free(normalised);
	free(to);
}

static void add_hops(struct applied *a, const char *plan_hash)
{
	const struct doc *p = &a->plan;
	uint32_t steps = doc_member(p, 0, "steps", 5);
	char *migration = string(p, doc_member(p, 0, "header", 6), "migration_id");

	for (uint32_t s = steps + 1; steps && s < p->tok[steps].next; s = p->tok[s].next) {
		uint32_t list = doc_member(p, s, "actions", 7);

		for (uint32_t t = list + 1; list && t < p->tok[list].next; t = p->tok[t].next)
			if (doc_says(p, t, "op", "record") && doc_member(p, t, "normalised", 10))
				add_hop(a, t, migration, plan_hash);
	}
	free(migration);
}

static void take_back(struct applied *a, const char *plan_hash)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->hop[i].plan_hash, plan_hash) == 0)
			free(a->hop[i].json);
		else
			a->hop[kept++] = a->hop[i];
	}
	a->n = kept;
}

static int follow(void *arg, const struct doc *e)
{
	struct applied *a = arg;
	char *hash = string(e, 0, "plan_hash"), *undoes = string(e, 0, "undoes");
	struct buf text = BUF_INIT;
	int rc = 0;

	if (doc_says(e, 0, "event", "commit") && hash && (rc = sql_ledger_get_plan(a->db, hash, &text, a->d)) == 1) {
		take_back(a, hash);
		if (doc_parse(&a->plan, text.s, text.len, RECORD_MAX_DEPTH) == 0)
			add_hops(a, hash);
	} else if (doc_says(e, 0, "event", "rollback") && undoes) {
		take_back(a, undoes);
	}
	buf_release(&text);
	free(hash);
	free(undoes);
	return rc < 0 ? -1 : 0;
}

static int put_applied(struct db *db, struct buf *out, struct diag *d)
{
	struct applied a = { .db = db, .d = d, .plan = DOC_INIT };
	char head[HEX_SIZE];
	int64_t seq;
	int fd = sql_ledger_file(db, d), rc = fd < 0 ? -1 : ledger_walk(fd, follow, &a, &seq, head, d);

	buf_addch(out, '[');
	for (size_t i = 0; i < a.n; i++) {
		if (i)
			buf_addch(out, ',');
		buf_addstr(out, a.hop[i].json);
		free(a.hop[i].json);
	}
	buf_addch(out, ']');
	free(a.hop);
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
