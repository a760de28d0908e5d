/* sql-kept.c -- see sql-kept.h */
#include "sql-kept.h"

#include <stdlib.h>

void sql_kepts_release(struct sql_kepts *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->v[i].name);
	free(k->v);
	*k = (struct sql_kepts){ .n = 0 };
}

void sql_kepts_add(struct sql_kepts *k, const struct sql_backup *file, char *name)
{
	k->v = xrealloc(k->v, k->n + 1, sizeof *k->v);
	k->v[k->n++] = (struct sql_kept){ *file, name };
}

void sql_kepts_write(struct buf *out, const struct sql_kepts *k)
{
	buf_addch(out, '[');
	for (size_t i = 0; i < k->n; i++) {
		struct rec w;

		if (i)
			buf_addch(out, ',');
		rec_open(&w, out);
		rec_cstr(&w, "file", k->v[i].file.name);
		rec_cstr(&w, "hash", k->v[i].file.hash);
		rec_cstr(&w, "name", k->v[i].name);
		rec_int(&w, "rows", k->v[i].file.rows);
		rec_close(&w);
	}
	buf_addch(out, ']');
}

static bool read_kept(struct sql_kepts *k, const struct doc *e, uint32_t t)
{
	char *file = record_dup(e, doc_member(e, t, "file", 4)), *hash = record_dup(e, doc_member(e, t, "hash", 4)),
	     *name = record_dup(e, doc_member(e, t, "name", 4));
	struct sql_backup b = { .rows = 0 };
	bool ok = file && hash && name && strlen(file) < sizeof b.name && strlen(hash) == HEX_LEN &&
	          !strchr(file, '/') && doc_int(e, doc_member(e, t, "rows", 4), &b.rows);

	if (ok) {
		memcpy(b.name, file, strlen(file) + 1);
		memcpy(b.hash, hash, HEX_SIZE);
		sql_kepts_add(k, &b, name);
	} else {
		free(name);
	}
	free(file);
	free(hash);
	return ok;
}

int sql_kepts_read(struct sql_kepts *k, const struct doc *e, struct diag *d)
{
	uint32_t list = doc_member(e, 0, "backups", 7);
	bool ok = true;

	for (uint32_t t = list + 1; ok && list && t < e->tok[list].next; t = e->tok[t].next)
		ok = read_kept(k, e, t);
	return ok ? 0 : diag_add(d, MIG_INVALID, "ledger_broken", "ledger", "what it says of backups does not read");
}

const struct sql_backup *sql_kepts_find(const struct sql_kepts *k, const char *name)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->v[i].name, name) == 0)
			return &k->v[i].file;
	return NULL;
}
