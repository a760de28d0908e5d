/* targets.c -- see targets.h */
#include "targets.h"

#include "rowref.h"

#include <stdlib.h>

/* What is being read; goes on after a finding. */
struct reading {
	const struct doc *doc;
	const char *file;
	struct diag *d;
	bool bad;
};

static void wrong(struct reading *r, const char *place, const char *name, const char *what)
{
	r->bad = true;
	diag_add(r->d, MIG_INVALID, "bad_set", r->file, "%s/%s: %s", place, name, what);
}

/* The member's token if it has one of the types; DOC_NONE, with a finding where it has another. */
static uint32_t member(struct reading *r, uint32_t obj, const char *place, const char *name, int is)
{
	uint32_t t = doc_member(r->doc, obj, name, strlen(name));

	if (t == DOC_NONE || is & 1 << r->doc->tok[t].type)
		return t;
	wrong(r, place, name, "has the wrong type");
	return DOC_NONE;
}

/* The member is absent (0), or one of two words (1, 2). */
static int word(struct reading *r, uint32_t obj, const char *place, const char *name, const char *one, const char *two)
{
	uint32_t t = member(r, obj, place, name, IS_STR);

	if (t == DOC_NONE)
		return 0;
	if (doc_equals(r->doc, t, one, strlen(one)))
		return 1;
	if (doc_equals(r->doc, t, two, strlen(two)))
		return 2;
	wrong(r, place, name, "is neither of the two words it may be");
	return 0;
}

static void only(struct reading *r, uint32_t obj, const char *place, const char *const *names)
{
	struct doc_walk w;
	uint32_t key;

	for (doc_walk_init(&w, r->doc, obj); (key = doc_walk_next(&w));) {
		const char *const *n = names;

		while (*n && !doc_equals(r->doc, key, *n, strlen(*n)))
			n++;
		if (!*n) {
			char *name = record_dup(r->doc, key);

			wrong(r, place, name, "unknown member");
			free(name);
		}
	}
}

/* {"context": "thread_contexts", ..} */
static void read_links(struct reading *r, uint32_t obj, const char *place, struct target *t)
{
	uint32_t list = member(r, obj, place, "links", IS_OBJ), key;
	struct doc_walk w;

	if (list == DOC_NONE)
		return;
	t->link = xcalloc(r->doc->tok[list].n, sizeof *t->link);
	for (doc_walk_init(&w, r->doc, list); (key = doc_walk_next(&w));) {
		struct target_link *l = &t->link[t->nlink++];

		l->label = record_dup(r->doc, key);
		l->entity = record_dup(r->doc, key + 1);
		if (!*l->label || !l->entity || !rowref_entity_valid((struct text){ l->entity, strlen(l->entity) }))
			wrong(r, place, "links", "a label does not lead to an entity");
	}
}

/* ["context", ..]: labels of links that are there */
static void read_labels(struct reading *r, uint32_t obj, const char *place, const char *name, struct target *t,
                        size_t flag)
{
	uint32_t list = member(r, obj, place, name, IS_ARR);

	if (list == DOC_NONE)
		return;
	for (uint32_t e = list + 1; e < r->doc->tok[list].next; e = r->doc->tok[e].next) {
		char *label = record_dup(r->doc, e);
		size_t i = 0;

		while (i < t->nlink && !(label && t->link[i].label && strcmp(t->link[i].label, label) == 0))
			i++;
		if (i == t->nlink)
			wrong(r, place, name, "names no label of its links");
		else
			*(bool *)((char *)&t->link[i] + flag) = true;
		free(label);
	}
}

static void read_required(struct reading *r, uint32_t obj, const char *place, struct target *t)
{
	uint32_t list = member(r, obj, place, "required", IS_ARR);
	size_t n = 0;

	t->required = xcalloc((list == DOC_NONE ? 0 : r->doc->tok[list].n) + 1, sizeof *t->required);
	if (list == DOC_NONE)
		return;
	for (uint32_t e = list + 1; e < r->doc->tok[list].next; e = r->doc->tok[e].next) {
		char *p = record_dup(r->doc, e);

		if (p && *p && pointer_valid(p, strlen(p))) {
			t->required[n++] = p;
			continue;
		}
		wrong(r, place, "required", "not a JSON pointer (RFC 6901) to a member");
		free(p);
	}
}

