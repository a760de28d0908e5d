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
		buf_addf(b, s->plan.n ? "record version %" PRId64 : "record version %" PRId64 ": metadata only", s->to);
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

static struct sql_way way_of(const struct part *p, const struct change *c)
{
	return (struct sql_way){ .actions = { p->actions.s, p->actions.len },
		                 .findings = { p->findings.s, p->findings.len },
		                 .pre = { p->pre.s, p->pre.len },
		                 .post = { p->post.s, p->post.len },
		                 .type = type_of(p, c) };
}

void steps_add(struct steps *s, const struct change *c)
{
	struct part forward = PART_INIT, back = PART_INIT;
	struct buf object = BUF_INIT, description = BUF_INIT, note = BUF_INIT;
	char *from = xasprintf("%" PRId64, s->from), *to = xasprintf("%" PRId64, s->to);

	if (s->plan.n == 0)
		part_schema(&forward, s->header->digest);
	fill(s, c, &forward, false);
	fill(s, c, &back, true);
	add_object(&object, c);
	describe(s, &description, c);
	bool reversible = safety(&note, c, &forward, &back);
	struct sql_step step = {
		.object = object.s,
		.what = what_name(c->what),
		.from = from,
		.to = to,
		.description = description.s,
		.forth = way_of(&forward, c),
		.back = way_of(&back, c),
		.reversible = reversible,
		.note = note.s,
	};

	step.forth.no_transaction = c->order >> 56 == MAJOR_CONCURRENT;
	sql_plan_add(&s->plan, s->header, &step);
	part_release(&forward);
	part_release(&back);
	buf_release(&object);
	buf_release(&description);
	buf_release(&note);
	free(from);
	free(to);
}
