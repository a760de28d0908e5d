/*
 * scan_bench.c -- the reader, canonical writing and hashing against jansson.
 *
 * scan_bench [FILE..]: the files, or two made-up inputs: a manifest of 2.3 KB,
 * indented and in no particular order, and a record of about 178 bytes.
 * Prints medians of 5 rounds, in microseconds a text and MB/s.
 */
#include "canon.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 5 };

static struct doc d;
static struct buf out;

static void die_on(bool bad, const char *what)
{
	if (bad) {
		fprintf(stderr, "scan_bench: %s\n", what);
		exit(1);
	}
}

static void scan(const char *s, size_t n)
{
	die_on(doc_parse(&d, s, n, DOC_MAX_DEPTH) < 0, d.err.reason);
}

static void scan_canon(const char *s, size_t n)
{
	scan(s, n);
	buf_reset(&out);
	canon_value(&out, &d, 0, DOC_NONE);
}

static void scan_hash(const char *s, size_t n)
{
	char hex[HEX_SIZE];

	scan(s, n);
	canon_hash(&d, 0, DOC_NONE, hex);
}

static void jansson_load(const char *s, size_t n)
{
	json_t *j = json_loadb(s, n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);

	die_on(!j, "jansson refuses");
	json_decref(j);
}

static void jansson_dump(const char *s, size_t n)
{
	json_t *j = json_loadb(s, n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	char *text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

	free(text);
	json_decref(j);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Microseconds a text: the median of ROUNDS, of about 30 ms each. */
static double measure(void (*f)(const char *, size_t), const char *s, size_t n)
{
	double t[ROUNDS], start = now();
	size_t times = 0, i;

	for (; now() - start < 5000; times++)
		f(s, n);
	times *= 6;
	for (int r = 0; r < ROUNDS; r++) {
		start = now();
		for (i = 0; i < times; i++)
			f(s, n);
		t[r] = (now() - start) / (double)times;
	}
	qsort(t, ROUNDS, sizeof *t, by_value);
	return t[ROUNDS / 2];
}

static void report(const char *name, const char *s, size_t n)
{
	static const struct {
		const char *name;
		void (*f)(const char *, size_t);
	} what[] = {
		{ "jansson load", jansson_load }, { "jansson load, sorted dump", jansson_dump },
		{ "doc_parse", scan },            { "doc_parse, canon_value", scan_canon },
		{ "doc_parse, canon_hash", scan_hash },
	};
	double base = 0;

	printf("%s, %zu bytes\n", name, n);
	for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
		double us = measure(what[i].f, s, n);

		base = i == 0 ? us : base;
		printf("  %-26s %10.3f us %8.0f MB/s %6.1fx\n", what[i].name, us, (double)n / us, base / us);
	}
}

static void make_manifest(struct buf *b)
{
	buf_addstr(b, "{\n"
	              "  \"schemaVersion\": \"1.1.0\",\n"
	              "  \"id\": \"web-frontend\",\n"
	              "  \"name\": \"Web frontend \xE2\x80\x94 EU\",\n"
	              "  \"generatedAt\": \"2024-05-17T08:30:00Z\",\n"
	              "  \"provenance\": {\n"
	              "    \"tool\": \"packer\",\n"
	              "    \"commit\": \"3f786850e387550fdab836ed7e6dc881de23001b\",\n"
	              "    \"dirty\": false,\n"
	              "    \"parent\": null\n"
	              "  },\n"
	              "  \"limits\": { \"cpu\": 1.5, \"memory\": 536870912, \"ratio\": 0.25 },\n"
	              "  \"files\": [\n");
	for (int i = 0; i < 9; i++)
		buf_addf(b,
		         "    {\n"
		         "      \"path\": \"dist/assets/chunk-%04d.js\",\n"
		         "      \"size\": %d,\n"
		         "      \"sha256\": \"%08x9b74c9897bac770ffc029102a200c5deadbeef0011223344556677889900\",\n"
		         "      \"executable\": %s\n"
		         "    }%s\n",
		         i, 1000 + i * 7919, i * 2654435, i % 3 ? "false" : "true", i < 8 ? "," : "");
	buf_addstr(b, "  ],\n"
	              "  \"tags\": [\"web\", \"frontend\", \"eu-west-1\"],\n"
	              "  \"notes\": \"built by \\\"make dist\\\"\\nsee README, then ask the release team\"\n"
	              "}\n");
}

static void make_record(struct buf *b)
{
	buf_addstr(b, "{\"entity\":\"user\",\"id\":184467,\"email\":\"ada.lovelace@example.org\","
	              "\"name\":\"Ada Lovelace\",\"active\":true,\"score\":98.25,"
	              "\"created\":\"2023-11-05T13:15:30Z\",\"tags\":[\"a\",\"b\"],\"parent\":null}");
}

static void report_file(const char *path)
{
	struct buf b = BUF_INIT;
	char chunk[4096];
	FILE *f = fopen(path, "r");

	die_on(!f, path);
	for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
		buf_add(&b, chunk, n);
	fclose(f);
	report(path, b.s, b.len);
	buf_release(&b);
}

int main(int argc, char **argv)
{
	struct buf b = BUF_INIT;

	for (int i = 1; i < argc; i++)
		report_file(argv[i]);
	if (argc == 1) {
		make_manifest(&b);
		report("manifest, indented, unsorted", b.s, b.len);
		scan(b.s, b.len);
		buf_reset(&out);
		canon_value(&out, &d, 0, DOC_NONE);
		buf_reset(&b);
		buf_add(&b, out.s, out.len);
		report("the same manifest, canonical", b.s, b.len);
		buf_reset(&b);
		make_record(&b);
		report("record", b.s, b.len);
	}
	buf_release(&b);
	buf_release(&out);
	doc_release(&d);
	digest_close();
	return 0;
}
