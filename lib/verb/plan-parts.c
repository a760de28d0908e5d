/* plan-parts.c -- see plan-parts.h */
#include "plan-parts.h"

#include "plan.h"

#include <inttypes.h>
#include <stdlib.h>

void plan_parts_init(struct plan_parts *x, struct spool *steps, uint64_t max, struct diag *d)
{
	*x = (struct plan_parts){ .steps = steps, .max = max, .d = d };
}

void plan_parts_release(struct plan_parts *x)
{
	free(x->size);
	free(x->entry);
	buf_release(&x->text);
	buf_release(&x->steps_text);
	buf_release(&x->entries);
}

/* The plan that was filled ends here. */
static void cut(struct plan_parts *x)
{
	if (x->nhere == 0)
		return;
	if (x->n == x->cap) {
		x->cap = x->cap ? x->cap * 2 : 16;
		x->size = xrealloc(x->size, x->cap, sizeof *x->size);
	}
	x->size[x->n++] = x->nhere;
	x->nhere = 0;
	x->bytes_here = 0;
}

int plan_parts_add(void *arg, const struct buf *blob)
{
	struct plan_parts *x = arg;

	if (x->nhere && (x->nhere == x->max || x->bytes_here + blob->len > PLAN_BYTES))
		cut(x);
	x->nhere++;
	x->bytes_here += blob->len;
	return spool_add(x->steps, blob->s, blob->len, x->d);
}

/* Append a spooled text with its index in the place that the NUL keeps. */
static void add_indexed(struct buf *b, const char *s, size_t n, uint64_t index)
{
	const char *nul = memchr(s, '\0', n);

	buf_add(b, s, (size_t)(nul - s));
	buf_addf(b, "%" PRIu64, index);
	buf_add(b, nul + 1, n - (size_t)(nul - s) - 1);
}

/* The next n steps as steps_text, which is the array, and entries, which are not: they come the other way round. */
static int collect(struct plan_parts *x, uint64_t n)
{
	const char *s, *lf;
	size_t len;

	buf_reset(&x->steps_text);
	buf_reset(&x->entries);
	for (uint64_t i = 0; i < n; i++) {
		if (spool_next(x->steps, &s, &len, x->d) <= 0)
			return -1;
		lf = memchr(s, '\n', len);
		buf_addch(&x->steps_text, i ? ',' : '[');
		add_indexed(&x->steps_text, s, (size_t)(lf - s), i + 1);
		x->entry[i] = x->entries.len;
		add_indexed(&x->entries, lf + 1, len - (size_t)(lf - s) - 1, n - i);
	}
	x->entry[n] = x->entries.len;
	buf_addch(&x->steps_text, ']');
	return 0;
}

/* The rollback entries stand in reverse: the last step's comes first. */
static int put_plan(struct plan_parts *x, const struct plan_head *h, size_t part, struct out *out, struct tally *t)
{
	struct buf *b = &x->text;
	uint64_t n = x->size[part];
	size_t at;

	if (collect(x, n) < 0)
		return -1;
	buf_reset(b);
	buf_addstr(b, "{\"header\":");
	plan_head_put(h, part + 1, x->n, b);
	buf_addstr(b, ",\"kind\":\"plan\",");
	at = b->len;
	buf_addstr(b, "\"rollback\":");
	for (uint64_t i = n; i-- > 0;) {
		buf_addch(b, i + 1 == n ? '[' : ',');
		buf_add(b, x->entries.s + x->entry[i], x->entry[i + 1] - x->entry[i]);
	}
	buf_addstr(b, "],\"steps\":");
	buf_add(b, x->steps_text.s, x->steps_text.len);
	buf_addch(b, '}');
	return plan_put(out, b, at, t);
}

int plan_parts_put(struct plan_parts *x, const struct plan_head *h, struct out *out)
{
	struct tally t;
	int rc = spool_rewind(x->steps, x->d);

	cut(x);
	tally_init(&t);
	x->entry = xcalloc((size_t)x->max + 1, sizeof *x->entry);
	for (size_t part = 0; part < x->n && rc >= 0; part++)
		rc = put_plan(x, h, part, out, &t);

	if (rc >= 0)
		rc = stream_put_tally(out, "mig-plan", &t);
	tally_release(&t);
	return rc < 0 ? -1 : 0;
}
