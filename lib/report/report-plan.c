/* report-plan.c -- see report-plan.h */
#include "report-plan.h"

#include "breaking.h"
#include "shown.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MAX_TEXTS = 256 };

/* How much of each list a page holds; the tight row is for pages that would leave no room for the changes. */
struct caps {
	size_t codes, examples, destroys, forever, levers, notes, hashes;
};
static const struct caps wide = { 5, 1, NAMED_DESTRUCTIVE, NAMED_IRREVERSIBLE, 3, 3, NAMED_HASHES };
static const struct caps tight = { 2, 0, 1, 3, 1, 1, 1 };

enum { CHANGES_WIDE = 16, CHANGES_LEAST = 8 };

void plan_view_init(struct plan_view *v)
{
	*v = (struct plan_view){ .plans = 0 };
	kinds_init(&v->kinds);
	rows_view_init(&v->rows);
	sql_view_init(&v->sql);
	descriptor_view_init(&v->descriptor);
	counts_init(&v->stamps, MAX_TEXTS);
	counts_init(&v->backups, MAX_TEXTS);
	counts_init(&v->levers, MAX_TEXTS);
	counts_init(&v->notes, MAX_TEXTS);
}

static void free_list(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
}

void plan_view_release(struct plan_view *v)
{
	header_release(&v->header);
	kinds_release(&v->kinds);
	rows_view_release(&v->rows);
	sql_view_release(&v->sql);
	descriptor_view_release(&v->descriptor);
	counts_release(&v->stamps);
	counts_release(&v->backups);
	counts_release(&v->levers);
	counts_release(&v->notes);
	free_list(v->destroys, NAMED_DESTRUCTIVE);
	free_list(v->forever, NAMED_IRREVERSIBLE);
	free_list(v->hash, NAMED_HASHES);
	free(v->grant.actor);
	free(v->grant.ticket);
	free(v->grant.issued_at);
	free(v->grant.env);
	buf_release(&v->grant.rules);
	page_release(&v->grant.waivers);
}

static void count_text(struct counts *c, struct text t)
{
	char *s = shown_text(t);

	if (s && *s)
		counts_add(c, s, strlen(s));
	free(s);
}

/* What a rollback entry warns of, be it in a forward plan's list or a step of a rollback plan. */
static void add_entry(struct plan_view *v, const struct plan *p, const struct step *s)
{
	struct buf b = BUF_INIT;

	for (uint32_t t = s->levers + 1; t < p->doc->tok[s->levers].next; t = p->doc->tok[t].next) {
		if (p->doc->tok[t].type != DOC_STRING)
			continue;
		buf_reset(&b);
		doc_string(p->doc, t, &b);
		count_text(&v->levers, (struct text){ b.s, b.len });
	}
	count_text(&v->notes, s->note);
	if (!s->reversible && v->irreversible++ < NAMED_IRREVERSIBLE) {
		char *id = shown_text(s->step_id), *note = shown_text(s->note);

		v->forever[v->irreversible - 1] = xasprintf("%s%s%s", id, note && *note ? ": " : "", note ? note : "");
		free(id);
		free(note);
	}
	buf_release(&b);
}

static void add_batch(struct plan_view *v, const struct plan *p, const struct step *s)
{
	if (!v->rows.any)
		rows_view_begin(&v->rows, p->doc, &p->rows);
	rows_view_add(&v->rows, p->doc, &s->rows);
}

static void add_document(struct plan_view *v, const struct plan *p, size_t i)
{
	const struct step *s = &p->step[i];
	const char *type = step_type_name(s->type);
	struct change c = { .doc = p->doc, .ref = s->ref, .type = { type, strlen(type) } };

	v->major += !p->rollback_mode && breaking_major(s);
	if (p->rollback_mode) {
		c.from = s->to_version;
		c.to = s->from_version;
		c.patch = s->undo;
	} else {
		c.from = s->from_version;
		c.to = s->to_version;
		c.patch = s->patch;
		c.undo = p->undo[p->nundo - 1 - i].undo;
	}
	kinds_add(&v->kinds, &c);
	if (s->stamp_entry)
		count_text(&v->stamps, s->without);
	count_text(&v->backups, s->backup_suffix);
}

