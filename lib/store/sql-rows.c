/* sql-rows.c -- see sql-rows.h */
#include "sql-rows.h"

#include "rowref.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void sql_rows_work_release(struct sql_rows_work *w)
{
	sql_kepts_release(&w->kept);
}

/* A batch at hand: its rows in groups, and of each what is there. */
struct batch {
	struct sql_rows_work *w;
	struct diag *d;
	const struct step *step;
	const struct row_ops *ops;
	struct row_work work;
	struct row_groups groups;
	struct row_group *g; /* the group at hand */
	enum row_need *need; /* of its rows; room for all of the batch */
	bool *there, *same;  /* of each row, by its place in the batch */
	size_t differs_at;   /* the first row that is there and not the same, */
	struct buf differs;  /* and in what: "title, price" */
};

static int open_batch(struct batch *b, struct sql_rows_work *w, size_t i, struct diag *d)
{
	const struct step *s = &w->plan->step[i];

	*b = (struct batch){ .w = w, .d = d, .step = s, .ops = row_ops_of(w->db) };
	b->work = (struct row_work){ .db = w->db, .doc = w->plan->doc, .d = d };
	b->need = xcalloc(s->rows.n, sizeof *b->need);
	b->there = xcalloc(s->rows.n, sizeof *b->there);
	b->same = xcalloc(s->rows.n, sizeof *b->same);
	w->tally = (struct rows_tally){ .added = 0 };
	sql_kepts_release(&w->kept);
	return row_groups_make(&b->groups, w->tables, w->db, w->plan->doc, &s->rows, d);
}

static void close_batch(struct batch *b)
{
	row_groups_release(&b->groups);
	row_work_release(&b->work);
	buf_release(&b->differs);
	free(b->need);
	free(b->there);
	free(b->same);
}

/* ---- looking ---- */

static void name_fields(struct batch *b, size_t place, const struct row_seen *seen)
{
	b->differs_at = place;
	for (size_t k = 0; k < b->g->nfield; k++)
		if (!seen->same[k])
			buf_addf(&b->differs, "%s%.*s", b->differs.len ? ", " : "", (int)b->g->field[k].name.n,
			         b->g->field[k].name.s);
}

static int take_seen(void *arg, size_t i, const struct row_seen *seen)
{
	struct batch *b = arg;
	size_t place = b->g->place[i];

	b->there[place] = seen->there;
	b->same[place] = seen->there;
	for (size_t k = 0; k < b->g->nfield && seen->there; k++)
		b->same[place] = b->same[place] && seen->same[k];
	if (seen->there && !b->same[place] && !b->differs.len)
		name_fields(b, place, seen);
	return 0;
}

static int look(struct batch *b, bool hold)
{
	buf_reset(&b->differs);
	for (size_t i = 0; i < b->groups.n; i++) {
		b->g = &b->groups.v[i];
		if ((hold && b->ops->hold(&b->work, b->g) < 0) || b->ops->look(&b->work, b->g, false, take_seen, b) < 0)
			return -1;
	}
	return 0;
}

/* What is wrong with the row, in words. */
static char *complaint(const struct batch *b, size_t place)
{
	if (b->step->rows.deletes)
		return xstrdup("is still there");
	if (!b->there[place])
		return xstrdup("is not there");
	return place == b->differs_at ? xasprintf("holds another value (%s)", b->differs.s)
	                              : xstrdup("holds another value");
}

/* Each row must be there and hold what the plan says or, where the step deletes, be gone. */
static int expect(struct batch *b, const char *rule, const char *said)
{
	for (size_t i = 0; i < b->groups.n; i++) {
		const struct row_group *g = &b->groups.v[i];

		for (size_t k = 0; k < g->n; k++) {
			size_t place = g->place[k];

			if (b->step->rows.deletes ? !b->there[place] : b->same[place])
				continue;
			struct row_action a = row_action_at(b->work.doc, g->action[k], &b->work.id);
			struct buf ref = BUF_INIT;
			char *is = complaint(b, place);

			rowref_write(&ref, a.entity, a.id);
			diag_add(b->d, MIG_INVALID, rule, ref.s, "the row %s, not as the plan %s", is, said);
			free(is);
			buf_release(&ref);
			return -1;
		}
	}
	return 0;
}

