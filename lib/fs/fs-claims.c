/* fs-claims.c -- see fs-claims.h */
#include "fs-claims.h"

#include "record.h"

#include <stdlib.h>

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The ref of the file of that name beside f: new. */
static char *ref_of(const struct fs_file *f, const char *name)
{
	struct buf b = BUF_INIT;

	fs_escape(&b, f->path, (size_t)(f->base - f->path));
	fs_escape(&b, name, strlen(name));
	return buf_steal(&b);
}

/* The last entry that says what became of the plan's backups; NULL if there is none, or after a finding. */
static const struct ledger_mark *last_word(struct ledger *l, const char *plan_hash, struct diag *d)
{
	static const char *const events[] = { "begin", "commit", "undo" };
	const struct ledger_mark *last = NULL;
	size_t before = d->n;

	for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
		const struct ledger_mark *m = ledger_find(l, plan_hash, events[i], d);

		if (d->n > before)
			return NULL;
		if (m && (!last || m->offset > last->offset))
			last = m;
	}
	return last;
}

static void take(struct fs_claims *c, const struct doc *e)
{
	uint32_t list = doc_member(e, 0, "backups", 7);

	if (list == DOC_NONE || e->tok[list].type != DOC_ARRAY)
		return;
	c->ref = xcalloc(e->tok[list].n, sizeof *c->ref);
	for (uint32_t t = list + 1; t < e->tok[list].next; t = e->tok[t].next)
		if (e->tok[t].type == DOC_STRING && (c->ref[c->n] = record_dup(e, t)))
			c->n++;
	if (c->n)
		qsort(c->ref, c->n, sizeof *c->ref, by_text);
}

int fs_claims_read(struct fs_claims *c, struct ledger *l, const char *plan_hash, struct diag *d)
{
	size_t before = d->n;
	struct buf line = BUF_INIT;
	struct doc e = DOC_INIT;

	*c = (struct fs_claims){ .n = 0 };
	const struct ledger_mark *m = l->fd < 0 ? NULL : last_word(l, plan_hash, d);
	int rc = d->n > before || (m && ledger_entry(l, m, &line, d) < 0) ? -1 : 0;

	if (rc == 0 && m && doc_parse(&e, line.s, line.len, RECORD_MAX_DEPTH) == 0) {
		take(c, &e);
		c->open = strcmp(m->event, "commit") != 0;
	}
	doc_release(&e);
	buf_release(&line);
	return rc;
}

void fs_claims_release(struct fs_claims *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->ref[i]);
	free(c->ref);
	*c = (struct fs_claims){ .n = 0 };
}

bool fs_claims_has(const struct fs_claims *c, const struct fs_file *f, const char *name)
{
	if (!c->n)
		return false;
	char *ref = ref_of(f, name);
	bool found = bsearch(&ref, c->ref, c->n, sizeof *c->ref, by_text) != NULL;

	free(ref);
	return found;
}

char *fs_claims_list(const struct fs_file *f, size_t n)
{
	struct buf b = BUF_INIT;
	const char *sep = "";

	buf_addch(&b, '[');
	for (size_t i = 0; i < n; i++) {
		if (!f[i].backup || !f[i].ours)
			continue;
		char *ref = ref_of(&f[i], f[i].backup);

		buf_addstr(&b, sep);
		canon_string(&b, ref, strlen(ref));
		free(ref);
		sep = ",";
	}
	buf_addch(&b, ']');
	return buf_steal(&b);
}
