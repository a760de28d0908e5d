/*
 * fuzz_patch.c -- two JSON values, and perhaps a third.
 *
 * The difference of the first two must lead from one to the other and back,
 * in canonical bytes and in the first one's own spelling.  The third is taken
 * for a patch of the first: whatever it says, the result is JSON or a refusal.
 *
 * clang -fsanitize=fuzzer,address,undefined, or with -DREPLAY a program that
 * runs the files given as arguments.
 */
#include "canon.h"
#include "patch.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct parsed {
	struct buf text;
	struct doc doc;
};

static void must(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "broken: %s\n", what);
		abort();
	}
}

/* Parse what stands in p->text. */
static bool index_text(struct parsed *p)
{
	buf_reserve(&p->text, 1);
	return doc_parse(&p->doc, p->text.s, p->text.len, RECORD_MAX_DEPTH) == 0;
}

static void canonical(struct parsed *to, const struct doc *d)
{
	buf_reset(&to->text);
	canon_value(&to->text, d, 0, DOC_NONE);
	must(index_text(to) && to->doc.canonical, "canonical text is canonical");
}

typedef int patching(const struct doc *, const struct patch_list *, size_t, struct buf *, const char *, struct diag *);

static int run(const struct parsed *src, const struct parsed *patch, struct parsed *out, patching *verb)
{
	struct patch_list l = { &patch->doc, 0 };
	struct diag d = DIAG_INIT;

	buf_reset(&out->text);
	int e = verb(&src->doc, &l, 1, &out->text, "fuzz", &d);

	must((e == 0) == (d.n == 0), "a failure has a finding");
	diag_release(&d);
	return e;
}

static int splice(const struct parsed *src, const struct parsed *patch, struct parsed *out)
{
	return run(src, patch, out, patch_splice);
}

static int replay(const struct parsed *src, const struct parsed *patch, struct parsed *out)
{
	return run(src, patch, out, patch_replay);
}

static bool same(const struct parsed *a, const struct parsed *b)
{
	return a->text.len == b->text.len && memcmp(a->text.s, b->text.s, a->text.len) == 0;
}

enum { FIRST, SECOND, PATCH, BEFORE, AFTER, DO, UNDO, OUT, CANON, NPARSED };

static struct parsed p[NPARSED];

static void check_difference(void)
{
	struct patch_facts f;
	struct diag d = DIAG_INIT;

	canonical(&p[BEFORE], &p[FIRST].doc);
	canonical(&p[AFTER], &p[SECOND].doc);
	buf_reset(&p[DO].text);
	buf_reset(&p[UNDO].text);
	patch_diff(&p[BEFORE].doc, &p[AFTER].doc, &p[DO].text, &p[UNDO].text);
	must(index_text(&p[DO]) && p[DO].doc.canonical, "patch is canonical");
	must(index_text(&p[UNDO]) && p[UNDO].doc.canonical, "undo is canonical");
	must(patch_facts(&p[DO].doc, 0, &f, "fuzz", &d) == 0, "patch is a patch");
	must(patch_facts(&p[UNDO].doc, 0, &f, "fuzz", &d) == 0, "undo is a patch");
	must(patch_is_diff(&p[DO].doc, 0) && patch_is_diff(&p[UNDO].doc, 0), "both are differences");
	must(replay(&p[BEFORE], &p[DO], &p[OUT]) == 0 && same(&p[OUT], &p[AFTER]), "do");
	must(replay(&p[AFTER], &p[UNDO], &p[OUT]) == 0 && same(&p[OUT], &p[BEFORE]), "undo");

	must(replay(&p[FIRST], &p[DO], &p[OUT]) == 0 && index_text(&p[OUT]), "do in the source");
	canonical(&p[CANON], &p[OUT].doc);
	must(same(&p[CANON], &p[AFTER]), "do in the source gives after");
	/* p[FIRST] has been used; its room takes the way back */
	must(replay(&p[OUT], &p[UNDO], &p[FIRST]) == 0 && index_text(&p[FIRST]), "undo in the source");
	canonical(&p[CANON], &p[FIRST].doc);
	must(same(&p[CANON], &p[BEFORE]), "undo in the source gives before");
}

static void check_patch(void)
{
	if (splice(&p[FIRST], &p[PATCH], &p[OUT]) < 0 || index_text(&p[OUT]))
		return;
	/* only the reader knows how deep the untouched parts are */
	must(strstr(p[OUT].doc.err.reason, "deep") != NULL, "a patched text is JSON");
}

/* The next value of a text into p[i]. */
static bool take(int i, const struct buf *text, size_t *at)
{
	size_t used;

	if (doc_parse_next(&p[i].doc, text->s + *at, text->len - *at, RECORD_MAX_DEPTH, &used) != 1)
		return false;
	buf_reset(&p[i].text);
	buf_add(&p[i].text, text->s + *at, used);
	*at += used;
	return index_text(&p[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT;
	size_t at = 0;

	buf_reserve(&text, size);
	if (size > 0)
		buf_add(&text, (const char *)data, size);
	if (take(FIRST, &text, &at) && take(SECOND, &text, &at)) {
		if (take(PATCH, &text, &at))
			check_patch();
		check_difference();
	}
	buf_release(&text);
	for (int i = 0; i < NPARSED; i++) {
		buf_release(&p[i].text);
		doc_release(&p[i].doc);
	}
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
		LLVMFuzzerTestOneInput((const uint8_t *)b.s, b.len);
		buf_release(&b);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
#endif
