/* report-sql.c -- see report-sql.h */
#include "report-sql.h"

#include "redact.h"
#include "shown.h"

#include <inttypes.h>
#include <stdlib.h>

void sql_view_init(struct sql_view *v)
{
	*v = (struct sql_view){ .dialect = NULL };
}

void sql_view_release(struct sql_view *v)
{
	free(v->dialect);
	for (int i = 0; i < SQL_NSEVERITIES; i++)
		page_release(&v->shown[i]);
	page_release(&v->steps);
	buf_release(&v->json_findings);
	buf_release(&v->json_steps);
}

static void next_element(struct buf *b)
{
	if (b->len)
		buf_addch(b, ',');
}

/* "drop_column  orders.phone: its values are dropped, about 80 rows" */
static void show_finding(struct sql_view *v, const struct plan *p, const struct step *s, uint32_t t)
{
	struct sqlfinding f;
	struct rec w;

	sqlfinding_get(&f, p->doc, t);
	char *object = shown_text(s->ref), *message = shown_member(p->doc, t, "message"), *id = shown_text(s->step_id);
	char *rows = f.counted ? xasprintf(", about %" PRId64 " row%s", f.rows, f.rows == 1 ? "" : "s") : xstrdup("");
	char *label = xasprintf("%-9s %.*s ", f.severity == SQL_CRITICAL ? "CRITICAL" : sqlseverity_name(f.severity),
	                        (int)f.rule.n, f.rule.s);
	char *text = xasprintf("%s: %s%s", object, message ? message : "", rows);

	v->findings[f.severity]++;
	v->let_go += sqlrule_destroys(f.rule) && !sqlfinding_destroys(&f);
	page_block(&v->shown[f.severity], 0, label, text, strlen(text));
	next_element(&v->json_findings);
	rec_open(&w, &v->json_findings);
	rec_cstr(&w, "message", message);
	if (f.counted)
		rec_int(&w, "rows", f.rows);
	else
		rec_null(&w, "rows");
	rec_str(&w, "rule_id", f.rule);
	rec_cstr(&w, "severity", sqlseverity_name(f.severity));
	rec_cstr(&w, "step_id", id);
	rec_close(&w);
	free(object);
	free(message);
	free(id);
	free(rows);
	free(label);
	free(text);
}

/* A member of obj as a block behind its label. */
static void put_member(struct page *p, const char *label, const struct doc *d, uint32_t obj, const char *name)
{
	char *s = record_dup(d, doc_member(d, obj, name, strlen(name)));

	if (s)
		page_block(p, 1, label, s, strlen(s));
	free(s);
}

static bool is_op(const struct doc *d, uint32_t a, const char *op)
{
	return doc_equals(d, doc_member(d, a, "op", 2), op, strlen(op));
}

static void show_checks(struct page *p, const struct doc *d, uint32_t list, const char *label)
{
	for (uint32_t c = list + 1; c < d->tok[list].next; c = d->tok[c].next)
		if (doc_member(d, c, "sql", 3)) {
			put_member(p, label, d, c, "sql");
			put_member(p, "          else ", d, c, "message");
		}
}

/* "record version 2, checksum 34a0..", "unrecord 1.0.0 to 1.1.0" */
static void show_record(struct page *p, const char *label, const struct doc *d, uint32_t a)
{
	char *op = shown_member(d, a, "op"), *sum = shown_member(d, a, "checksum");
	char *from = shown_member(d, a, "from"), *to = shown_member(d, a, "to");

	char *version = from ? xasprintf("%s to %s", from, to)
	                     : xasprintf("version %" PRId64, int_member(d, a, "history_version"));
	char *text = xasprintf("%s %s%s%s", op, version, sum ? ", checksum " : "", sum ? sum : "");

	page_block(p, 1, label, text, strlen(text));
	free(version);
	free(text);
	free(op);
	free(sum);
	free(from);
	free(to);
}

static void show_rows(struct page *p, const char *label, const char *verb, const struct doc *d, uint32_t a)
{
	char *name = shown_member(d, a, "name");

	page_line(p, 1, "%s%s the rows of %s%s", label, verb, name, doc_member(d, a, "where", 5) ? " where" : "");
	if (doc_member(d, a, "where", 5))
		put_member(p, label, d, a, "where");
	free(name);
}

static void show_actions(struct page *p, const struct doc *d, uint32_t list, const char *label)
{
	for (uint32_t a = list + 1; a < d->tok[list].next; a = d->tok[a].next) {
		if (is_op(d, a, "sql"))
			put_member(p, label, d, a, "sql");
		else if (is_op(d, a, "backup"))
			show_rows(p, label, "keep", d, a);
		else if (is_op(d, a, "restore"))
			show_rows(p, label, "restore", d, a);
		else
			show_record(p, label, d, a);
	}
}

