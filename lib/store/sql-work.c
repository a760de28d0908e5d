/* sql-work.c -- see sql-work.h */
#include "sql-work.h"

#include "sql-count.h"
#include "sql-record.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t list_of(const struct sql_work *w, size_t i, const char *name)
{
	return doc_member(w->doc, w->step[i].tok, name, strlen(name));
}

bool sql_alone(const struct sql_work *w, size_t i)
{
	uint32_t t = list_of(w, i, "transaction");

	return t && w->doc->tok[t].type == DOC_FALSE;
}

size_t sql_statements(const struct sql_work *w, size_t i)
{
	uint32_t list = list_of(w, i, "actions");
	size_t n = 0;

	for (uint32_t t = list + 1; t < w->doc->tok[list].next; t = w->doc->tok[t].next)
		n += doc_says(w->doc, t, "op", "sql");
	return n;
}

/* What findings call the step: its step_id up to the "@". */
static char *object(const struct sql_work *w, size_t i)
{
	struct text id = w->step[i].step_id;
	const char *at = id.n ? memrchr(id.s, '@', id.n) : NULL;

	return xmemdup(id.n ? id.s : "", at ? (size_t)(at - id.s) : id.n);
}

bool sql_asks_live(const struct sql_work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		uint32_t list = list_of(w, i, "preconditions");

		for (uint32_t t = list + 1; t < w->doc->tok[list].next; t = w->doc->tok[t].next)
			if (doc_says(w->doc, t, "check", "schema"))
				return true;
	}
	return false;
}

int sql_work_ask(struct sql_work *w, const char *live, void (*bad)(void *arg, size_t i, const char *message), void *arg,
                 struct diag *d)
{
	int rc = 0;

	for (size_t i = 0; i < w->n; i++) {
		char *where = object(w, i);

		w->at = i;
		if (sql_check(w->db, w->doc, list_of(w, i, "preconditions"), where, live, d) < 0) {
			if (bad)
				bad(arg, i, d->list[d->n - 1].message);
			rc = -1;
		}
		free(where);
		if (rc < 0 && w->db->ops->trouble(w->db) != DB_FINE)
			break;
	}
	return rc;
}

/* 81c2..7f.3.ndjson, and 81c2..7f.3.2.ndjson for the second one of that step */
static void backup_name(char name[48], const char *hash, size_t index, unsigned which)
{
	if (which == 1)
		snprintf(name, 48, "%.16s.%zu.ndjson", hash, index);
	else
		snprintf(name, 48, "%.16s.%zu.%u.ndjson", hash, index, which);
}

/* {"columns":["id","name"],"key":["id"],"name":"users.name","op":"backup","table":"users"} */
static int back_up(struct sql_work *w, size_t i, uint32_t action, unsigned which, struct diag *d)
{
	struct sql_backup b = { .rows = 0 };
	struct sql_rows rows;

	sql_rows_read(&rows, w->doc, action);
	backup_name(b.name, w->hash, i + 1, which);
	int rc = sql_backup_write(w->state, w->db, &rows, &b, w->dry, d);

	sql_rows_release(&rows);
	if (rc == 0 && !w->dry)
		sql_kepts_add(&w->kept, &b, record_dup(w->doc, doc_member(w->doc, action, "name", 4)));
	return rc;
}

/* The backup that the step's counterpart made under that name; NULL if it made none. */
static const struct sql_backup *find_kept(const struct sql_work *w, size_t i, const char *name)
{
	char prefix[48];

	backup_name(prefix, w->undoes ? w->undoes : "", w->n - i, 1);
	size_t n = strlen(prefix) - strlen("ndjson");

	for (size_t k = 0; k < w->known.n; k++)
		if (strncmp(w->known.v[k].file.name, prefix, n) == 0 && strcmp(w->known.v[k].name, name) == 0)
			return &w->known.v[k].file;
	return NULL;
}

static int restore(struct sql_work *w, size_t i, uint32_t action, struct diag *d)
{
	char *name = record_dup(w->doc, doc_member(w->doc, action, "name", 4));
	const struct sql_backup *b = find_kept(w, i, name);
	struct sql_rows rows;
	int rc;

	sql_rows_read(&rows, w->doc, action);
	if (!b)
		rc = diag_add(d, MIG_PRECONDITION, "backup_missing", name, "the ledger knows of no backup of its rows");
	else
		rc = sql_backup_restore(w->state, w->db, &rows, b,
		                        strcmp(name, rows.table) == 0 ? RESTORE_INSERT : RESTORE_UPDATE, NULL, d);
	sql_rows_release(&rows);
	free(name);
	return rc;
}

static int execute(struct sql_work *w, uint32_t action, struct diag *d)
{
	char *sql = record_dup(w->doc, doc_member(w->doc, action, "sql", 3));
	int rc = w->db->ops->exec(w->db, (struct text){ sql, strlen(sql) }, d);

	free(sql);
	return rc;
}

static int act(struct sql_work *w, size_t i, uint32_t action, unsigned *backups, struct diag *d)
{
	if (w->stop && w->stop())
		return diag_add(d, MIG_ERROR, "interrupted", NULL, "stopped by a signal");
	if (doc_says(w->doc, action, "op", "sql"))
		return execute(w, action, d);
	if (doc_says(w->doc, action, "op", "backup"))
		return back_up(w, i, action, ++*backups, d);
	if (doc_says(w->doc, action, "op", "restore"))
		return restore(w, i, action, d);
	if (doc_says(w->doc, action, "op", "record"))
		return sql_record(w->db, w->doc, action, w->time, &w->from, &w->to, d);
	if (doc_says(w->doc, action, "op", "unrecord")) {
		w->unrecorded = true;
		return sql_unrecord(w->db, w->doc, action, w->time, &w->from, &w->to, d);
	}
	return diag_add(d, MIG_INVALID, "bad_plan", NULL, "an action that this store does not know");
}

int sql_work_step(struct sql_work *w, size_t i, struct diag *d)
{
	uint32_t list = list_of(w, i, "actions");
	unsigned backups = 0;

	w->at = i;
	for (uint32_t t = list + 1; t < w->doc->tok[list].next; t = w->doc->tok[t].next) {
		size_t before = d->n;

		if (act(w, i, t, &backups, d) < 0) {
			/* which step it was is worth more than which database */
			if (d->n > before && d->list[before].where && strcmp(d->list[before].where, w->db->name) == 0) {
				free(d->list[before].where);
				d->list[before].where = object(w, i);
			}
			return -1;
		}
	}
	return 0;
}

int sql_work_after(struct sql_work *w, size_t i, struct diag *d)
{
	char *where = object(w, i);
	int rc = sql_check(w->db, w->doc, list_of(w, i, "postconditions"), where, NULL, d);

	w->at = i;
	free(where);
	return rc;
}

int sql_work_do(struct sql_work *w, struct diag *d)
{
	struct counts_of counts = COUNTS_OF_INIT;
	int rc = sql_count_before(&counts, w->db, w->step, w->n, d);

	for (size_t i = 0; i < w->n && rc == 0; i++)
		if (!sql_alone(w, i))
			rc = sql_work_step(w, i, d);
	if (rc == 0)
		rc = w->db->ops->orphans(w->db, d);
	if (rc == 0)
		rc = sql_count_after(&counts, w->db, d);
	for (size_t i = 0; i < w->n && rc == 0; i++)
		if (!sql_alone(w, i))
			rc = sql_work_after(w, i, d);
	if (rc == 0 && w->unrecorded)
		rc = sql_refresh(w->db, w->to, d);
	counts_of_release(&counts);
	return rc;
}