static void add_step(struct plan_view *v, const struct plan *p, size_t i)
{
	const struct step *s = &p->step[i];

	if (s->rows.any)
		add_batch(v, p, s);
	else if (!plan_of_sql(p) && !plan_of_descriptor(p))
		add_document(v, p, i);
	if (step_destroys(p, s) && v->destructive++ < NAMED_DESTRUCTIVE)
		v->destroys[v->destructive - 1] = shown_text(s->step_id);
}

int plan_view_add(struct plan_view *v, const struct plan *p, const char *where, struct diag *d)
{
	if (header_add(&v->header, p->doc, doc_member(p->doc, p->root, "header", 6), where, d) < 0)
		return -1;
	if (v->plans++ < NAMED_HASHES)
		v->hash[v->plans - 1] = xstrdup(p->hash);
	v->steps += p->nstep;
	v->entries += p->nundo;
	if (plan_of_sql(p))
		sql_view_add(&v->sql, p);
	else if (plan_of_descriptor(p))
		descriptor_view_add(&v->descriptor, p);
	for (size_t i = 0; i < p->nstep; i++)
		add_step(v, p, i);
	/* a forward plan's entries are in reverse: the first step's is the last */
	for (size_t i = p->nundo; i-- > 0;)
		add_entry(v, p, &p->undo[i]);
	for (size_t i = 0; p->rollback_mode && i < p->nstep; i++)
		add_entry(v, p, &p->step[i]);
	return 0;
}

/* "waived    lock_taking: measured, 2 s" */
static void show_waivers(struct plan_view *v, const struct grant *g)
{
	struct buf b = BUF_INIT;
	struct doc d = DOC_INIT;

	if (g->waivers.s)
		buf_add(&b, g->waivers.s, g->waivers.n);
	if (b.s && doc_parse(&d, b.s, b.len, RECORD_MAX_DEPTH) == 0)
		for (uint32_t t = 1; t < d.tok[0].next; t = d.tok[t].next) {
			char *rule = shown_member(&d, t, "rule_id"), *reason = shown_member(&d, t, "reason");

			page_line(&v->grant.waivers, 0, "waived    %s: %s", rule, reason);
			free(rule);
			free(reason);
		}
	doc_release(&d);
	buf_release(&b);
}

void plan_view_grant(struct plan_view *v, const struct grant *g, const struct doc *d)
{
	struct buf rule = BUF_INIT;

	if (v->grant.any)
		return;
	v->grant.any = true;
	v->grant.apply = g->apply;
	v->grant.dry_run = g->dry_run;
	v->grant.allow_destructive = g->allow_destructive;
	v->grant.actor = shown_text(g->actor);
	v->grant.ticket = shown_text(g->ticket);
	v->grant.issued_at = shown_text(g->issued_at);
	v->grant.env = shown_text(g->env);
	for (uint32_t t = g->rules + 1; t < d->tok[g->rules].next; t = d->tok[t].next) {
		if (d->tok[t].type != DOC_STRING)
			continue;
		buf_reset(&rule);
		doc_string(d, t, &rule);
		if (v->grant.rules.len)
			buf_addch(&v->grant.rules, ' ');
		if (rule.len)
			page_clean(&v->grant.rules, rule.s, rule.len, PAGE_COLUMNS);
	}
	buf_release(&rule);
	show_waivers(v, g);
}

static void put_grant(const struct plan_view *v, struct page *p)
{
	bool apply = v->grant.apply, dry = v->grant.dry_run;

	if (!v->grant.any)
		return;
	page_line(p, 0, "granted   to %s in %s at %s, ticket %s", v->grant.actor, v->grant.env, v->grant.issued_at,
	          v->grant.ticket ? v->grant.ticket : "none");
	page_line(p, 0, "may       %s%s", dry ? "dry-run: show, write nothing" : apply ? "apply" : "nothing",
	          v->grant.allow_destructive ? ", destroy what the plan says" : "");
	page_words(p, "passed    ", v->grant.rules.len ? v->grant.rules.s : "none", "");
	page_append(p, &v->grant.waivers);
}

