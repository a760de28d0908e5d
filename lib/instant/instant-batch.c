/* instant-batch.c -- see instant-batch.h */
#include "instant-batch.h"

#include <stdlib.h>

/* What a double holds exactly, as InstantDB has no other numbers. */
#define EXACT (INT64_C(1) << 53)

void instant_batch_release(struct instant_batch *b)
{
	for (size_t i = 0; i < b->ngroup; i++) {
		for (size_t k = 0; k < b->group[i].nlabel; k++)
			free(b->group[i].label[k]);
		free(b->group[i].label);
		free(b->group[i].entity);
	}
	free(b->group);
	free(b->row);
	*b = (struct instant_batch){ .n = 0 };
}

static bool label_less(const char *a, const char *b)
{
	return doc_compare_keys(a, strlen(a), b, strlen(b)) < 0;
}

static void add_label(void *arg, char *label)
{
	struct instant_group *g = arg;
	size_t at = 0;

	while (at < g->nlabel && label_less(g->label[at], label))
		at++;
	if (at < g->nlabel && strcmp(g->label[at], label) == 0)
		return;
	g->label = xrealloc(g->label, g->nlabel + 1, sizeof *g->label);
	memmove(g->label + at + 1, g->label + at, (g->nlabel++ - at) * sizeof *g->label);
	g->label[at] = xstrdup(label);
}

bool instant_is_label(const struct instant_group *g, const struct doc *d, uint32_t key)
{
	for (size_t i = 0; i < g->nlabel; i++)
		if (doc_equals(d, key, g->label[i], strlen(g->label[i])))
			return true;
	return false;
}

/* ---- reading a batch ---- */

static int refused(struct diag *d, const char *rule, const struct instant_row *r, const char *entity, const char *what)
{
	char *where = xasprintf("%s/%s", entity, r->id);

	diag_add(d, MIG_INVALID, rule, where, "InstantDB: %s", what);
	free(where);
	return -1;
}

/* Are all numbers inside a value such as a double holds? */
static bool exact(const struct doc *d, uint32_t value)
{
	int64_t v;

	for (uint32_t t = value; t < d->tok[value].next; t++)
		if (d->tok[t].type == DOC_NUMBER && doc_int(d, t, &v) && (v > EXACT || v < -EXACT))
			return false;
	return true;
}

/* A name that InstaQL means something else by. */
static bool is_taken(const struct doc *d, uint32_t key)
{
	return doc_equals(d, key, "$", 1) || doc_equals(d, key, "", 0);
}

static int check_data(const struct doc *d, const struct instant_row *r, const char *entity, struct diag *diag)
{
	unsigned char own[UUID_BYTES];
	struct doc_walk w;
	uint32_t key;
	size_t n;

	for (doc_walk_init(&w, d, r->data); (key = doc_walk_next(&w));) {
		const char *s = doc_span(d, key + 1, &n);

		if (is_taken(d, key))
			return refused(diag, "bad_data", r, entity, "a member has no name, or $ for one");
		if (doc_equals(d, key, "id", 2) &&
		    (d->tok[key + 1].type != DOC_STRING || !uuid_read((struct text){ s + 1, n - 2 }, own) ||
		     memcmp(own, r->uuid, UUID_BYTES) != 0))
			return refused(diag, "bad_data", r, entity, "the member id is another one than the row's");
	}
	return exact(d, r->data) ? 0
	                         : refused(diag, "inexact_number", r, entity,
	                                   "an integer beyond 2^53 would not be held exactly");
}

static int check_links(const struct doc *d, const struct instant_row *r, struct instant_group *g, struct diag *diag)
{
	struct doc_walk w;
	uint32_t key;

	for (doc_walk_init(&w, d, r->links); (key = doc_walk_next(&w));) {
		char *label = record_dup(d, key);
		bool twice = doc_member(d, r->data, label, strlen(label)) != DOC_NONE;
		struct instant_ids ids;
		bool ok = instant_ids_read(&ids, d, doc_member(d, key + 1, "ids", 3));

		add_label(g, label);
		instant_ids_release(&ids);
		free(label);
		if (twice || is_taken(d, key) || doc_equals(d, key, "id", 2))
			return refused(diag, "bad_data", r, g->entity, "a link has the name of a member, or $ or id");
		if (!ok)
			return refused(diag, "bad_id", r, g->entity, "a link leads to an id that is no UUID");
	}
	return 0;
}