/* ---- keeping ---- */

static void add_id(struct buf *sql, struct text id)
{
	buf_addstr(sql, sql->len && sql->s[sql->len - 1] != '(' ? ", '" : "'");
	for (size_t i = 0; i < id.n; i++) {
		if (id.s[i] == '\'')
			buf_addch(sql, '\'');
		buf_addch(sql, id.s[i]);
	}
	buf_addch(sql, '\'');
}

/* "id" IN ('7', '8'): those rows of the groups from i on that have its table and, as b->there has it, are there. */
static char *which_rows(struct batch *b, size_t i, bool one_group)
{
	const struct row_table *table = b->groups.v[i].table;
	struct buf sql = BUF_INIT;
	bool any = false;

	db_name(&sql, table->key);
	buf_addstr(&sql, " IN (");
	for (size_t k = i; k < (one_group ? i + 1 : b->groups.n); k++) {
		const struct row_group *g = &b->groups.v[k];

		for (size_t r = 0; g->table == table && r < g->n; r++)
			if (b->there[g->place[r]]) {
				add_id(&sql, row_action_at(b->work.doc, g->action[r], &b->work.id).id);
				any = true;
			}
	}
	buf_addch(&sql, ')');
	if (any)
		return buf_steal(&sql);
	buf_release(&sql);
	return NULL;
}

/* Is i the first group of its table, or the only one? */
static bool is_first(const struct batch *b, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (b->groups.v[k].table == b->groups.v[i].table)
			return false;
	return true;
}

static bool is_only(const struct batch *b, size_t i)
{
	for (size_t k = i + 1; k < b->groups.n; k++)
		if (b->groups.v[k].table == b->groups.v[i].table)
			return false;
	return is_first(b, i);
}

/* The columns of a table that are written, borrowed; or those of a group. */
static struct sql_rows rows_of(const struct row_group *g, bool all)
{
	struct sql_rows r = { .table = g->table->name, .nkey = 1 };
	size_t room = all ? g->table->n : g->nfield;

	r.key = xcalloc(1, sizeof *r.key);
	r.key[0] = (char *)(uintptr_t)g->table->key;
	r.column = xcalloc(room, sizeof *r.column);
	for (size_t i = 0; all && i < room; i++)
		if (!g->table->column[i].generated)
			r.column[r.ncolumn++] = g->table->column[i].name;
	for (size_t i = all ? room : row_field_next(g, 0); i < g->nfield && !all; i = row_field_next(g, i + 1))
		r.column[r.ncolumn++] = g->field[i].column->name;
	return r;
}

static void rows_forget(struct sql_rows *r)
{
	free(r->key);
	free(r->column);
	free(r->where);
}

/* "batch-00001:posts" */
static char *backup_of(const struct batch *b, const struct row_group *g)
{
	return xasprintf("%.*s:%s", (int)b->step->rows.backup.n, b->step->rows.backup.s, g->table->name);
}

/* Keep what is there of one table: a file, unless nothing is. */
static int keep_table(struct batch *b, size_t i, unsigned number)
{
	const struct row_group *g = &b->groups.v[i];
	struct sql_rows rows = rows_of(g, true);
	struct sql_backup file = { .rows = 0 };
	int rc = 0;

	snprintf(file.name, sizeof file.name, "%.16s.%" PRId64 ".%u.ndjson", b->w->plan->hash, b->step->index, number);
	digest_hex("", 0, file.hash);
	if ((rows.where = which_rows(b, i, false)))
		rc = sql_backup_write(b->w->state, b->w->db, &rows, &file, false, b->d);
	rows_forget(&rows);
	if (rc == 0)
		sql_kepts_add(&b->w->kept, &file, backup_of(b, g));
	return rc;
}

static int keep(struct batch *b)
{
	unsigned number = 0;

	for (size_t i = 0; i < b->groups.n && !b->w->dry; i++)
		if (is_first(b, i) && keep_table(b, i, ++number) < 0)
			return -1;
	return 0;
}

