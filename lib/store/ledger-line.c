/* ledger-line.c -- see ledger-line.h */
#include "ledger-line.h"

#include "io.h"

#include <errno.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 64 << 20 };

const char ledger_name[] = "ledger";

struct text ledger_line_member(const struct doc *e, const char *name)
{
	uint32_t t = doc_member(e, 0, name, strlen(name));

	if (t == DOC_NONE || e->tok[t].type != DOC_STRING || (e->tok[t].flags & DOC_ESCAPED))
		return (struct text){ NULL, 0 };
	return (struct text){ e->text + e->tok[t].off + 1, e->tok[t].len - 2 };
}

void ledger_line_keep(char *to, size_t size, struct text v)
{
	size_t n = v.s && v.n < size ? v.n : 0;

	if (n)
		memcpy(to, v.s, n);
	to[n] = '\0';
}

/* A hash is over the canonical text: white space and escapes could be changed under it. */
static bool is_canonical(const struct doc *e, const char *line, size_t n)
{
	struct buf b = BUF_INIT;

	if (e->canonical)
		return true;
	canon_value(&b, e, 0, DOC_NONE);
	bool same = b.len == n && memcmp(b.s, line, n) == 0;

	buf_release(&b);
	return same;
}

const char *ledger_line_read(struct doc *e, const char *line, size_t n, int64_t *seq, char hash[HEX_SIZE])
{
	char is[HEX_SIZE];

	if (doc_parse(e, line, n, RECORD_MAX_DEPTH) < 0)
		return "not JSON";
	if (!text_is(ledger_line_member(e, "kind"), "entry"))
		return "not an entry";
	uint32_t t = doc_member(e, 0, "seq", 3);

	if (t == DOC_NONE || !doc_int(e, t, seq) || *seq < 1)
		return "no seq";
	if (!record_sum_holds(e, 0, "hash", hash, is))
		return "its hash does not hold: it was edited";
	if (!is_canonical(e, line, n))
		return "it is not spelled as it was written: it was edited";
	return NULL;
}

int ledger_lines(int fd, int (*each)(void *arg, const char *s, size_t n, uint64_t offset), void *arg,
                     struct diag *d)
{
	struct lines in;
	const char *s;
	size_t n;
	uint64_t offset = 0;
	int rc;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return diag_add(d, MIG_ERROR, "io_failed", ledger_name, "cannot read: %s", strerror(errno));
	lines_init(&in, fd, LINE_MAX_BYTES);
	while ((rc = lines_next(&in, &s, &n, d)) > 0) {
		if (in.torn) {
			diag_warn(d, "ledger_torn", ledger_name, "the last line is torn (%zu bytes)", n);
			rc = 0;
			break;
		}
		if (each(arg, s, n, offset) < 0) {
			rc = -1;
			break;
		}
		offset += n + 1;
	}
	lines_release(&in);
	return rc;
}