static int bad_id(const struct row_action *a, struct diag *d)
{
	char *where = xasprintf("%.*s/%.*s", (int)a->entity.n, a->entity.s, (int)a->id.n, a->id.s);

	diag_hint(d, "set.json can make UUIDs of other ids: mig-set(5), uuid");
	diag_add(d, MIG_INVALID, "bad_id", where, "InstantDB: the id of a row is a UUID");
	free(where);
	return -1;
}

static struct instant_group *group_of(struct instant_batch *b, struct text entity)
{
	struct instant_group *g = b->ngroup ? &b->group[b->ngroup - 1] : NULL;

	if (g && text_is(entity, g->entity))
		return g;
	b->group = xrealloc(b->group, b->ngroup + 1, sizeof *b->group);
	g = &b->group[b->ngroup++];
	*g = (struct instant_group){ .entity = xmemdup(entity.s, entity.n), .first = b->n };
	return g;
}

static int by_uuid(const void *a, const void *b)
{
	const struct instant_row *x = *(const struct instant_row *const *)a, *y = *(const struct instant_row *const *)b;

	return x->group != y->group ? x->group < y->group ? -1 : 1 : memcmp(x->uuid, y->uuid, UUID_BYTES);
}

/* The rows by group and id: new. */
static struct instant_row **sorted_rows(const struct instant_batch *b)
{
	struct instant_row **v = xcalloc(b->n, sizeof *v);

	for (size_t i = 0; i < b->n; i++)
		v[i] = &b->row[i];
	if (b->n)
		qsort(v, b->n, sizeof *v, by_uuid);
	return v;
}

/* Two spellings of one id are one row there. */
static int check_twice(const struct instant_batch *b, struct diag *d)
{
	struct instant_row **v = sorted_rows(b);
	int rc = 0;

	for (size_t i = 1; i < b->n && rc == 0; i++)
		if (by_uuid(&v[i - 1], &v[i]) == 0)
			rc = refused(d, "bad_id", v[i], b->group[v[i]->group].entity, "two rows have this id");
	free(v);
	return rc;
}

static int read_row(struct instant_batch *b, uint32_t t, struct buf *arena, struct diag *d)
{
	struct row_action a = row_action_at(b->plan, t, arena);
	struct instant_row *r = &b->row[b->n];

	*r = (struct instant_row){ .action = t, .data = a.data, .links = a.links };
	if (!uuid_read(a.id, r->uuid))
		return bad_id(&a, d);
	uuid_write(r->uuid, r->id);
	struct instant_group *g = group_of(b, a.entity);

	if (text_is(a.entity, "$"))
		return refused(d, "bad_data", r, g->entity, "$ is no entity");
	r->group = b->ngroup - 1;
	g->n++;
	b->n++;
	if (b->step->rows.deletes)
		return 0;
	return check_data(b->plan, r, g->entity, d) < 0 ? -1 : check_links(b->plan, r, g, d);
}

int instant_batch_read(struct instant_batch *b, const struct plan *p, const struct step *st, struct diag *d)
{
	struct buf arena = BUF_INIT;
	uint32_t t = st->rows.first;
	int rc = 0;

	*b = (struct instant_batch){ .plan = p->doc, .step = st, .row = xcalloc(st->rows.n, sizeof *b->row) };
	for (uint32_t i = 0; i < st->rows.n && rc == 0; i++, t = p->doc->tok[t].next)
		rc = read_row(b, t, &arena, d);
	if (rc == 0)
		rc = check_twice(b, d);
	buf_release(&arena);
	return rc;
}

/* ---- what is there ---- */

