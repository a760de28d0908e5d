/*
 * fuzz_doc.c -- any bytes into the reader, with jansson as the oracle.
 *
 * A libFuzzer target; with -DREPLAY a program that runs the files it is given.
 * Where the two readers may differ is written down in differs_rightly.
 */
#include "canon.h"
#include "pointer.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 2048 }; /* jansson's own limit */

static struct doc d; /* reused from input to input, as by everybody */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "fuzz_doc: %s\n", what);
		abort();
	}
}

/* A copy that ends with the pad, in a block of its own: the sanitizer sees a read beyond. */
static char *padded(const void *data, size_t size)
{
	char *s = malloc(size + BUF_PAD);

	if (size)
		memcpy(s, data, size);
	memset(s + size, 0, BUF_PAD);
	return s;
}

/*
 * jansson takes no integer beyond 64 bits and no zero byte in a name, where we
 * take the integers that ECMAScript prints and any name.
 */
static bool differs_rightly(const struct doc *x)
{
	int64_t v;

	for (uint32_t t = 0; t < x->ntok; t++) {
		if (x->tok[t].flags & DOC_INTEGER && x->tok[t].type == DOC_NUMBER && !doc_int(x, t, &v))
			return true;
		if (x->tok[t].flags & DOC_ESCAPED) {
			struct buf s = BUF_INIT;

			doc_string(x, t, &s);
			bool zero = memchr(s.s, '\0', s.len) != NULL;
			buf_release(&s);
			if (zero)
				return true;
		}
	}
	return false;
}

static void same_value(const struct doc *x, uint32_t t, const json_t *j)
{
	static const json_type types[] = {
		JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_REAL, JSON_STRING, JSON_ARRAY, JSON_OBJECT
	};
	const struct tok *k = &x->tok[t];
	int64_t v;

	if (json_is_integer(j)) {
		expect(k->type == DOC_NUMBER && doc_int(x, t, &v) && v == json_integer_value(j),
			"another integer");
		return;
	}
	expect(types[k->type] == json_typeof(j), "another type");
	switch (k->type) {
	case DOC_NUMBER:
		expect(!doc_int(x, t, &v) && doc_double(x, t) == json_real_value(j), "another real");
		break;
	case DOC_STRING:
		expect(doc_equals(x, t, json_string_value(j), json_string_length(j)), "another string");
		break;
	case DOC_ARRAY: {
		uint32_t e = t + 1;

		expect(k->n == json_array_size(j), "another number of elements");
		for (uint32_t i = 0; i < k->n; i++, e = x->tok[e].next)
			same_value(x, e, json_array_get(j, i));
		expect(e == k->next, "elements end elsewhere");
		break;
	}
	case DOC_OBJECT: {
		const char *key;
		json_t *value, *object = json_copy((json_t *)(uintptr_t)j); /* iterators want no const */

		expect(k->n == json_object_size(j), "another number of members");
		json_object_foreach(object, key, value) {
			uint32_t m = doc_member(x, t, key, strlen(key));

			expect(m != DOC_NONE, "a member is not found");
			same_value(x, m, value);
		}
		json_decref(object);
		break;
	}
	}
}

/* Members come in strictly ascending order, and each is found. */
static void check_walks(const struct doc *x)
{
	for (uint32_t t = 0; t < x->ntok; t++) {
		struct buf last = BUF_INIT, key = BUF_INIT;
		struct doc_walk w;
		uint32_t n = 0;

		if (x->tok[t].type != DOC_OBJECT)
			continue;
		doc_walk_init(&w, x, t);
		for (uint32_t k; (k = doc_walk_next(&w)); n++) {
			buf_reset(&key);
			buf_reserve(&key, 0);
			doc_string(x, k, &key);
			expect(n == 0 || doc_compare_keys(last.s, last.len, key.s, key.len) < 0,
				"members out of order");
			expect(doc_member(x, t, key.s, key.len) == k + 1, "a member is found elsewhere");
			buf_reset(&last);
			buf_add(&last, key.s, key.len);
		}
		expect(n == x->tok[t].n, "a walk over other members");
		buf_release(&last);
		buf_release(&key);
	}
}

/* Below object t, is k a name? */
static bool is_key(const struct doc *x, uint32_t k)
{
	/* a name's only mark is its place: an object's first token, or behind a value in an object */
	for (uint32_t t = 0; t < k; t++)
		if (x->tok[t].type == DOC_OBJECT && k < x->tok[t].next)
			for (uint32_t i = 0, m = t + 1; i < x->tok[t].n; i++, m = x->tok[m + 1].next)
				if (m == k)
					return true;
	return false;
}

