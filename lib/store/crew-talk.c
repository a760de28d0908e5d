/* crew-talk.c -- see crew-talk.h */
#include "crew-talk.h"

#include "io.h"

#include <errno.h>
#include <string.h>

static const uint32_t none = UINT32_MAX;

int message_send(int fd, uint32_t what, uint32_t flag, const struct buf *text)
{
	struct message m = { .what = what, .flag = flag, .n = text ? text->len : 0 };

	if (io_write(fd, &m, sizeof m) < 0)
		return -1;
	return m.n ? io_write(fd, text->s, m.n) : 0;
}

int message_receive(int fd, struct message *m, struct buf *text)
{
	ssize_t r = io_read(fd, m, sizeof *m);

	buf_reset(text);
	if (r != (ssize_t)sizeof *m)
		return r < 0 ? -1 : 0;
	buf_reserve(text, m->n);
	if ((r = io_read(fd, text->s, m->n)) != (ssize_t)m->n)
		return r < 0 ? -1 : 0;
	buf_setlen(text, m->n);
	return 1;
}

void message_add(struct buf *b, const void *p, size_t n)
{
	uint32_t size = p ? (uint32_t)n : none;

	buf_add(b, (const char *)&size, sizeof size);
	if (p)
		buf_add(b, p, n);
}

const char *message_take(const struct buf *b, size_t *at, size_t *n)
{
	uint32_t size;

	memcpy(&size, b->s + *at, sizeof size);
	*at += sizeof size;
	*n = size == none ? 0 : size;
	const char *p = size == none ? NULL : b->s + *at;

	*at += *n;
	return p;
}

static void add_string(struct buf *b, const char *s)
{
	message_add(b, s, s ? strlen(s) + 1 : 0);
}

void message_add_findings(struct buf *b, const struct diag *d, size_t first)
{
	uint32_t n = (uint32_t)(d->n - first);

	message_add(b, &n, sizeof n);
	for (size_t i = first; i < d->n; i++) {
		const struct finding *f = &d->list[i];
		uint32_t code = f->exit;

		message_add(b, &code, sizeof code);
		add_string(b, f->rule);
		add_string(b, f->where);
		add_string(b, f->message);
	}
	add_string(b, d->hint);
}

void message_take_findings(const struct buf *b, size_t *at, struct diag *d)
{
	uint32_t count, code;
	size_t n;

	memcpy(&count, message_take(b, at, &n), sizeof count);
	while (count--) {
		memcpy(&code, message_take(b, at, &n), sizeof code);
		const char *rule = message_take(b, at, &n), *where = message_take(b, at, &n);
		const char *message = message_take(b, at, &n);

		if (code == MIG_OK)
			diag_warn(d, rule, where, "%s", message);
		else
			diag_add(d, (enum mig_exit)code, rule, where, "%s", message);
	}
	const char *hint = message_take(b, at, &n);

	if (hint)
		diag_hint(d, "%s", hint);
}
