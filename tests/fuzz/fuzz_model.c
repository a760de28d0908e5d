/*
 * fuzz_model.c -- any JSON as a declared schema, for both databases.
 *
 * A libFuzzer target; with -DREPLAY a program that runs the files it is given.
 * What must hold: a schema is refused with a finding or read without a fault; what
 * the history keeps of it reads back with the same checksum; every column has a
 * type, and every key, index and foreign key has columns that are there.
 */
#include "model.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "fuzz_model: %s\n", what);
		abort();
	}
}

static bool has_column(const struct table *t, const char *name)
{
	for (size_t i = 0; i < t->ncolumn; i++)
		if (strcmp(t->column[i].name, name) == 0)
			return true;
	return false;
}

static void columns(const struct table *t, char **list, size_t n, const char *what)
{
	expect(n > 0, what);
	for (size_t i = 0; i < n; i++)
		expect(has_column(t, list[i]), what);
}

static void whole(const struct table *t)
{
	for (size_t i = 0; i < t->ncolumn; i++)
		expect(t->column[i].type && *t->column[i].type && *t->column[i].name,
		       "a column without a type or name");
	columns(t, t->primary.column, t->primary.n, "a primary key without its columns");
	for (size_t i = 0; i < t->nunique; i++)
		columns(t, t->unique[i].column, t->unique[i].n, "a unique constraint without its columns");
	for (size_t i = 0; i < t->nindex; i++)
		columns(t, t->index[i].column, t->index[i].n, "an index without its columns");
	for (size_t i = 0; i < t->nfkey; i++)
		columns(t, t->fkey[i].column, t->fkey[i].n, "a foreign key without its columns");
	for (size_t i = 0; i < t->ncheck; i++)
		expect(t->check[i].column ? has_column(t, t->check[i].column) : t->check[i].text != NULL,
		       "a check without its column");
}

static struct model *read(struct doc *doc, const char *s, size_t n, enum dialect dialect, size_t *faults)
{
	struct diag d = DIAG_INIT;
	struct model *m = NULL;

	if (doc_parse(doc, s, n, DOC_MAX_DEPTH) == 0) {
		m = model_read(doc, 0, dialect, "fuzz", &d);
		expect(!m == (diag_exit(&d) != MIG_OK), "a finding, or a model");
	}
	*faults = d.n;
	diag_release(&d);
	return m;
}

static void try(const struct buf *text, enum dialect dialect)
{
	struct doc doc = DOC_INIT, again = DOC_INIT;
	struct buf kept = BUF_INIT;
	size_t faults;
	struct model *m = read(&doc, text->s, text->len, dialect, &faults), *back;

	if (m) {
		for (size_t i = 0; i < m->ntable; i++)
			whole(&m->table[i]);
		buf_addstr(&kept, m->schema);
		back = read(&again, kept.s, kept.len, dialect, &faults);
		expect(back && strcmp(back->checksum, m->checksum) == 0, "what is kept has another checksum");
		model_free(back);
		model_free(m);
	}
	buf_release(&kept);
	doc_release(&doc);
	doc_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT;

	buf_reserve(&text, size);
	buf_add(&text, (const char *)data, size);
	try(&text, DIALECT_SQLITE);
	try(&text, DIALECT_POSTGRESQL);
	buf_release(&text);
	return 0;
}

#ifdef REPLAY
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct buf b = BUF_INIT;
		char chunk[4096];
		FILE *f = fopen(argv[i], "r");

		if (!f) {
			perror(argv[i]);
			return 1;
		}
		for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
			buf_add(&b, chunk, n);
		fclose(f);
		fprintf(stderr, "%s\n", argv[i]);
		LLVMFuzzerTestOneInput((const uint8_t *)(b.s ? b.s : ""), b.len);
		buf_release(&b);
	}
	printf("fuzz_model: %d inputs replayed\n", argc - 1);
	digest_close();
	return 0;
}
#endif