/* ---- doing ---- */

static void count(struct batch *b, size_t place, enum row_need need)
{
	struct rows_tally *t = &b->w->tally;

	if (b->step->rows.deletes) {
		t->deleted += need == ROW_DELETE;
		t->absent += need != ROW_DELETE;
	} else {
		t->added += need == ROW_INSERT;
		t->changed += need == ROW_UPDATE;
		t->same += b->same[place];
	}
}

static int write_group(struct batch *b, struct row_group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		size_t place = g->place[i];

		if (b->step->rows.deletes)
			b->need[i] = b->there[place] ? ROW_DELETE : ROW_NOTHING;
		else
			b->need[i] = !b->there[place] ? ROW_INSERT : b->same[place] ? ROW_NOTHING : ROW_UPDATE;
		count(b, place, b->need[i]);
	}
	for (size_t k = 0; k < g->nfield; k++)
		b->w->tally.links += g->field[k].link ? (int64_t)g->n : 0;
	return b->ops->write(&b->work, g, b->need);
}

static bool any_there(const struct batch *b)
{
	for (size_t i = 0; i < b->step->rows.n; i++)
		if (b->there[i])
			return true;
	return false;
}

int sql_rows_do(struct sql_rows_work *w, size_t i, struct diag *d)
{
	struct batch b;
	int rc = open_batch(&b, w, i, d);

	if (rc == 0)
		rc = look(&b, false);
	/* what is there is held, and may have changed until then; what comes meanwhile is noticed as it is written */
	if (rc == 0 && any_there(&b))
		rc = look(&b, true);
	if (rc == 0)
		rc = keep(&b);
	for (size_t k = 0; k < b.groups.n && rc == 0; k++)
		rc = write_group(&b, &b.groups.v[k]);
	if (rc == 0 && (rc = look(&b, false)) == 0)
		rc = expect(&b, "not_as_planned", "has it");
	close_batch(&b);
	return rc;
}

int sql_rows_check(struct sql_rows_work *w, size_t i, struct diag *d)
{
	struct batch b;
	int rc = open_batch(&b, w, i, d);

	if (rc == 0 && (rc = look(&b, false)) == 0)
		rc = expect(&b, "drift", "left it");
	close_batch(&b);
	return rc;
}

/* ---- undoing ---- */

/* The ids that a backup holds, sorted. */
struct ids {
	char **v;
	size_t n, cap;
};

static void add_key(void *arg, struct text key)
{
	struct ids *x = arg;

	if (x->n == x->cap) {
		x->cap = x->cap ? x->cap * 2 : 64;
		x->v = xrealloc(x->v, x->cap, sizeof *x->v);
	}
	x->v[x->n++] = xmemdup(key.s ? key.s : "", key.n);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void ids_release(struct ids *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->v[i]);
	free(x->v);
}

/* b->there: was the row there before the batch? */
static int recall(struct batch *b, size_t first, const struct sql_backup *file)
{
	const struct row_table *table = b->groups.v[first].table;
	struct ids ids = { .v = NULL };
	int rc = sql_backup_keys(b->w->state, table->key, file, add_key, &ids, b->d);

	if (ids.n)
		qsort(ids.v, ids.n, sizeof *ids.v, by_text);
	for (size_t k = first; k < b->groups.n && rc == 0; k++) {
		const struct row_group *g = &b->groups.v[k];

		for (size_t i = 0; g->table == table && i < g->n; i++) {
			struct text id = row_action_at(b->work.doc, g->action[i], &b->work.id).id;
			char *key = xmemdup(id.s, id.n);

			b->there[g->place[i]] = ids.n && bsearch(&key, ids.v, ids.n, sizeof *ids.v, by_text);
			free(key);
		}
	}
	ids_release(&ids);
	return rc;
}

static const struct sql_backup *backup_for(struct batch *b, const struct row_group *g, const struct sql_kepts *kept)
{
	char *name = backup_of(b, g);
	const struct sql_backup *file = sql_kepts_find(kept, name);

	if (!file)
		diag_add(b->d, MIG_PRECONDITION, "backup_missing", name, "the ledger knows of no backup of its rows");
	free(name);
	return file;
}