static void put_head(const struct plan_view *v, uint64_t named, struct page *p)
{
	const struct header *h = &v->header;
	struct buf name = BUF_INIT;

	header_name(h, &name);
	page_heading(p, "%s %s", v->grant.any ? "PERMIT" : header_rollback(h) ? "ROLLBACK PLAN" : "PLAN", name.s);
	header_page(h, p);
	if (v->sql.dialect)
		page_line(p, 0, "database  %s, with %" PRId64 " table%s before", v->sql.dialect, h->records,
		          h->records == 1 ? "" : "s");
	else if (v->descriptor.plans)
		page_line(p, 0,
		          "deltas    %" PRId64 ", %" PRId64 " of %" PRId64 " things of the source stay as they are",
		          h->changes, h->current, h->records);
	else
		page_line(p, 0,
		          "records   %" PRId64 " = %" PRId64 " to change + %" PRId64 " current + %" PRId64 " rejected",
		          h->records, h->changes, h->current, h->rejects);
	page_line(p, 0, "plans     %" PRIu64 ", steps %" PRIu64 ", %s", v->plans, v->steps,
	          !header_rollback(h) ? "each with its rollback"
	          : v->sql.dialect    ? "each undoes one"
	          : v->descriptor.plans ? "each puts a definition back"
	          : v->rows.any       ? "each puts the rows back that were there"
	                              : "each puts the original bytes back");
	if (!h->others && (int64_t)v->plans != h->parts)
		page_line(p, 0, "MISSING   these are %" PRIu64 " of the %" PRId64 " parts", v->plans, h->parts);
	if (!h->others && !header_rollback(h) && (int64_t)named != h->rejects)
		page_line(p, 0, "rejected  %" PRIu64 " of the %" PRId64 " are in this stream", named, h->rejects);
	put_grant(v, p);
	buf_release(&name);
}

/* "also 115 x append an entry at /migration_history, keep the original as <name>.backup" */
static void put_also(const struct plan_view *v, struct page *p)
{
	bool back = header_rollback(&v->header);

	for (size_t i = 0; i < v->stamps.n && i < 1; i++)
		page_line(p, 0, "also: %" PRIu64 " x an entry at %s that says from, to, changes and when",
		          v->stamps.v[i].n, v->stamps.v[i].key);
	for (size_t i = 0; i < v->backups.n && i < 1; i++)
		page_line(p, 0, "also: %" PRIu64 " x %s <name>%s", v->backups.v[i].n,
		          back ? "remove the backup" : "the original is kept beside it as", v->backups.v[i].key);
}

static void put_list(struct page *p, const char *what, const struct counts *c, size_t max)
{
	uint64_t more = c->others;

	for (size_t i = max; i < c->n; i++)
		more += c->v[i].n;
	for (size_t i = 0; i < c->n && i < max; i++)
		page_line(p, 0, "%-9s %s (%" PRIu64 ")", what, c->v[i].key, c->v[i].n);
	if (more)
		page_line(p, 0, "%-9s and others (%" PRIu64 ")", what, more);
}

static void put_named(struct page *p, char *const *list, uint64_t n, size_t max)
{
	for (size_t i = 0; i < max && i < n; i++)
		page_line(p, 1, "%s", list[i]);
	if (n > max)
		page_line(p, 1, "and %" PRIu64 " more", n - max);
}

static void put_safety(const struct plan_view *v, struct page *p, const struct caps *cap)
{
	page_heading(p, "SAFETY");
	if (v->destructive)
		page_line(p, 0, "DESTROYS  steps that remove data: %" PRIu64 " (%s)", v->destructive,
		          v->descriptor.plans ? "blocked" : "need --allow-destructive");
	else if (!v->sql.let_go)
		page_line(p, 0, "destroys  nothing");
	put_named(p, v->destroys, v->destructive, cap->destroys);
	if (v->sql.let_go)
		page_line(p, 0, "DESTROYS  what its tables let go (allowDestructive): %" PRIu64 ", see the warnings",
		          v->sql.let_go);
	if (v->irreversible)
		page_line(p, 0, "NO UNDO   steps that cannot be undone: %" PRIu64 " (need --allow-destructive)",
		          v->irreversible);
	else
		page_line(p, 0, "undo      every step can be undone");
	put_named(p, v->forever, v->irreversible, cap->forever);
	put_list(p, "lever", &v->levers, cap->levers);
	put_list(p, "note", &v->notes, cap->notes);
}

