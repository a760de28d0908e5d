/* tablerow.c -- see tablerow.h */
#include "tablerow.h"

#include "fs-root.h"
#include "progress.h"
#include "utf8.h"

#include <stdlib.h>

enum { LARGE_SHARE = 4 }; /* of a record, as for files */

/* A member of the body: `"title":` and the column that it is. */
struct tablerow_field {
	struct buf name;
	size_t column;
};

static int by_name(const void *x, const void *y, void *columns)
{
	const struct tablerow_field *a = x, *b = y;
	const struct db_column *c = columns;

	return doc_compare_keys(c[a->column].name, strlen(c[a->column].name), c[b->column].name,
	                        strlen(c[b->column].name));
}

static void forget_fields(struct tablerow *r)
{
	for (size_t i = 0; i < r->nfield; i++)
		buf_release(&r->field[i].name);
	free(r->field);
	r->field = NULL;
	r->nfield = 0;
}

void tablerow_begin(struct tablerow *r, const struct rowsource *s, const struct db_cursor *c)
{
	forget_fields(r);
	r->source = s;
	r->nfield = c->n;
	r->field = xcalloc(c->n + 1, sizeof *r->field);
	for (size_t i = 0; i < c->n; i++) {
		r->field[i].column = i;
		if (strcmp(c->column[i].name, s->key) == 0)
			r->key = i;
	}
	qsort_r(r->field, c->n, sizeof *r->field, by_name, c->column);
	for (size_t i = 0; i < c->n; i++) {
		const char *name = c->column[r->field[i].column].name;

		canon_string(&r->field[i].name, name, strlen(name));
		buf_addch(&r->field[i].name, ':');
	}
}

/* Make the body.  A value that has no JSON is in it as db_json has it, for the hash, and r->reason says which. */
static void make_body(struct tablerow *r, const struct db_cursor *c, const struct db_value *v)
{
	char before = '{';

	buf_reset(&r->body);
	buf_reset(&r->reason);
	for (size_t i = 0; i < r->nfield; i++) {
		const struct tablerow_field *f = &r->field[i];

		buf_addch(&r->body, before);
		before = ',';
		buf_add(&r->body, f->name.s, f->name.len);
		const char *why = cell_write(&r->cell, &c->column[f->column], &v[f->column], &r->body);

		if (!why)
			continue;
		db_json(&r->body, &v[f->column]);
		if (r->reason.len == 0)
			buf_addf(&r->reason, "column %s: %s", c->column[f->column].name, why);
	}
	buf_addch(&r->body, '}');
}

/* The row as a record: an id that is an integer or a text, or a hash in its place. */
struct row tablerow_make(struct tablerow *r, const struct db_cursor *c, const struct db_value *v)
{
	const struct db_value *key = &v[r->key];
	bool keyed = key->n && c->column[r->key].keyed && (key->type == DB_INT || key->type == DB_TEXT);

	progress_tick();
	make_body(r, c, v);
	digest_hex(r->body.s, r->body.len, r->hash);
	buf_reset(&r->ref);
	buf_addstr(&r->ref, r->source->prefix);
	if (keyed)
		fs_escape(&r->ref, key->s, key->n);
	else
		buf_add(&r->ref, r->hash, HEX_LEN);
	struct row row = {
		.entity = text_cstr(r->source->entity),
		.ref = { r->ref.s, r->ref.len },
		.hash = r->hash,
		.body = { r->body.s, r->body.len },
	};

	if (!keyed || !utf8_valid(key->s, key->n)) {
		row.code = "no_id";
		row.reason = key->type == DB_NULL ? "the key is null"
		             : key->n == 0        ? "the key is empty"
		             : keyed              ? "the key is a text that is no UTF-8"
		                                  : "the key is neither an integer nor a text";
	} else if (r->reason.len) {
		row.code = "bad_value";
		row.reason = r->reason.s;
	} else if (r->body.len > r->max / LARGE_SHARE) {
		row.code = "too_large";
		row.reason = "larger than a quarter of MIG_MAX_RECORD";
	}
	return row;
}

void tablerow_release(struct tablerow *r)
{
	forget_fields(r);
	cell_release(&r->cell);
	buf_release(&r->body);
	buf_release(&r->ref);
	buf_release(&r->reason);
}