/* Delete the rows that the batch has made. */
static int take_back(struct batch *b, const struct row_group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		bool was = b->there[g->place[i]];

		b->need[i] = was ? ROW_NOTHING : ROW_DELETE;
		b->w->tally.deleted += !was;
		b->w->tally.changed += was;
	}
	return b->ops->write(&b->work, g, b->need);
}

/* Put the rows of the backup back, as far as the group has written them; or only look whether they are. */
static int put_back(struct batch *b, size_t i, const struct sql_backup *file, bool only_look, int64_t *found)
{
	const struct row_group *g = &b->groups.v[i];
	bool deletes = b->step->rows.deletes;
	struct sql_rows rows = rows_of(g, deletes);
	int rc = 0;

	if (!deletes && !is_only(b, i))
		rows.where = which_rows(b, i, true);
	bool none = !deletes && !is_only(b, i) && !rows.where;

	if (!none && !only_look && rows.ncolumn)
		rc = sql_backup_restore(b->w->state, b->w->db, &rows, file, deletes ? RESTORE_INSERT : RESTORE_UPDATE,
		                        NULL, b->d);
	if (rc == 0 && !none)
		rc = sql_backup_restore(b->w->state, b->w->db, &rows, file, RESTORE_COMPARE, found, b->d);
	rows_forget(&rows);
	return rc;
}

/* All groups of one table, of which first is the first. */
static int undo_table(struct batch *b, size_t first, const struct sql_kepts *kept, bool only_look)
{
	const struct row_table *table = b->groups.v[first].table;
	const struct sql_backup *file = backup_for(b, &b->groups.v[first], kept);
	int64_t found = 0;

	if (!file || recall(b, first, file) < 0)
		return -1;
	for (size_t k = b->groups.n; k-- > first;) {
		const struct row_group *g = &b->groups.v[k];

		if (!only_look && g->table == table && !b->step->rows.deletes && take_back(b, g) < 0)
			return -1;
	}
	/* the rows of a deleted table have but one shape */
	for (size_t k = first; k < b->groups.n; k++)
		if (b->groups.v[k].table == table && put_back(b, k, file, only_look, &found) < 0)
			return -1;
	if (b->step->rows.deletes)
		b->w->tally.added += file->rows;
	return found == file->rows ? 0
	                           : diag_add(b->d, MIG_INVALID, "not_restored", table->name,
	                                      "%" PRId64 " of %" PRId64 " rows are not what the backup holds",
	                                      file->rows - found, file->rows);
}

/* What was not there before must be gone. */
static int expect_gone(struct batch *b)
{
	bool *was = xcalloc(b->step->rows.n, sizeof *was);
	size_t wrong = 0;

	memcpy(was, b->there, b->step->rows.n * sizeof *was);
	int rc = look(b, false);

	for (size_t i = 0; i < b->step->rows.n; i++)
		wrong += was[i] != b->there[i];
	free(was);
	if (rc < 0 || wrong == 0)
		return rc;
	return diag_add(b->d, MIG_INVALID, "not_restored", NULL, "%zu rows are not as they were before the batch",
	                wrong);
}

static int undo(struct sql_rows_work *w, size_t i, const struct sql_kepts *kept, bool only_look, struct diag *d)
{
	struct batch b;
	int rc = open_batch(&b, w, i, d);

	if (rc == 0 && !only_look && (rc = look(&b, true)) == 0)
		rc = expect(&b, "drift", "left it");
	for (size_t k = b.groups.n; k-- > 0 && rc == 0;)
		if (is_first(&b, k))
			rc = undo_table(&b, k, kept, only_look);
	if (rc == 0)
		rc = expect_gone(&b);
	close_batch(&b);
	return rc;
}

int sql_rows_undo(struct sql_rows_work *w, size_t i, const struct sql_kepts *kept, struct diag *d)
{
	return undo(w, i, kept, false, d);
}

int sql_rows_restored_at(struct sql_rows_work *w, size_t i, const struct sql_kepts *kept, struct diag *d)
{
	return undo(w, i, kept, true, d);
}

