/* descriptor.c -- see descriptor.h */
#include "descriptor.h"

#include <stdlib.h>

struct reading {
	struct descriptor *x;
	const struct doc *doc;
	const char *where;
	struct diag *d;
};

void descriptor_release(struct descriptor *x)
{
	for (size_t i = 0; i < x->n; i++) {
		struct thing *t = &x->v[i];
		char *texts[] = { t->entity, t->label, t->type, t->shape, t->rest, t->text };

		for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
			free(texts[k]);
	}
	free(x->v);
	*x = (struct descriptor)DESCRIPTOR_INIT;
}

static struct thing *add(struct reading *r, enum thing_kind kind, char *entity, char *label)
{
	struct descriptor *x = r->x;

	if (x->n == x->cap) {
		x->cap = x->cap ? x->cap * 2 : 64;
		x->v = xrealloc(x->v, x->cap, sizeof *x->v);
	}
	x->v[x->n] = (struct thing){ .kind = kind, .entity = entity, .label = label };
	return &x->v[x->n++];
}

static int bad(struct reading *r, const char *entity, const char *name, const char *what)
{
	return diag_add(r->d, MIG_INVALID, "bad_descriptor", r->where, "%s%s%s %s", entity, *name ? "." : "", name,
	                what);
}

static char *canonical(const struct doc *d, uint32_t t)
{
	struct buf b = BUF_INIT;

	canon_value(&b, d, t, DOC_NONE);
	return buf_steal(&b);
}

/* Of a value that may lack; the root, whose token is DOC_NONE, is asked by doc_member itself. */
static uint32_t member(const struct doc *d, uint32_t obj, const char *name)
{
	return obj == DOC_NONE ? DOC_NONE : doc_member(d, obj, name, strlen(name));
}

static bool is_object(const struct doc *d, uint32_t t)
{
	return t != DOC_NONE && d->tok[t].type == DOC_OBJECT;
}

/* Says nothing: null, or an object without members. */
static bool is_nothing(const struct doc *d, uint32_t t)
{
	return d->tok[t].type == DOC_NULL || (d->tok[t].type == DOC_OBJECT && d->tok[t].n == 0);
}

static bool is_among(const struct doc *d, uint32_t key, const char *const *names)
{
	for (; *names; names++)
		if (doc_equals(d, key, *names, strlen(*names)))
			return true;
	return false;
}

/* Append the members of obj but for those names, a line each. */
static void add_rest(struct buf *b, const struct doc *d, uint32_t obj, const char *const *names)
{
	struct doc_walk w;
	uint32_t key;

	if (!is_object(d, obj))
		return;
	for (doc_walk_init(&w, d, obj); (key = doc_walk_next(&w));) {
		if (is_among(d, key, names) || is_nothing(d, key + 1))
			continue;
		canon_value(b, d, key, DOC_NONE);
		buf_addch(b, ':');
		canon_value(b, d, key + 1, DOC_NONE);
		buf_addch(b, '\n');
	}
}

static char *steal_text(struct buf *b)
{
	buf_reserve(b, 0);
	return buf_steal(b);
}

/* Is any of these members of obj true?  False, and *ok false, where one is neither true, false nor null. */
static bool flag(const struct doc *d, uint32_t obj, const char *const *names, bool *ok)
{
	bool on = false;

	for (; *names; names++) {
		uint32_t t = member(d, obj, *names);

		if (t == DOC_NONE || d->tok[t].type == DOC_NULL || d->tok[t].type == DOC_FALSE)
			continue;
		if (d->tok[t].type != DOC_TRUE)
			*ok = false;
		on = true;
	}
	return on;
}

