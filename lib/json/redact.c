/* redact.c -- see redact.h */
#include "redact.h"

void redact_text(struct buf *out, const char *s, size_t n)
{
	size_t i = 0, done = 0, from, to;

	while (secret_next(s, n, SECRET_ANY, &i, &from, &to)) {
		buf_add(out, s + done, from - done);
		buf_addstr(out, REDACTED);
		done = to;
	}
	buf_add(out, s + done, n - done);
}