/* ---- showing ---- */

struct showing {
	struct batch *b;
	int (*each)(void *arg, size_t i, struct text there);
	void *arg;
	struct doc doc; /* of what is there */
	struct buf text, out;
};

/* A value of the row that is there, as the plan has members or links. */
static void add_actual(struct showing *s, const struct row_field *f, uint32_t entity)
{
	uint32_t t = doc_member(&s->doc, 0, f->column->name, strlen(f->column->name));
	struct rec w;
	size_t n;
	const char *span;

	if (!f->link) {
		canon_value(&s->out, &s->doc, t, DOC_NONE);
		return;
	}
	rec_open(&w, &s->out);
	span = doc_span(s->b->work.doc, entity, &n);
	rec_raw(&w, "entity", span, n);
	rec_name(&w, "ids");
	buf_addch(&s->out, '[');
	if (s->doc.tok[t].type == DOC_STRING)
		canon_value(&s->out, &s->doc, t, DOC_NONE);
	else if (s->doc.tok[t].type != DOC_NULL) {
		span = doc_span(&s->doc, t, &n);
		canon_string(&s->out, span, n);
	}
	buf_addch(&s->out, ']');
	rec_close(&w);
}

/* The object data or links of an action, each value as it is there. */
static void add_object(struct showing *s, uint32_t object, bool links, const struct row_seen *seen, size_t *field)
{
	const struct doc *plan = s->b->work.doc;
	struct doc_walk w;
	uint32_t key;
	bool any = false;

	buf_addch(&s->out, '{');
	if (object != DOC_NONE)
		for (doc_walk_init(&w, plan, object); (key = doc_walk_next(&w)); ++*field, any = true) {
			const struct row_field *f = &s->b->g->field[*field];

			buf_addstr(&s->out, any ? "," : "");
			canon_value(&s->out, plan, key, DOC_NONE);
			buf_addch(&s->out, ':');
			if (seen->same[*field])
				canon_value(&s->out, plan, key + 1, DOC_NONE);
			else
				add_actual(s, f, links ? doc_member(plan, key + 1, "entity", 6) : DOC_NONE);
		}
	buf_addch(&s->out, '}');
}

static int show_row(void *arg, size_t i, const struct row_seen *seen)
{
	struct showing *s = arg;
	struct batch *b = s->b;
	struct row_action a = row_action_at(b->work.doc, b->g->action[i], &b->work.id);
	size_t field = 0;

	if (!seen->there)
		return s->each(s->arg, b->g->place[i], (struct text){ NULL, 0 });
	buf_reset(&s->text);
	buf_add(&s->text, seen->actual.s ? seen->actual.s : "{}", seen->actual.s ? seen->actual.n : 2);
	if (doc_parse(&s->doc, s->text.s, s->text.len, RECORD_MAX_DEPTH) < 0)
		return diag_add(b->d, MIG_INVALID, "unreadable_row", b->g->table->name,
		                "a row cannot be shown as JSON: %s", s->doc.err.reason);
	buf_reset(&s->out);
	buf_addstr(&s->out, "{\"data\":");
	add_object(s, a.data, false, seen, &field);
	buf_addstr(&s->out, ",\"links\":");
	add_object(s, a.links, true, seen, &field);
	buf_addch(&s->out, '}');
	return s->each(s->arg, b->g->place[i], (struct text){ s->out.s, s->out.len });
}

int sql_rows_look(struct sql_rows_work *w, size_t i, int (*each)(void *arg, size_t i, struct text there), void *arg,
                  struct diag *d)
{
	struct batch b;
	struct showing s = { .b = &b, .each = each, .arg = arg, .doc = DOC_INIT };
	int rc = open_batch(&b, w, i, d);

	for (size_t k = 0; k < b.groups.n && rc == 0; k++) {
		b.g = &b.groups.v[k];
		rc = b.ops->look(&b.work, b.g, true, show_row, &s);
	}
	close_batch(&b);
	doc_release(&s.doc);
	buf_release(&s.text);
	buf_release(&s.out);
	return rc;
}
