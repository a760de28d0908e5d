/*
 * overlay-writer.h -- writing pieces of a document's text, and values that are not in it.
 *
 * Floor 5.  For overlay-text.c.  Pieces that are neighbours in memory become one copy.
 */
#ifndef MIG_OVERLAY_WRITER_H
#define MIG_OVERLAY_WRITER_H

#include "overlay.h"
#include "style.h"

struct writer {
	struct overlay *o;
	struct buf *out;
	size_t start;    /* of what is written, in out */
	struct text run; /* bytes side by side in memory that have not been copied yet */
	bool failed;     /* too long, or too deep */
};

/* Copy what was put so far; to be called before something else writes to out, and at the end. */
void writer_flush(struct writer *w);

/* Put bytes that stay where they are until the next writer_flush. */
static inline void writer_put(struct writer *w, struct text t)
{
	if (w->run.n > 0 && w->run.s + w->run.n == t.s) {
		w->run.n += t.n;
	} else if (t.n > 0) {
		writer_flush(w);
		w->run = t;
	}
}

/* The style of the source, found out once. */
const struct style *writer_style(struct writer *w);

/* Two texts as one, in the overlay's arena. */
struct text writer_concat(struct writer *w, struct text a, struct text b);

/* Put a value of a patch: as canonical JSON, or laid out by s. */
void writer_put_canonical(struct writer *w, const struct doc *d, uint32_t t);
void writer_put_new(struct writer *w, const struct doc *d, uint32_t t, const struct style *s);

#endif