static void next_command(const struct plan_view *v, struct buf *b)
{
	const struct header *h = &v->header;

	if (v->grant.any) {
		buf_addstr(b, v->descriptor.plans ? "none: no store takes it"
		                                  : "mig-apply --store STORE < PERMITS | mig-report");
		return;
	}
	if (v->descriptor.plans && strcmp(descriptor_view_gate(&v->descriptor), "blocked") == 0) {
		buf_addstr(b, "none: mig-gate lets no critical step pass; change the target, then plan again");
		return;
	}
	buf_addstr(b, "mig-gate ");
	header_flags(h, b);
	if (v->major && strcmp(h->env, "prod") == 0)
		buf_addstr(b, " --approval FILE --trust KEY.pem");
	if (v->destructive || v->irreversible)
		buf_addstr(b, " --allow-destructive");
	if (h->phase)
		buf_addstr(b, " --phases FILE --evidence VERDICTS");
	buf_addstr(b, v->descriptor.plans ? " --apply < PLANS" : " --apply < PLANS | mig-apply --store STORE");
}

static void put_tail(const struct plan_view *v, const char *digest, struct page *p, const struct caps *cap)
{
	struct buf b = BUF_INIT;

	if (digest)
		page_heading(p, v->grant.any ? "APPLY" : "APPROVE");
	else
		page_heading(p, "DO NOT APPROVE: the stream of plans is not whole");
	for (size_t i = 0; i < cap->hashes && i < v->plans; i++)
		page_line(p, 0, "plan_hash %s", v->hash[i]);
	if (v->plans > cap->hashes)
		page_line(p, 0, "plan_hash and %" PRIu64 " more", v->plans - cap->hashes);
	if (digest) {
		page_line(p, 0, "digest    %s", digest);
		next_command(v, &b);
		page_words(p, "next      ", b.s, " \\");
	}
	buf_release(&b);
}

static void sort(struct plan_view *v)
{
	kinds_sort(&v->kinds);
	counts_sort(&v->stamps);
	counts_sort(&v->backups);
	counts_sort(&v->levers);
	counts_sort(&v->notes);
}

static void put_changes(struct plan_view *v, struct page *p, size_t room)
{
	if (v->rows.any)
		rows_view_page(&v->rows, p, room);
	else
		kinds_page(&v->kinds, p, room);
}

void plan_view_page(struct plan_view *v, struct rejects *rejects, const char *digest, struct page *p, size_t lines)
{
	struct page head = PAGE_INIT, also = PAGE_INIT, tail = PAGE_INIT;
	const struct caps *cap = &wide;
	size_t used;

	sort(v);
	put_head(v, rejects->codes.total, &head);
	if ((v->sql.dialect || v->descriptor.plans) && !v->kinds.c.n && !v->rows.any) {
		page_append(p, &head); /* every statement and instruction is shown, however many lines */
		if (v->sql.dialect)
			sql_view_page(&v->sql, p);
		if (v->descriptor.plans)
			descriptor_view_page(&v->descriptor, p);
		page_blank(p);
		rejects_page(rejects, &tail, cap->codes, cap->examples);
		put_safety(v, &tail, cap);
		put_tail(v, digest, &tail, cap);
		page_append(p, &tail);
		page_release(&head);
		page_release(&tail);
		return;
	}
	if (v->rows.any)
		page_heading(&head, "ROWS");
	else
		page_heading(&head, "CHANGES of %zu%s kind%s", v->kinds.c.n, v->kinds.c.others ? " and more" : "",
		             v->kinds.c.n == 1 ? "" : "s");
	put_also(v, &also);
	for (;;) {
		page_clear(&tail);
		rejects_page(rejects, &tail, cap->codes, cap->examples);
		put_safety(v, &tail, cap);
		put_tail(v, digest, &tail, cap);
		used = head.nline + also.nline + tail.nline + 1; /* and a blank line before the tail */
		if (cap == &tight || used + CHANGES_WIDE <= lines)
			break;
		cap = &tight;
	}
	page_append(p, &head);
	put_changes(v, p, used + CHANGES_LEAST < lines ? lines - used : CHANGES_LEAST);
	page_append(p, &also);
	page_blank(p);
	page_append(p, &tail);
	page_release(&head);
	page_release(&also);
	page_release(&tail);
}