/* {"config":{"indexed":true,"unique":false},"isIndexed":true,"required":true,"valueType":"string"} */
static int read_attr(struct reading *r, const char *entity, uint32_t key)
{
	static const char *const required[] = { "required", NULL };
	static const char *const unique[] = { "isUnique", "unique", NULL };
	static const char *const indexed[] = { "indexed", "isIndexed", NULL };
	static const char *const known[] = { "config",   "indexed", "isIndexed", "isUnique",
		                             "required", "unique",  "valueType", NULL };
	static const char *const settings[] = { "indexed", "unique", NULL };
	const char *const set_indexed[] = { settings[0], NULL }, *const set_unique[] = { settings[1], NULL };
	const struct doc *d = r->doc;
	uint32_t def = key + 1, type = member(d, def, "valueType"), config = member(d, def, "config");
	struct thing *t = add(r, THING_ATTR, xstrdup(entity), record_dup(d, key));
	struct buf rest = BUF_INIT;
	bool ok = true;

	t->text = canonical(d, def);
	if (!is_object(d, def) || type == DOC_NONE || d->tok[type].type != DOC_STRING)
		return bad(r, entity, t->label, "is no attribute with a valueType");
	if (config != DOC_NONE && d->tok[config].type != DOC_NULL && !is_object(d, config))
		return bad(r, entity, t->label, "has a config that is no object");
	t->type = record_dup(d, type);
	t->required = flag(d, def, required, &ok);
	/* each is looked at, so that one that is neither true nor false is found wherever it stands */
	bool unique_set = flag(d, config, set_unique, &ok), indexed_set = flag(d, config, set_indexed, &ok);

	t->unique = flag(d, def, unique, &ok) || unique_set;
	t->indexed = flag(d, def, indexed, &ok) || indexed_set;
	add_rest(&rest, d, def, known);
	add_rest(&rest, d, config, settings);
	t->rest = steal_text(&rest);
	return ok ? 0 : bad(r, entity, t->label, "says neither true nor false of itself where it must");
}

static int read_entity(struct reading *r, uint32_t key)
{
	static const char *const known[] = { "attrs", "links", NULL }; /* links stand at the top, too */
	const struct doc *d = r->doc;
	uint32_t attrs = member(d, key + 1, "attrs"), a;
	struct thing *t = add(r, THING_ENTITY, record_dup(d, key), xstrdup(""));
	struct buf rest = BUF_INIT;
	struct doc_walk w;
	int rc = 0;

	add_rest(&rest, d, key + 1, known);
	t->rest = steal_text(&rest);
	t->text = canonical(d, key + 1);
	if (!is_object(d, attrs))
		return bad(r, t->entity, "", "is no entity with attrs");
	char *entity = xstrdup(t->entity);

	if (member(d, attrs, "id") == DOC_NONE) {
		t = add(r, THING_ATTR, xstrdup(entity), xstrdup("id"));
		t->implied = true;
		t->type = xstrdup("id");
		t->rest = xstrdup("");
		t->text = xstrdup("{}");
	}
	for (doc_walk_init(&w, d, attrs); rc == 0 && (a = doc_walk_next(&w));)
		rc = read_attr(r, entity, a);
	free(entity);
	return rc;
}

struct end {
	char *on, *has, *label;
};

static void end_release(struct end *e)
{
	free(e->on);
	free(e->has);
	free(e->label);
}

static char *text_member(const struct doc *d, uint32_t obj, const char *name)
{
	uint32_t t = member(d, obj, name);

	return t != DOC_NONE && d->tok[t].type == DOC_STRING ? record_dup(d, t) : NULL;
}

/* {"has":"one","label":"author","on":"notes"} */
static bool read_end(const struct doc *d, uint32_t t, struct end *e)
{
	*e = (struct end){ text_member(d, t, "on"), text_member(d, t, "has"), text_member(d, t, "label") };
	return e->on && e->has && e->label && (strcmp(e->has, "one") == 0 || strcmp(e->has, "many") == 0);
}

