/* verify-sql.c -- see verify-sql.h */
#include "verify-sql.h"

#include "drift.h"
#include "model.h"
#include "sql-check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint32_t member(const struct doc *d, uint32_t obj, const char *name)
{
	return doc_member(d, obj, name, strlen(name));
}

struct comparing {
	struct complaints *found;
	char **name; /* of what is managed, in order */
	size_t n;
};

static int by_string(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of the model's tables and views, borrowed. */
static void manage(struct comparing *c, const struct model *m)
{
	size_t n = m->ntable;

	for (size_t i = 0; i < m->ntable; i++)
		n += m->table[i].nview;
	c->name = xcalloc(n, sizeof *c->name);
	for (size_t i = 0; i < m->ntable; i++) {
		c->name[c->n++] = m->table[i].name;
		for (size_t k = 0; k < m->table[i].nview; k++)
			c->name[c->n++] = m->table[i].view[k].name;
	}
	if (c->n)
		qsort(c->name, c->n, sizeof *c->name, by_string);
}

static bool managed(void *arg, const char *name)
{
	const struct comparing *c = arg;

	return c->n && bsearch(&name, c->name, c->n, sizeof *c->name, by_string);
}

static void complain_drift(void *arg, const struct drift *x)
{
	struct comparing *c = arg;
	struct buf message = BUF_INIT;

	drift_message(&message, x);
	complain(c->found, &(struct complaint){ .rule = "drift",
	                                        .ref = x->where,
	                                        .message = message.s,
	                                        .expected = x->expected ? x->expected : "nothing",
	                                        .actual = x->actual ? x->actual : "nothing" });
	buf_release(&message);
}

static int check_drift(struct db *db, const struct recorded *r, const struct model *m, struct complaints *found,
                       struct diag *d)
{
	struct comparing c = { .found = found };
	struct buf live = BUF_INIT, was = BUF_INIT;
	struct doc is_doc = DOC_INIT, was_doc = DOC_INIT;
	int rc = db->ops->live(db, &live, d);

	buf_addstr(&was, r->live);
	if (rc == 0 && (doc_parse(&is_doc, live.s, live.len, RECORD_MAX_DEPTH) < 0 ||
	                doc_parse(&was_doc, was.s, was.len, RECORD_MAX_DEPTH) < 0))
		rc = diag_add(d, MIG_ERROR, "internal", NULL, "what the database holds does not read back");
	if (rc == 0) {
		manage(&c, m);
		drift_compare(&was_doc, 0, &is_doc, 0, managed, complain_drift, &c);
	}
	free(c.name);
	doc_release(&is_doc);
	doc_release(&was_doc);
	buf_release(&live);
	buf_release(&was);
	return rc;
}

static void tampered(struct complaints *found, const char *expected, const char *actual)
{
	complain(found,
	         &(struct complaint){ .rule = "tampered",
	                              .ref = "schema",
	                              .message = "checksum mismatch: schema drift detected: the recorded schema is "
	                                         "not the one that was recorded",
	                              .expected = expected,
	                              .actual = actual });
}

static int check_recorded(struct db *db, const struct recorded *r, struct complaints *found, struct diag *d)
{
	struct diag unseen = DIAG_INIT;
	struct doc doc = DOC_INIT;
	struct buf text = BUF_INIT;
	struct model *m = NULL;
	int rc = 0;

	buf_addstr(&text, r->schema ? r->schema : "null");
	if (doc_parse(&doc, text.s, text.len, RECORD_MAX_DEPTH) == 0 && doc.tok[0].type == DOC_OBJECT)
		m = model_read(&doc, 0, strcmp(db->ops->dialect, "sqlite") == 0 ? DIALECT_SQLITE : DIALECT_POSTGRESQL,
		               "schema", &unseen);
	if (!m)
		tampered(found, r->checksum, "not a schema");
	else if (strcmp(m->checksum, r->checksum) != 0)
		tampered(found, r->checksum, m->checksum);
	else if (r->live)
		rc = check_drift(db, r, m, found, d);
	model_free(m);
	diag_release(&unseen);
	doc_release(&doc);
	buf_release(&text);
	return rc;
}

int verify_sql_drift(struct db *db, struct complaints *found, struct diag *d)
{
	struct recorded r;
	int rc = recorded_read(&r, db, d);

	if (rc == 0 && r.version)
		rc = check_recorded(db, &r, found, d);
	recorded_release(&r);
	return rc;
}

static void not_applied(struct complaints *found, const struct plan *p, const char *rule, const char *actual)
{
	const char *expected = p->rollback_mode ? "rolled back" : "applied";
	char *message = strcmp(actual, "not applied") == 0 ? xstrdup("the plan is not applied")
	                                                   : xasprintf("the plan is not %s: %s", expected, actual);

	complain(found,
	         &(struct complaint){
			 .rule = rule, .ref = p->hash, .message = message, .expected = expected, .actual = actual });
	free(message);
}

/* Is the plan the one that the database is in the state of?  *as_planned; complaints where it is not even applied. */
static int check_ledger(struct db *db, const struct plan *p, struct complaints *found, bool *as_planned, struct diag *d)
{
	char event[16], about[HEX_SIZE];
	struct text of = p->rollback_mode ? p->undoes : (struct text){ p->hash, HEX_LEN };

	snprintf(about, sizeof about, "%.*s", (int)of.n, of.s);
	int rc = sql_ledger_last(db, about, NULL, event, d);

	*as_planned = false;
	if (rc < 0)
		return -1;
	bool undone = rc && strcmp(event, "rollback") == 0;

	if (rc == 0)
		not_applied(found, p, "not_applied", p->rollback_mode ? "never applied" : "not applied");
	else if (strcmp(event, "begin") == 0)
		not_applied(found, p, "unfinished", "begun, and not finished");
	else if (undone != p->rollback_mode)
		not_applied(found, p, "not_applied", undone ? "rolled back" : "applied");
	else
		*as_planned = true;
	return 0;
}

/* The version that the plan records; 0: none. */
static int64_t version_of(const struct plan *p, char **checksum)
{
	int64_t version = 0;

	for (size_t i = 0; i < p->nstep; i++) {
		uint32_t list = member(p->doc, p->step[i].tok, "actions");

		for (uint32_t t = list + 1; t < p->doc->tok[list].next; t = p->doc->tok[t].next) {
			uint32_t v = member(p->doc, t, "history_version");

			if (!v || !doc_int(p->doc, v, &version))
				continue;
			free(*checksum);
			*checksum = record_dup(p->doc, member(p->doc, t, "checksum"));
		}
	}
	return version;
}

static int check_history(struct db *db, const struct plan *p, int64_t n, const char *checksum, struct complaints *found,
                         struct diag *d)
{
	char version[24];
	struct buf is = BUF_INIT;

	snprintf(version, sizeof version, "%" PRId64, n);
	const struct db_value v = db_text(version);
	char *sql = xasprintf("SELECT checksum FROM %s WHERE version = $1 AND rolled_back_at IS NULL",
	                      db->ops->names.history);
	int rc = db_one(db, sql, &v, 1, &is, d);

	if (rc == 0 || (rc == 1 && (!checksum || strcmp(is.s, checksum) != 0)))
		complain(found, &(struct complaint){ .rule = "history",
		                                     .ref = p->hash,
		                                     .message = "the history has not the version that the plan "
		                                                "recorded",
		                                     .expected = checksum,
		                                     .actual = rc ? is.s : "nothing" });
	free(sql);
	buf_release(&is);
	return rc < 0 ? -1 : 0;
}

/* Did no other plan come after it?  1, 0, -1. */
static int is_newest(struct db *db, const struct plan *p, struct diag *d)
{
	struct buf last = BUF_INIT;
	char *sql = xasprintf(
		"SELECT plan_hash FROM %s WHERE entry LIKE '%%\"event\":\"commit\"%%' "
		"OR entry LIKE '%%\"event\":\"rollback\"%%' ORDER BY seq DESC LIMIT 1",
		db->ops->names.ledger);
	int rc = db_one(db, sql, NULL, 0, &last, d);

	rc = rc == 1 ? strcmp(last.s, p->hash) == 0 : rc;
	free(sql);
	buf_release(&last);
	return rc;
}

/* What the plan wanted to find when it was done. */
static int check_after(struct db *db, const struct plan *p, struct complaints *found, struct diag *d)
{
	for (size_t i = 0; i < p->nstep; i++) {
		struct diag own = DIAG_INIT;
		int rc = sql_check(db, p->doc, member(p->doc, p->step[i].tok, "postconditions"), "postcondition", NULL,
		                   &own);

		for (size_t k = 0; k < own.n; k++) {
			const struct finding *f = &own.list[k];

			if (f->exit == MIG_INVALID)
				complain(found, &(struct complaint){
							.rule = "drift", .ref = f->where, .message = f->message });
			else
				diag_add(d, f->exit, f->rule, f->where, "%s", f->message);
		}
		diag_release(&own);
		if (rc < 0 && db->ops->trouble(db) != DB_FINE)
			return -1;
	}
	return 0;
}

int verify_sql_plan(struct db *db, const struct plan *p, struct complaints *found, struct diag *d)
{
	bool as_planned;
	char *checksum = NULL;

	if (check_ledger(db, p, found, &as_planned, d) < 0)
		return -1;
	if (!as_planned)
		return 0;
	int64_t version = p->rollback_mode ? 0 : version_of(p, &checksum);
	int rc = version ? check_history(db, p, version, checksum, found, d) : 0;
	int newest = rc < 0 ? -1 : is_newest(db, p, d);

	if (newest == 1)
		rc = check_after(db, p, found, d);
	if (newest == 1 && rc == 0 && (version || p->rollback_mode))
		rc = verify_sql_drift(db, found, d);
	free(checksum);
	return newest < 0 ? -1 : rc;
}
