/* query.c -- see query.h */
#include "query.h"

#include "io.h"
#include "record.h"

void query_release(struct query *q)
{
	buf_release(&q->text);
	doc_release(&q->doc);
}

static int not_a_query(const char *file, const struct doc_error *e, struct diag *d)
{
	return diag_add(d, MIG_INVALID, "bad_query", file, "line %zu, column %zu: %s", e->line, e->column, e->reason);
}

/* Is it an object of objects that asks for something? */
static int check(const struct doc *doc, const char *file, struct diag *d)
{
	struct doc_walk w;
	uint32_t key;

	if (doc->tok[0].type != DOC_OBJECT || doc->tok[0].n == 0)
		return diag_add(d, MIG_INVALID, "bad_query", file, "not an object with a member for each entity");
	for (doc_walk_init(&w, doc, 0); (key = doc_walk_next(&w));)
		if (doc->tok[key + 1].type != DOC_OBJECT)
			return diag_add(d, MIG_INVALID, "bad_query", file, "what is asked of an entity is an object");
	return 0;
}

/* {"entity":options} */
static void put_one(struct buf *out, const char *entity, const struct doc *doc, uint32_t options)
{
	buf_addch(out, '{');
	canon_string(out, entity, strlen(entity));
	buf_addch(out, ':');
	if (options == DOC_NONE)
		buf_addstr(out, "{}");
	else
		canon_value(out, doc, options, DOC_NONE);
	buf_addch(out, '}');
}

/* The canonical text of what file asks, of entity alone if that is given. */
static int take_file(struct buf *to, const char *file, const char *entity, struct diag *d)
{
	struct buf text = BUF_INIT;
	struct doc doc = DOC_INIT;
	int rc = io_read_file(file, &text, "missing_query", d);

	if (rc == 0) {
		buf_reserve(&text, 1); /* an empty file has no text yet */
		buf_setlen(&text, text.len);
		if (doc_parse(&doc, text.s, text.len, DOC_MAX_DEPTH) < 0)
			rc = not_a_query(file, &doc.err, d);
		else
			rc = check(&doc, file, d);
	}
	if (rc == 0 && entity) {
		uint32_t t = doc_member(&doc, 0, entity, strlen(entity));

		if (t == DOC_NONE)
			rc = diag_add(d, MIG_INVALID, "bad_query", file, "does not ask for %s", entity);
		else
			put_one(to, entity, &doc, t);
	} else if (rc == 0) {
		canon_value(to, &doc, 0, DOC_NONE);
	}
	doc_release(&doc);
	buf_release(&text);
	return rc;
}

int query_read(struct query *q, const char *file, const char *entity, struct diag *d)
{
	if (!file)
		put_one(&q->text, entity, NULL, DOC_NONE);
	else if (take_file(&q->text, file, entity, d) < 0)
		return -1;
	if (doc_parse(&q->doc, q->text.s, q->text.len, DOC_MAX_DEPTH) < 0)
		return not_a_query(file, &q->doc.err, d);
	digest_hex(q->text.s, q->text.len, q->hash);
	return 0;
}

/* The members of the object t without the one at skip, each followed by a comma. */
static void put_members(struct buf *out, const struct doc *doc, uint32_t t, uint32_t skip)
{
	struct doc_walk w;
	uint32_t key;

	if (t == DOC_NONE)
		return;
	for (doc_walk_init(&w, doc, t); (key = doc_walk_next(&w));) {
		if (key + 1 == skip)
			continue;
		canon_value(out, doc, key, DOC_NONE);
		buf_addch(out, ':');
		canon_value(out, doc, key + 1, DOC_NONE);
		buf_addch(out, ',');
	}
}

int query_page(const struct query *q, uint32_t key, int64_t limit, int64_t offset, struct buf *out, struct diag *d)
{
	static const char *const own[] = { "after", "before", "first", "last", "limit", "offset" };
	uint32_t options = doc_member(&q->doc, key + 1, "$", 1);

	if (options != DOC_NONE && q->doc.tok[options].type != DOC_OBJECT)
		return diag_add(d, MIG_INVALID, "bad_query", NULL, "the options of an entity ($) are an object");
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (options != DOC_NONE && doc_member(&q->doc, options, own[i], strlen(own[i])) != DOC_NONE)
			return diag_add(d, MIG_INVALID, "bad_query", NULL,
			                "the query has a %s of its own: all is read, page by page", own[i]);
	buf_addch(out, '{');
	canon_value(out, &q->doc, key, DOC_NONE);
	buf_addstr(out, ":{");
	put_members(out, &q->doc, key + 1, options);
	buf_addstr(out, "\"$\":{");
	put_members(out, &q->doc, options, DOC_NONE);
	buf_addf(out, "\"limit\":%lld,\"offset\":%lld}}}", (long long)limit, (long long)offset);
	return 0;
}
