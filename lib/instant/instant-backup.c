/* instant-backup.c -- see instant-backup.h */
#include "instant-backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void instant_backup_release(struct instant_backup *k)
{
	buf_release(&k->text);
	doc_release(&k->doc);
	free(k->row);
	*k = (struct instant_backup)INSTANT_BACKUP_INIT;
}

void instant_backup_name(char name[80], const char *plan_hash, int64_t seq, struct text batch)
{
	snprintf(name, 80, "%.16s.%" PRId64 ".%.*s.ndjson", plan_hash, seq, (int)batch.n, batch.s);
}

/* The members that are no links; the id stands beside them. */
static void write_data(struct buf *out, const struct instant_group *g, const struct doc *d, uint32_t row)
{
	struct doc_walk w;
	uint32_t key;
	char sep = '{';

	for (doc_walk_init(&w, d, row); (key = doc_walk_next(&w));) {
		if (doc_equals(d, key, "id", 2) || instant_is_label(g, d, key))
			continue;
		buf_addch(out, sep);
		canon_value(out, d, key, DOC_NONE);
		buf_addch(out, ':');
		canon_value(out, d, key + 1, DOC_NONE);
		sep = ',';
	}
	buf_addstr(out, sep == '{' ? "{}" : "}");
}

static int write_links(struct buf *out, const struct instant_group *g, const struct doc *d, uint32_t row,
                       struct diag *diag)
{
	for (size_t i = 0; i < g->nlabel; i++) {
		struct instant_ids ids;

		if (!instant_ids_read(&ids, d, doc_member(d, row, g->label[i], strlen(g->label[i]))))
			return diag_add(diag, MIG_INVALID, "bad_answer", NULL, "the answer has a link that is none");
		buf_addch(out, i ? ',' : '{');
		canon_string(out, g->label[i], strlen(g->label[i]));
		buf_addch(out, ':');
		instant_ids_write(&ids, out);
		instant_ids_release(&ids);
	}
	buf_addstr(out, g->nlabel ? "}" : "{}");
	return 0;
}

static int write_row(struct buf *out, const struct instant_batch *b, const struct instant_app *a, size_t i,
                     struct diag *d)
{
	const struct instant_row *r = &b->row[i];
	const struct instant_group *g = &b->group[r->group];
	bool there = r->there != DOC_NONE;
	struct rec w;
	int rc = 0;

	rec_open(&w, out);
	rec_name(&w, "data");
	if (there)
		write_data(out, g, &a->doc, r->there);
	else
		buf_addstr(out, "null");
	rec_cstr(&w, "entity", g->entity);
	rec_cstr(&w, "id", r->id);
	rec_name(&w, "links");
	if (there)
		rc = write_links(out, g, &a->doc, r->there, d);
	else
		buf_addstr(out, "null");
	rec_close(&w);
	buf_addch(out, '\n');
	return rc;
}

static int damaged(const struct instant_backup *k, const char *why, struct diag *d)
{
	return diag_add(d, MIG_INVALID, "backup_damaged", k->name, "%s", why);
}

/* {"data":{..},"entity":E,"id":ID,"links":{..}} of the action at its place */
static bool row_fits(const struct doc *d, uint32_t t, const struct instant_batch *b, size_t i)
{
	static const struct member m[] = { { "data", IS_OBJ | IS_NULL }, { "entity", IS_STR }, { "id", IS_STR },
		                           { "links", IS_OBJ | IS_NULL }, { NULL, 0 } };
	struct diag quiet = DIAG_INIT;
	bool ok = d->tok[t].type == DOC_OBJECT && shape_check(d, t, m, NULL, "", NULL, &quiet) == 0 &&
	          doc_says(d, t, "entity", b->group[b->row[i].group].entity) && doc_says(d, t, "id", b->row[i].id);

	diag_release(&quiet);
	return ok;
}

/* Take the lines of a file, which are those of b. */
static int take(struct instant_backup *k, const struct buf *file, const struct instant_batch *b, struct diag *d)
{
	digest_hex(file->s, file->len, k->hash);
	buf_reset(&k->text);
	buf_addch(&k->text, '[');
	buf_add(&k->text, file->s, file->len);
	if (!file->len || file->s[file->len - 1] != '\n')
		return damaged(k, "its last line is torn", d);
	k->text.s[k->text.len - 1] = ']';
	for (char *s = k->text.s; (s = memchr(s, '\n', (size_t)(k->text.s + k->text.len - s)));)
		*s = ','; /* canonical JSON has no line feed of its own */
	if (doc_parse(&k->doc, k->text.s, k->text.len, RECORD_MAX_DEPTH) < 0)
		return damaged(k, k->doc.err.reason, d);
	k->n = k->doc.tok[0].n;
	k->row = xrealloc(k->row, k->n ? k->n : 1, sizeof *k->row);
	uint32_t t = 1;

	for (size_t i = 0; i < k->n; i++, t = k->doc.tok[t].next) {
		if (k->n != b->n || !row_fits(&k->doc, t, b, i))
			return damaged(k, "its rows are not those of the batch", d);
		k->row[i] = t;
	}
	return k->n == b->n ? 0 : damaged(k, "its rows are not those of the batch", d);
}

int instant_backup_read(struct instant_backup *k, const struct instant_state *s, const struct instant_batch *b,
                        const char *hash, struct diag *d)
{
	struct buf file = BUF_INIT;
	int rc = instant_state_get(s, "backups", k->name, &file, d);

	if (rc == 1) {
		rc = take(k, &file, b, d) < 0 ? -1 : 1;
		if (rc == 1 && hash && strcmp(hash, k->hash) != 0)
			rc = damaged(k, "its hash is not the ledger's", d);
	}
	buf_release(&file);
	return rc;
}

int instant_backup_keep(struct instant_backup *k, struct instant_state *s, const struct instant_batch *b,
                        const struct instant_app *a, struct diag *d)
{
	struct buf file = BUF_INIT;
	int rc = instant_backup_read(k, s, b, NULL, d);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	for (size_t i = 0; i < b->n && rc == 0; i++)
		rc = write_row(&file, b, a, i, d);
	if (rc == 0)
		rc = instant_state_put(s, "backups", k->name, file.s, file.len, d);
	buf_release(&file);
	if (rc == 0 && instant_backup_read(k, s, b, NULL, d) != 1)
		rc = d->n && diag_exit(d) != MIG_OK ? -1 : damaged(k, "it has gone since it was written", d);
	return rc;
}