static void counts_json(struct rec *w, const char *name, const struct counts *c)
{
	struct rec in;

	rec_name(w, name);
	buf_addch(w->b, '[');
	for (size_t i = 0; i < c->n; i++) {
		if (i)
			buf_addch(w->b, ',');
		rec_open(&in, w->b);
		rec_int(&in, "count", (int64_t)c->v[i].n);
		rec_cstr(&in, "text", c->v[i].key);
		rec_close(&in);
	}
	buf_addch(w->b, ']');
}

static void list_json(struct rec *w, const char *name, char *const *list, size_t max)
{
	rec_name(w, name);
	buf_addch(w->b, '[');
	for (size_t i = 0; i < max && list[i]; i++) {
		if (i)
			buf_addch(w->b, ',');
		canon_string(w->b, list[i], strlen(list[i]));
	}
	buf_addch(w->b, ']');
}

static void named_json(struct rec *w, const char *name, char *const *list, size_t max, uint64_t n)
{
	struct rec in;

	rec_name(w, name);
	rec_open(&in, w->b);
	rec_int(&in, "count", (int64_t)n);
	list_json(&in, "examples", list, max);
	rec_close(&in);
}

static void grant_json(struct rec *w, const struct plan_view *v)
{
	struct rec in;

	rec_name(w, "grant");
	if (!v->grant.any) {
		buf_addstr(w->b, "null");
		return;
	}
	rec_open(&in, w->b);
	rec_cstr(&in, "actor", v->grant.actor);
	rec_bool(&in, "allow_destructive", v->grant.allow_destructive);
	rec_bool(&in, "apply", v->grant.apply);
	rec_bool(&in, "dry_run", v->grant.dry_run);
	rec_cstr(&in, "env", v->grant.env);
	rec_cstr(&in, "issued_at", v->grant.issued_at);
	rec_cstr(&in, "rules", v->grant.rules.len ? v->grant.rules.s : "");
	rec_cstr(&in, "ticket", v->grant.ticket);
	rec_close(&in);
}

void plan_view_json(struct plan_view *v, struct buf *out)
{
	const struct header *h = &v->header;
	struct rec w, in;

	sort(v);
	rec_open(&w, out);
	counts_json(&w, "backups", &v->backups);
	if (v->descriptor.plans) {
		rec_name(&w, "descriptor");
		descriptor_view_json(&v->descriptor, out);
	}
	named_json(&w, "destructive", v->destroys, NAMED_DESTRUCTIVE, v->destructive);
	grant_json(&w, v);
	rec_name(&w, "header");
	header_json(h, out);
	named_json(&w, "irreversible", v->forever, NAMED_IRREVERSIBLE, v->irreversible);
	rec_name(&w, "kinds");
	kinds_json(&v->kinds, out);
	rec_int(&w, "kinds_found", (int64_t)v->kinds.c.n);
	counts_json(&w, "levers", &v->levers);
	counts_json(&w, "notes", &v->notes);
	list_json(&w, "plan_hashes", v->hash, NAMED_HASHES);
	rec_int(&w, "plans", (int64_t)v->plans);
	rec_int(&w, "rollback", (int64_t)v->entries);
	if (v->rows.any) {
		rec_name(&w, "rows");
		rows_view_json(&v->rows, out);
	}
	if (v->sql.dialect) {
		rec_name(&w, "sql");
		sql_view_json(&v->sql, out);
	}
	counts_json(&w, "stamps", &v->stamps);
	rec_int(&w, "steps", (int64_t)v->steps);
	rec_name(&w, "totals");
	rec_open(&in, out);
	rec_int(&in, "changes", h->changes);
	rec_int(&in, "current", h->current);
	rec_int(&in, "records", h->records);
	rec_int(&in, "rejects", h->rejects);
	rec_close(&in);
	rec_close(&w);
}