static void check_canon(const struct doc *x, uint32_t skip, struct buf *out)
{
	struct doc slow = *x, again = DOC_INIT;
	struct buf text = BUF_INIT, twice = BUF_INIT;
	char hex[HEX_SIZE], direct[HEX_SIZE];

	buf_reset(out);
	canon_value(out, x, 0, skip);
	slow.canonical = false;
	canon_value(&text, &slow, 0, skip);
	expect(text.len == out->len && memcmp(text.s, out->s, text.len) == 0, "fast and slow canonical text "
		"differ");
	char *copy = padded(out->s, out->len);
	expect(doc_parse(&again, copy, out->len, DEPTH) == 0, "canonical text does not read back");
	expect(again.canonical, "canonical text is not seen to be canonical");
	again.canonical = false;
	canon_value(&twice, &again, 0, DOC_NONE);
	expect(twice.len == out->len && memcmp(twice.s, out->s, twice.len) == 0, "canonical text is no "
		"fixed point");
	canon_hash(x, 0, skip, hex);
	digest_hex(out->s, out->len, direct);
	expect(strcmp(hex, direct) == 0, "the hash is of something else");
	free(copy);
	doc_release(&again);
	buf_release(&text);
	buf_release(&twice);
}

static void check_values(const struct doc *x)
{
	struct buf p = BUF_INIT, out = BUF_INIT;
	uint32_t few = x->ntok < 40 ? x->ntok : 40, found;

	for (uint32_t t = 0; t < few; t++) {
		if (is_key(x, t))
			continue;
		buf_reset(&p);
		buf_reserve(&p, 0);
		pointer_of(x, t, &p);
		expect(pointer_valid(p.s, p.len), "pointer_of is no pointer");
		expect(pointer_find(x, 0, p.s, p.len, &found) && found == t, "a pointer leads elsewhere");
		if (t > 0)
			check_canon(x, t, &out);
	}
	buf_release(&p);
	buf_release(&out);
}

static void check_accepted(const struct doc *x, const char *text, size_t size, const json_t *j)
{
	struct buf out = BUF_INIT;

	expect(j || differs_rightly(x), "accepted, unlike jansson");
	expect(memchr(text, '\0', size) == NULL, "a zero byte is accepted");
	if (j)
		same_value(x, 0, j);
	check_walks(x);
	check_canon(x, DOC_NONE, &out);
	bool same = out.len == size && memcmp(out.s, text, size) == 0;
	expect(same == x->canonical, "canonical is not what it says");
	check_values(x);
	buf_release(&out);
}

static void check_refused(const struct doc *x, const char *text, size_t size, const json_t *j)
{
	struct buf p = BUF_INIT;
	size_t line = 1, column = 1;

	expect(!j || memchr(text, '\0', size), "refused, unlike jansson");
	expect(x->err.offset <= size, "an error beyond the text");
	for (size_t i = 0; i < x->err.offset; i++, column++)
		if (text[i] == '\n') {
			line++;
			column = 0;
		}
	expect(x->err.line == line && x->err.column == column, "another line or column");
	expect(x->err.reason[0] && strlen(x->err.reason) < sizeof x->err.reason, "no reason, or one too "
		"long");
	doc_error_pointer(x, &p);
	expect(pointer_valid(p.s ? p.s : "", p.len), "the error's pointer is none");
	buf_release(&p);
}

/* Value after value must come to the same as all at once. */
static void check_next(const char *text, size_t size, bool accepted)
{
	struct doc one = DOC_INIT;
	size_t used, values = 0;
	int r;

	for (size_t at = 0;; at += used, values++) {
		r = doc_parse_next(&one, text + at, size - at, DEPTH, &used);
		if (r != 1)
			break;
		expect(used > 0 && used <= size - at, "a value that takes no room");
	}
	expect(accepted == (r == 0 && values == 1), "several values, unlike one");
	doc_release(&one);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = padded(data, size);
	json_t *j = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	bool accepted = doc_parse(&d, text, size, DEPTH) == 0;

	if (accepted)
		check_accepted(&d, text, size, j);
	else
		check_refused(&d, text, size, j);
	check_next(text, size, accepted);
	json_decref(j);
	free(text);
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
	printf("fuzz_doc: %d inputs replayed\n", argc - 1);
	doc_release(&d);
	digest_close();
	return 0;
}
#endif
