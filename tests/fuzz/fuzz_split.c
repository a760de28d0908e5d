/*
 * fuzz_split.c -- scripts, in both dialects.
 *
 * Whatever the bytes are, a script is split or refused with one finding.  The
 * statements and what lies between them give the source again; between them
 * stand only white space, comments and semicolons; a statement alone is split
 * into itself, and is judged without harm.  SQLite's statements end where sqlite3_complete, which is the
 * oracle, first says so.
 *
 * clang -fsanitize=fuzzer,address,undefined, or with -DREPLAY a program that
 * runs the files given as arguments.
 */
#include "classify.h"
#include "split.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

/* Only white space, comments and semicolons. */
static void check_gap(const char *s, size_t n, enum dialect dialect)
{
	struct lex l;

	lex_init(&l, s, n, dialect);
	while (lex_next(&l) != LEX_END)
		must(l.kind == LEX_SPACE || l.kind == LEX_COMMENT || l.kind == LEX_SEMI, "a gap holds nothing");
}

/* A statement is whole, and no semicolon inside it made it whole before. */
static void ask_sqlite(const char *s, const struct statement *st)
{
	char *text = xasprintf("%.*s;", (int)st->n, s + st->at);

	must(sqlite3_complete(text) == 1, "SQLite calls the statement complete");
	for (size_t i = st->n; i-- > 0;) {
		if (text[i] != ';')
			continue;
		text[i + 1] = '\0';
		must(sqlite3_complete(text) == 0, "SQLite calls no part of it complete");
	}
	free(text);
}

static void check_again(const char *s, const struct statement *st, enum dialect dialect)
{
	struct script again = SCRIPT_INIT;
	struct diag d = DIAG_INIT;

	must(script_split(&again, s + st->at, st->n, dialect, "fuzz", &d) == 0, "a statement alone is split");
	must(again.n == 1 && again.list[0].at == 0 && again.list[0].n == st->n, "into itself");
	script_release(&again);
	diag_release(&d);
}

/* Whatever it is, what is said of it is whole: a rule, a message, and what destroys is critical. */
static void check_meaning(const char *s, const struct statement *st, enum dialect dialect)
{
	static struct meaning m = MEANING_INIT;
	bool critical = false;

	classify(&m, s + st->at, st->n, dialect);
	for (size_t i = 0; i < m.nremark; i++) {
		must(m.remark[i].rule && m.remark[i].message && *m.remark[i].message, "a remark has rule and message");
		critical = critical || m.remark[i].severity == SEVERITY_CRITICAL;
	}
	must(critical == m.destroys, "what destroys is critical");
	for (size_t i = 0; i < m.nusage; i++)
		must(m.usage[i].name != NULL, "a usage has a name");
	must(!classify_is_query(s + st->at, st->n, dialect) || !m.destroys, "a query destroys nothing");
	meaning_release(&m);
}

static void check(const char *s, size_t n, enum dialect dialect)
{
	struct script script = SCRIPT_INIT;
	struct diag d = DIAG_INIT;
	size_t at = 0, line = 1;

	if (script_split(&script, s, n, dialect, "fuzz", &d) < 0) {
		must(d.n == 1, "a refusal has one finding");
	} else {
		for (size_t i = 0; i < script.n; i++) {
			const struct statement *st = &script.list[i];

			must(st->at >= at && st->n > 0 && st->at + st->n <= n, "statements follow each other");
			check_gap(s + at, st->at - at, dialect);
			for (; at < st->at; at++)
				line += s[at] == '\n';
			must(st->line == line, "the line is right");
			for (; at < st->at + st->n; at++)
				line += s[at] == '\n';
			check_again(s, st, dialect);
			check_meaning(s, st, dialect);
			if (dialect == DIALECT_SQLITE)
				ask_sqlite(s, st);
		}
		check_gap(s + at, n - at, dialect);
	}
	script_release(&script);
	diag_release(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT, folded = BUF_INIT;

	buf_add(&b, (const char *)data, size);
	check(b.s, b.len, DIALECT_SQLITE);
	check(b.s, b.len, DIALECT_POSTGRESQL);
	script_fold(&folded, b.s, b.len);
	must(folded.len <= b.len, "folding adds nothing");
	if (folded.s)
		check(folded.s, folded.len, DIALECT_SQLITE);
	buf_release(&b);
	buf_release(&folded);
	return 0;
}

#ifdef REPLAY
#include "io.h"

int main(int argc, char **argv)
{
	struct diag d = DIAG_INIT;

	for (int i = 1; i < argc; i++) {
		struct buf b = BUF_INIT;

		must(io_read_file(argv[i], &b, "missing_input", &d) == 0, argv[i]);
		buf_reserve(&b, 0);
		LLVMFuzzerTestOneInput((const uint8_t *)b.s, b.len);
		buf_release(&b);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
#endif