/* {"$":{"where":{"id":{"$in":["1c..",..]}}},"author":{"$":{"fields":["id"]}}} */
static void write_group(struct buf *q, const struct instant_batch *b, const struct instant_group *g)
{
	buf_addstr(q, "{\"$\":{\"where\":{\"id\":{\"$in\":[");
	for (size_t i = 0; i < g->n; i++)
		buf_addf(q, "%s\"%s\"", i ? "," : "", b->row[g->first + i].id);
	buf_addstr(q, "]}}}");
	for (size_t i = 0; i < g->nlabel; i++) {
		buf_addch(q, ',');
		canon_string(q, g->label[i], strlen(g->label[i]));
		buf_addstr(q, ":{\"$\":{\"fields\":[\"id\"]}}");
	}
	buf_addch(q, '}');
}

static void write_query(struct buf *q, const struct instant_batch *b)
{
	for (size_t i = 0; i < b->ngroup; i++) {
		buf_addch(q, i ? ',' : '{');
		canon_string(q, b->group[i].entity, strlen(b->group[i].entity));
		buf_addch(q, ':');
		write_group(q, b, &b->group[i]);
	}
	buf_addch(q, '}');
}

static int bad(struct diag *d, const char *what)
{
	return diag_add(d, MIG_INVALID, "bad_answer", NULL, "the answer %s", what);
}

/* Put a row of the answer where it belongs. */
static int place_row(struct instant_row **v, size_t n, size_t group, const struct doc *d, uint32_t t, struct diag *diag)
{
	struct instant_row key = { .group = group }, *k = &key, **found;
	uint32_t id = doc_member(d, t, "id", 2);
	size_t len = 0;
	const char *s = id != DOC_NONE ? doc_span(d, id, &len) : NULL;

	if (!s || d->tok[id].type != DOC_STRING || !uuid_read((struct text){ s + 1, len - 2 }, key.uuid))
		return bad(diag, "has a row without a UUID");
	found = bsearch(&k, v, n, sizeof *v, by_uuid);
	if (!found)
		return bad(diag, "has a row that was not asked for");
	if ((*found)->there != DOC_NONE)
		return bad(diag, "has a row twice");
	(*found)->there = t;
	return 0;
}

static int place_group(const struct instant_batch *b, struct instant_row **v, size_t group, const struct doc *d,
                       struct diag *diag)
{
	const char *entity = b->group[group].entity;
	uint32_t list = doc_member(d, 0, entity, strlen(entity));
	int rc = 0;

	if (list == DOC_NONE || d->tok[list].type != DOC_ARRAY)
		return bad(diag, "lacks an entity that was asked for");
	for (uint32_t t = list + 1; rc == 0 && t < d->tok[list].next; t = d->tok[t].next)
		rc = place_row(v, b->n, group, d, t, diag);
	return rc;
}

/* Every list in an answer is one that was asked for; what is no list, the app may add. */
static int check_lists(const struct instant_batch *b, const struct doc *d, struct diag *diag)
{
	struct doc_walk w;
	uint32_t key;
	size_t n = 0;

	for (doc_walk_init(&w, d, 0); (key = doc_walk_next(&w));)
		n += d->tok[key + 1].type == DOC_ARRAY;
	return n == b->ngroup ? 0 : bad(diag, "has other entities than were asked for");
}

int instant_batch_look(struct instant_batch *b, struct instant_app *a, struct diag *d)
{
	struct buf query = BUF_INIT;
	int rc = 0;

	/* a row that is deleted takes its links along, so all of them are kept */
	for (size_t i = 0; b->step->rows.deletes && i < b->ngroup && rc == 0; i++)
		rc = instant_labels(a, b->group[i].entity, add_label, &b->group[i], d);
	for (size_t i = 0; i < b->n; i++)
		b->row[i].there = DOC_NONE;
	write_query(&query, b);
	if (rc == 0)
		rc = instant_query(a, query.s, query.len, d);
	if (rc == 0)
		rc = check_lists(b, &a->doc, d);
	struct instant_row **v = sorted_rows(b);

	for (size_t i = 0; i < b->ngroup && rc == 0; i++)
		rc = place_group(b, v, i, &a->doc, d);
	free(v);
	buf_release(&query);
	return rc;
}