static void read_target(struct reading *r, uint32_t key, struct target *t)
{
	static const char *const names[] = { "key", "links", "optional", "outside", "required", NULL };

	t->entity = record_dup(r->doc, key);
	char *place = xasprintf("/targets/%s", t->entity);

	if (r->doc->tok[key + 1].type != DOC_OBJECT) {
		wrong(r, "/targets", t->entity, "has the wrong type");
	} else {
		if (!rowref_entity_valid((struct text){ t->entity, strlen(t->entity) }))
			wrong(r, "/targets", t->entity, "is empty, or holds a slash or a control character");
		only(r, key + 1, place, names);
		t->uuid = word(r, key + 1, place, "key", "text", "uuid") == 2;
		read_links(r, key + 1, place, t);
		read_labels(r, key + 1, place, "optional", t, offsetof(struct target_link, optional));
		read_labels(r, key + 1, place, "outside", t, offsetof(struct target_link, outside));
		read_required(r, key + 1, place, t);
	}
	free(place);
}

static struct target *find(const struct targets *t, struct text entity)
{
	for (size_t i = 0; i < t->n; i++)
		if (text_is(entity, t->v[i].entity))
			return &t->v[i];
	return NULL;
}

/* {"entities": ["users"], "namespace": UUID}, and the SHA-1 that it wants while files can still be read. */
static void read_uuid(struct reading *r, struct targets *t)
{
	static const char *const names[] = { "entities", "namespace", NULL };
	uint32_t u = member(r, 0, "", "uuid", IS_OBJ), list, space;
	struct buf b = BUF_INIT;

	if (u == DOC_NONE)
		return;
	only(r, u, "/uuid", names);
	list = member(r, u, "/uuid", "entities", IS_ARR);
	space = member(r, u, "/uuid", "namespace", IS_STR);
	if (space == DOC_NONE || !uuid_read(record_text(r->doc, space, &b), t->space))
		wrong(r, "/uuid", "namespace", "not a UUID");
	if (list == DOC_NONE || !r->doc->tok[list].n)
		wrong(r, "/uuid", "entities", "names no targets");
	for (uint32_t e = list + 1; list != DOC_NONE && e < r->doc->tok[list].next; e = r->doc->tok[e].next) {
		buf_reset(&b);
		struct target *x = r->doc->tok[e].type == DOC_STRING ? find(t, record_text(r->doc, e, &b)) : NULL;

		if (!x || !x->uuid)
			wrong(r, "/uuid", "entities", "names something that is no target with \"key\": \"uuid\"");
		else
			x->named = true;
	}
	buf_release(&b);
	unsigned char unused[UUID_BYTES];

	uuid_v5(t->space, TEXT(""), unused);
}

/* A link leads to a target, unless it may lead outside. */
static void check_links(struct reading *r, const struct targets *t)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->v[i].nlink; k++) {
			const struct target_link *l = &t->v[i].link[k];

			if (l->outside || !l->entity || find(t, (struct text){ l->entity, strlen(l->entity) }))
				continue;
			char *place = xasprintf("/targets/%s/links", t->v[i].entity);

			wrong(r, place, l->label, "leads to no target, and is not among \"outside\"");
			free(place);
		}
}

struct targets *targets_read(const struct doc *doc, const char *file, struct diag *d)
{
	struct reading r = { doc, file, d, false };
	struct targets *t = xcalloc(1, sizeof *t);
	uint32_t list = member(&r, 0, "", "targets", IS_OBJ), skips = member(&r, 0, "", "skips", IS_BOOL), key;
	struct doc_walk w;

	t->last = word(&r, 0, "", "duplicates", "error", "last") == 2;
	t->skips = skips != DOC_NONE && doc->tok[skips].type == DOC_TRUE;
	if (list == DOC_NONE || !doc->tok[list].n) {
		wrong(&r, "", "targets", "names no entities");
	} else {
		t->v = xcalloc(doc->tok[list].n, sizeof *t->v);
		for (doc_walk_init(&w, doc, list); (key = doc_walk_next(&w));)
			read_target(&r, key, &t->v[t->n++]);
	}
	read_uuid(&r, t);
	check_links(&r, t);
	if (!r.bad)
		return t;
	targets_free(t);
	return NULL;
}

void targets_free(struct targets *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		struct target *x = &t->v[i];

		for (size_t k = 0; k < x->nlink; k++) {
			free(x->link[k].label);
			free(x->link[k].entity);
		}
		for (char **p = x->required; p && *p; p++)
			free(*p);
		free(x->required);
		free(x->link);
		free(x->entity);
	}
	free(t->v);
	free(t);
}

const struct target *targets_find(const struct targets *t, struct text entity)
{
	return find(t, entity);
}

const struct target_link *target_link(const struct target *t, struct text label)
{
	for (size_t i = 0; i < t->nlink; i++)
		if (text_is(label, t->link[i].label))
			return &t->link[i];
	return NULL;
}
