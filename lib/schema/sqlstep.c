/* sqlstep.c -- see sqlstep.h */
#include "sqlstep.h"

#include "ddl.h"

#include <inttypes.h>
#include <stdlib.h>

/* users, users.email, schema */
static void add_object(struct buf *b, const struct change *c)
{
	if (c->what == WHAT_RECORD)
		buf_addstr(b, "schema");
	else if (!c->pair)
		buf_addstr(b, c->name);
	else if (!c->name || c->what == WHAT_ENABLE_RLS || c->what == WHAT_DISABLE_RLS)
		buf_addstr(b, c->table);
	else
		buf_addf(b, "%s.%s", c->table, c->name);
}

/* "set not null users.name" */
static void describe(const struct steps *s, struct buf *b, const struct change *c)
{
	if (c->what == WHAT_RECORD) {
		buf_addf(b, s->n ? "record version %" PRId64 : "record version %" PRId64 ": metadata only", s->to);
		return;
	}
	for (const char *p = what_name(c->what); *p; p++)
		buf_addch(b, *p == '_' ? ' ' : *p);
	buf_addch(b, ' ');
	if (c->from)
		buf_addf(b, "%s%s%s to %s", c->what == WHAT_RENAME_TABLE ? "" : c->table,
		         c->what == WHAT_RENAME_TABLE ? "" : ".", c->from, c->to);
	else
		add_object(b, c);
	if (c->what != WHAT_REBUILD_TABLE)
		return;
	const char *sep = ": ";

	for (const struct change *k = c->pair->first; k; k = k->next)
		if (s->ops->absorbed(s->x, k)) {
			buf_addf(b, "%s%s %s", sep, what_name(k->what), k->name ? k->name : "");
			sep = ", ";
		}
}

/* What is asked, said and done for the change in one direction. */
static void fill(const struct steps *s, const struct change *c, struct part *p, bool back)
{
	struct pair inverse;
	struct change way = back ? change_inverse(c, &inverse) : *c;
	struct half h = { s->x, &way, p, back };

	lint_change(&h);
	ask_change(&h);
	for (const struct change *k = c->what == WHAT_REBUILD_TABLE ? c->pair->first : NULL; k; k = k->next) {
		struct pair turned;
		struct change part = back ? change_inverse(k, &turned) : *k;
		struct half sub = { s->x, &part, p, back };

		if (!s->ops->absorbed(s->x, k))
			continue;
		lint_change(&sub);
		ask_change(&sub);
	}
	if (way.what == WHAT_RECORD && back)
		part_unrecord(p, s->to);
	else if (way.what == WHAT_RECORD)
		part_record(p, s->x->new->checksum, s->to, s->x->new->schema);
	else if (!(back && way.what == WHAT_REFRESH_VIEW))
		s->ops->act(&h);
	if (way.what == WHAT_CREATE_VIEW) {
		struct buf b = BUF_INIT;

		ddl_addf(&b, "SELECT count(*) FROM (SELECT * FROM %I LIMIT 0) AS seen", way.name);
		part_expect(p, &b, "view %s cannot be read", way.name);
		buf_release(&b);
	}
}

static const char *type_of(const struct part *p, const struct change *c)
{
	if (p->destroys)
		return "cleanup";
	if (c->what == WHAT_ADD_INDEX || c->what == WHAT_DROP_INDEX)
		return "index";
	return p->fills ? "data" : "schema";
}

static void add_list(struct rec *w, const char *name, const struct buf *list)
{
	rec_name(w, name);
	buf_addch(w->b, '[');
	if (list->len)
		buf_add(w->b, list->s, list->len);
	buf_addch(w->b, ']');
}

struct naming {
	struct buf id, description;
	char from[24], key[HEX_SIZE];
};

static void name_step(const struct steps *s, const struct change *c, struct naming *n)
{
	struct buf from = BUF_INIT;

	buf_addf(&from, "%" PRId64, s->from);
	memcpy(n->from, from.s, from.len + 1);
	buf_release(&from);
	add_object(&n->id, c);
	buf_addf(&n->id, ":%s@%s..%" PRId64, what_name(c->what), n->from, s->to);
	describe(s, &n->description, c);
	plan_key(s->env, s->tenant, s->project, s->migration_id, (struct text){ n->id.s, n->id.len }, n->key);
}

static void write_step(struct buf *b, const struct steps *s, const struct change *c, const struct part *p,
                       const struct naming *n)
{
	struct rec w;

	rec_open(&w, b);
	add_list(&w, "actions", &p->actions);
	rec_str(&w, "description", (struct text){ n->description.s, n->description.len });
	add_list(&w, "findings", &p->findings);
	rec_cstr(&w, "idempotency_key", n->key);
	rec_int(&w, "index", (int64_t)s->n + 1);
	add_list(&w, "postconditions", &p->post);
	add_list(&w, "preconditions", &p->pre);
	rec_str(&w, "step_id", (struct text){ n->id.s, n->id.len });
	if (c->order >> 56 == MAJOR_CONCURRENT)
		rec_bool(&w, "transaction", false);
	rec_cstr(&w, "type", type_of(p, c));
	rec_close(&w);
}