/* A link is known by where it begins: its name is of no consequence to rows. */
static int read_link(struct reading *r, uint32_t key)
{
	static const char *const required[] = { "required", NULL };
	static const char *const none[] = { NULL };
	const struct doc *d = r->doc;
	uint32_t forward = member(d, key + 1, "forward"), reverse = member(d, key + 1, "reverse");
	static const char *const ends[] = { "forward", "reverse", NULL };
	struct end to = { NULL, NULL, NULL }, back = { NULL, NULL, NULL };
	bool ok = read_end(d, forward, &to);

	ok = read_end(d, reverse, &back) && ok;
	if (ok) {
		struct thing *t = add(r, THING_LINK, xstrdup(to.on), xstrdup(to.label));
		struct buf rest = BUF_INIT;

		t->required = flag(d, forward, required, &ok);
		t->shape = xasprintf("%s %s, back as %s.%s: %s", to.has, back.on, back.on, back.label, back.has);
		add_rest(&rest, d, forward, required);
		buf_addstr(&rest, "reverse\n");
		add_rest(&rest, d, reverse, none);
		add_rest(&rest, d, key + 1, ends);
		t->rest = steal_text(&rest);
		t->text = canonical(d, key + 1);
	}
	end_release(&to);
	end_release(&back);
	if (ok)
		return 0;
	char *name = record_dup(d, key);
	int rc = bad(r, name, "", "is no link with forward and reverse, each with on, label and has");

	free(name);
	return rc;
}

static int read_room(struct reading *r, uint32_t key)
{
	struct thing *t = add(r, THING_ROOM, record_dup(r->doc, key), xstrdup(""));

	t->text = canonical(r->doc, key + 1);
	t->rest = xstrdup(t->text);
	return 0;
}

static int read_all(struct reading *r, uint32_t object, int (*one)(struct reading *r, uint32_t key))
{
	struct doc_walk w;
	uint32_t key;
	int rc = 0;

	for (doc_walk_init(&w, r->doc, object); (key = doc_walk_next(&w));)
		if (one(r, key) < 0)
			rc = -1;
	return rc;
}

int thing_compare(const struct thing *a, const struct thing *b)
{
	int c = strcmp(a->entity, b->entity);

	if (c == 0)
		c = strcmp(a->label, b->label);
	/* what can be an attribute can be a link: they share their names */
	return c ? c : (int)a->kind - (int)b->kind;
}

static int compare(const void *a, const void *b)
{
	return thing_compare(a, b);
}

static int check_doubles(struct reading *r)
{
	const struct descriptor *x = r->x;
	int rc = 0;

	for (size_t i = 1; i < x->n; i++) {
		const struct thing *a = &x->v[i - 1], *b = &x->v[i];

		if ((*b->label || a->kind == b->kind) && strcmp(a->entity, b->entity) == 0 &&
		    strcmp(a->label, b->label) == 0)
			rc = bad(r, b->entity, b->label, "is there twice");
	}
	return rc;
}

int descriptor_read(struct descriptor *x, const struct doc *doc, uint32_t t, const char *where, struct diag *d)
{
	struct reading r = { x, doc, where, d };
	uint32_t whole = doc_member(doc, t, "schema", 6), schema = is_object(doc, whole) ? whole : t;
	uint32_t entities = doc_member(doc, schema, "entities", 8), links = doc_member(doc, schema, "links", 5),
		 rooms = doc_member(doc, schema, "rooms", 5);
	int rc = 0;

	if (!is_object(doc, entities) || !is_object(doc, links))
		return diag_add(d, MIG_INVALID, "bad_descriptor", where, "no schema with entities and links");
	if (rooms != DOC_NONE && !is_object(doc, rooms))
		return diag_add(d, MIG_INVALID, "bad_descriptor", where, "rooms is no object");
	if (read_all(&r, entities, read_entity) < 0 || read_all(&r, links, read_link) < 0)
		rc = -1;
	if (rooms != DOC_NONE && read_all(&r, rooms, read_room) < 0)
		rc = -1;
	qsort(x->v, x->n, sizeof *x->v, compare);
	canon_hash(doc, schema, DOC_NONE, x->hash);
	return rc < 0 ? -1 : check_doubles(&r);
}