static void show_step(struct page *page, const struct plan *p, const struct step *s, const struct step *undo)
{
	page_block(page, 0, "", s->step_id.s, s->step_id.n);
	char *label = xasprintf("%s%s: ", step_type_name(s->type), s->outside ? ", outside of the transaction" : "");

	page_block(page, 1, label, s->description.s, s->description.n);
	free(label);
	show_checks(page, p->doc, s->pre, "ask       ");
	show_actions(page, p->doc, s->actions, "do        ");
	show_checks(page, p->doc, s->post, "expect    ");
	if (!s->reversible)
		page_line(page, 1, "NO WAY BACK: %.*s", (int)(undo ? undo : s)->note.n, (undo ? undo : s)->note.s);
	if (undo)
		show_actions(page, p->doc, undo->actions, "back      ");
}

static void texts_json(struct rec *w, const char *name, const struct doc *d, uint32_t list)
{
	bool any = false;

	rec_name(w, name);
	buf_addch(w->b, '[');
	for (uint32_t a = list + 1; list && a < d->tok[list].next; a = d->tok[a].next) {
		if (!is_op(d, a, "sql"))
			continue;
		/* a statement is as secret on a page as in a message */
		char *sql = record_dup(d, doc_member(d, a, "sql", 3));
		struct buf safe = BUF_INIT;

		buf_reserve(&safe, 0);
		redact_text(&safe, sql, strlen(sql));
		if (any)
			buf_addch(w->b, ',');
		any = true;
		canon_string(w->b, safe.s, safe.len);
		buf_release(&safe);
		free(sql);
	}
	buf_addch(w->b, ']');
}

static void step_json(struct buf *out, const struct plan *p, const struct step *s, const struct step *undo)
{
	char *id = shown_text(s->step_id), *description = shown_text(s->description);
	struct rec w;

	next_element(out);
	rec_open(&w, out);
	texts_json(&w, "back", p->doc, undo ? undo->actions : DOC_NONE);
	rec_cstr(&w, "description", description);
	rec_bool(&w, "outside", s->outside);
	rec_bool(&w, "reversible", s->reversible);
	texts_json(&w, "sql", p->doc, s->actions);
	rec_cstr(&w, "step_id", id);
	rec_cstr(&w, "type", step_type_name(s->type));
	rec_close(&w);
	free(id);
	free(description);
}

void sql_view_add(struct sql_view *v, const struct plan *p)
{
	if (!v->dialect)
		v->dialect = shown_text(p->dialect);
	for (size_t i = 0; i < p->nstep; i++) {
		const struct step *s = &p->step[i], *undo = p->rollback_mode ? NULL : &p->undo[p->nundo - 1 - i];

		for (uint32_t t = s->findings + 1; t < p->doc->tok[s->findings].next; t = p->doc->tok[t].next)
			show_finding(v, p, s, t);
		show_step(&v->steps, p, s, undo);
		step_json(&v->json_steps, p, s, undo);
	}
}

void sql_view_page(const struct sql_view *v, struct page *p)
{
	const uint64_t *n = v->findings;
	static const enum sqlseverity order[] = { SQL_CRITICAL, SQL_REVIEW, SQL_WARNING, SQL_SAFE };

	page_heading(p,
	             "FINDINGS %" PRIu64 " critical, %" PRIu64 " for review, %" PRIu64 " warning%s, %" PRIu64 " safe",
	             n[SQL_CRITICAL], n[SQL_REVIEW], n[SQL_WARNING], n[SQL_WARNING] == 1 ? "" : "s", n[SQL_SAFE]);
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		page_append(p, &v->shown[order[i]]);
	page_heading(p, "STEPS in order");
	page_append(p, &v->steps);
}

void sql_view_json(const struct sql_view *v, struct buf *out)
{
	struct rec w;

	rec_open(&w, out);
	rec_cstr(&w, "dialect", v->dialect);
	rec_name(&w, "findings");
	buf_addch(out, '[');
	buf_add(out, v->json_findings.s, v->json_findings.len);
	buf_addch(out, ']');
	sqlseverity_counts(&w, v->findings);
	rec_name(&w, "steps");
	buf_addch(out, '[');
	buf_add(out, v->json_steps.s, v->json_steps.len);
	buf_addch(out, ']');
	rec_close(&w);
}