static void say(struct buf *note, bool so, const char *what)
{
	if (so)
		buf_addf(note, "%s%s", note->len ? "; " : "", what);
}

/* Can it be undone, and what of the data then? */
static bool safety(struct buf *note, const struct change *c, const struct part *forward, const struct part *back)
{
	const struct table *t = c->pair ? c->pair->old : NULL;
	bool keyless = t && t->primary.n == 0 && c->what != WHAT_DROP_TABLE && (forward->destroys || forward->keeps);

	say(note, keyless, "the table has no key by which values could be put back");
	say(note, forward->stuck, "a value that is cut may be none of its type any more");
	if (note->len)
		return false;
	say(note, forward->cuts, "values that were cut come back where nothing was written since");
	say(note, forward->destroys && !forward->cuts,
	    "values come back from the backup that the step made; rows written since have none");
	say(note, back->destroys, "values written since are dropped, after a backup of them");
	say(note, forward->over, "rows that got the default lack a value again, also where one was written since");
	say(note, forward->fills && !forward->over,
	    "rows that got the default lack a value again where they still have it");
	say(note, back->fills, "rows that lack a value then get the default");
	say(note, forward->keeps && !forward->fills,
	    "values that do not come back by themselves come back from a backup, where nothing was written since");
	say(note, !note->len, "no value is lost");
	return true;
}

static void write_entry(struct buf *b, const struct change *c, const struct part *p, const struct part *forward,
                        const struct naming *n)
{
	struct buf description = BUF_INIT, note = BUF_INIT;
	struct rec w, in;
	bool reversible = safety(&note, c, forward, p);

	buf_addstr(&description, "undo: ");
	buf_add(&description, n->description.s, n->description.len);
	rec_open(&w, b);
	add_list(&w, "actions", &p->actions);
	rec_name(&w, "data_safety");
	rec_open(&in, b);
	rec_cstr(&in, "note", note.s);
	rec_bool(&in, "reversible", reversible);
	rec_close(&in);
	rec_str(&w, "description", (struct text){ description.s, description.len });
	add_list(&w, "findings", &p->findings);
	rec_cstr(&w, "idempotency_key", n->key);
	rec_name(&w, "index");
	buf_addch(b, '\0');
	rec_raw(&w, "levers", "[]", 2);
	add_list(&w, "postconditions", &p->post);
	add_list(&w, "preconditions", &p->pre);
	rec_cstr(&w, "previous_version", n->from);
	rec_str(&w, "step_id", (struct text){ n->id.s, n->id.len });
	rec_cstr(&w, "type", type_of(p, c));
	rec_raw(&w, "undo", "[]", 2);
	rec_close(&w);
	buf_release(&description);
	buf_release(&note);
}

void steps_add(struct steps *s, const struct change *c)
{
	struct part forward = PART_INIT, back = PART_INIT;
	struct naming n = { .id = BUF_INIT, .description = BUF_INIT };

	if (s->n == 0)
		part_schema(&forward, s->hash);
	fill(s, c, &forward, false);
	fill(s, c, &back, true);
	name_step(s, c, &n);
	if (!(s->n & (s->n + 1)))
		s->entry = xrealloc(s->entry, s->n * 2 + 2, sizeof *s->entry);
	s->entry[s->n] = s->back.len;
	if (s->n)
		buf_addch(&s->forward, ',');
	write_step(&s->forward, s, c, &forward, &n);
	write_entry(&s->back, c, &back, &forward, &n);
	s->n++;
	part_release(&forward);
	part_release(&back);
	buf_release(&n.id);
	buf_release(&n.description);
}

void steps_rollback(const struct steps *s, struct buf *out)
{
	buf_addch(out, '[');
	for (size_t i = s->n; i-- > 0;) {
		const char *p = s->back.s + s->entry[i];
		size_t n = (i + 1 < s->n ? s->entry[i + 1] : s->back.len) - s->entry[i];
		size_t at = (size_t)((const char *)memchr(p, '\0', n) - p);

		if (i + 1 < s->n)
			buf_addch(out, ',');
		buf_add(out, p, at);
		buf_addf(out, "%zu", s->n - i);
		buf_add(out, p + at + 1, n - at - 1);
	}
	buf_addch(out, ']');
}

void steps_release(struct steps *s)
{
	buf_release(&s->forward);
	buf_release(&s->back);
	free(s->entry);
}
