/* ledger.c -- see ledger.h: the end of the chain, where it is written */
#include "ledger.h"

#include "io.h"
#include "ledger-line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 64 << 10 };

static int broken_tail(struct diag *d, const char *why)
{
	diag_add(d, MIG_INVALID, "ledger_broken", ledger_name, "the last entry cannot be trusted: %s", why);
	diag_hint(d, "mig-verify --ledger shows where the chain breaks");
	return -1;
}

/* Read backwards until tail holds a whole line, or all of the file: 0, or -1 and errno. */
static int read_tail(int fd, uint64_t size, struct buf *tail)
{
	for (uint64_t take = CHUNK;; take *= 4) {
		uint64_t n = take < size ? take : size;

		buf_reset(tail);
		buf_reserve(tail, n);
		ssize_t r = io_read_at(fd, tail->s, n, size - n);

		if (r != (ssize_t)n) {
			errno = r < 0 ? errno : EIO;
			return -1;
		}
		buf_setlen(tail, n);
		const char *end = n ? memrchr(tail->s, '\n', n) : NULL;

		if (n == size || (end && memrchr(tail->s, '\n', (size_t)(end - tail->s))))
			return 0;
	}
}

/* Set the chain to the entry in the n bytes of line. */
static int take_tail(struct ledger *l, const char *line, size_t n, struct diag *d)
{
	struct doc e = DOC_INIT;
	struct buf copy = BUF_INIT;

	buf_add(&copy, line, n);
	const char *why = ledger_line_read(&e, copy.s, n, &l->seq, l->head);

	if (!why) {
		ledger_line_keep(l->event, sizeof l->event, ledger_line_member(&e, "event"));
		ledger_line_keep(l->plan_hash, sizeof l->plan_hash, ledger_line_member(&e, "plan_hash"));
	}
	doc_release(&e);
	buf_release(&copy);
	return why ? broken_tail(d, why) : 0;
}

static int cut(struct ledger *l, uint64_t size, struct diag *d)
{
	if (ftruncate(l->fd, (off_t)size) == 0 && fdatasync(l->fd) == 0)
		return 0;
	return diag_add(d, MIG_PRECONDITION, "ledger_torn", ledger_name, "cannot cut off a torn last line: %s",
	                strerror(errno));
}

static int find_tail(struct ledger *l, struct buf *tail, bool repair, struct diag *d)
{
	struct stat st;

	if (fstat(l->fd, &st) < 0 || read_tail(l->fd, (uint64_t)st.st_size, tail) < 0)
		return diag_add(d, MIG_ERROR, "io_failed", ledger_name, "cannot read: %s", strerror(errno));
	const char *lf = tail->len ? memrchr(tail->s, '\n', tail->len) : NULL;
	size_t whole = lf ? (size_t)(lf - tail->s) + 1 : 0, torn = tail->len - whole;

	l->size = (uint64_t)st.st_size - torn;
	if (torn) {
		if (repair && cut(l, l->size, d) < 0)
			return -1;
		diag_warn(d, "ledger_torn", ledger_name, "the last line was torn (%zu bytes)%s", torn,
		          repair ? " and is cut off" : "");
	}
	if (whole == 0)
		return 0;
	const char *before = whole > 1 ? memrchr(tail->s, '\n', whole - 1) : NULL;
	const char *line = before ? before + 1 : tail->s;

	return take_tail(l, line, (size_t)(tail->s + whole - 1 - line), d);
}

int ledger_open(struct ledger *l, int fd, bool repair, struct diag *d)
{
	struct buf tail = BUF_INIT;

	*l = (struct ledger){ .fd = fd, .head = LEDGER_START };
	int rc = find_tail(l, &tail, repair, d);

	buf_release(&tail);
	l->written_seq = l->seq;
	memcpy(l->written_head, l->head, HEX_SIZE);
	return rc;
}

void ledger_release(struct ledger *l)
{
	if (l->fd >= 0)
		close(l->fd);
	buf_release(&l->pending);
	free(l->mark);
	*l = (struct ledger)LEDGER_INIT;
}

void ledger_detach(struct ledger *l, const struct relay *r)
{
	if (!l->indexed && l->fd >= 0) {
		close(l->fd);
		l->fd = -1;
	}
	buf_reset(&l->pending);
	l->relay = r;
}

/* The entry that stands in pending from at on is the last one now. */
static void appended(struct ledger *l, struct text plan_hash, struct text event, size_t at)
{
	if (l->indexed && !l->relay)
		ledger_mark_add(l, plan_hash, event, l->size + at, l->pending.len - at);
	buf_addch(&l->pending, '\n');
	ledger_line_keep(l->event, sizeof l->event, event);
	ledger_line_keep(l->plan_hash, sizeof l->plan_hash, plan_hash);
}

void ledger_append(struct ledger *l, const struct entry *e)
{
	struct text event = { e->event, strlen(e->event) };
	size_t at = l->pending.len;
	char prev[HEX_SIZE];

	memcpy(prev, l->head, HEX_SIZE);
	entry_write(&l->pending, e, ++l->seq, prev, l->head);
	for (size_t i = 0; l->indexed && i < e->nplans; i++)
		ledger_mark_add(l, (struct text){ e->plans[i], HEX_LEN }, event, l->size + at, l->pending.len - at);
	appended(l, e->plan_hash, event, at);
}

/* Write the entry once more with another place in the chain; with hash NULL without one. */
static void write_moved(struct buf *out, const struct doc *e, int64_t seq, const char *prev, const char *hash)
{
	struct doc_walk walk;
	uint32_t key;
	char sep = '{';

	for (doc_walk_init(&walk, e, 0); (key = doc_walk_next(&walk));) {
		bool is_hash = doc_equals(e, key, "hash", 4);
		size_t n;
		const char *span = doc_span(e, key, &n);

		if (is_hash && !hash)
			continue;
		buf_addch(out, sep);
		sep = ',';
		buf_add(out, span, n);
		buf_addch(out, ':');
		span = doc_span(e, key + 1, &n);
		if (is_hash)
			canon_string(out, hash, HEX_LEN);
		else if (doc_equals(e, key, "prev", 4))
			canon_string(out, prev, HEX_LEN);
		else if (doc_equals(e, key, "seq", 3))
			buf_addf(out, "%" PRId64, seq);
		else
			buf_add(out, span, n);
	}
	buf_addch(out, '}');
}

static void adopt_one(struct ledger *l, const struct doc *e, struct buf *bare)
{
	size_t at = l->pending.len;
	char prev[HEX_SIZE];

	memcpy(prev, l->head, HEX_SIZE);
	buf_reset(bare);
	write_moved(bare, e, ++l->seq, prev, NULL);
	digest_hex(bare->s, bare->len, l->head);
	write_moved(&l->pending, e, l->seq, prev, l->head);
	appended(l, ledger_line_member(e, "plan_hash"), ledger_line_member(e, "event"), at);
}

int ledger_adopt(struct ledger *l, const char *lines, size_t n, struct diag *d)
{
	struct buf line = BUF_INIT, bare = BUF_INIT;
	struct doc e = DOC_INIT;
	const char *lf;
	int rc = 0;

	for (; rc == 0 && n && (lf = memchr(lines, '\n', n)); n -= (size_t)(lf - lines) + 1, lines = lf + 1) {
		buf_reset(&line);
		buf_add(&line, lines, (size_t)(lf - lines));
		if (doc_parse(&e, line.s, line.len, RECORD_MAX_DEPTH) == 0)
			adopt_one(l, &e, &bare);
		else
			rc = diag_add(d, MIG_ERROR, "internal", ledger_name, "an entry does not read back: %s",
			              e.err.reason);
	}
	doc_release(&e);
	buf_release(&line);
	buf_release(&bare);
	return rc;
}

/* Forget what could not be written: the chain goes on where the file ends. */
static void take_back(struct ledger *l)
{
	while (l->nmark && l->mark[l->nmark - 1].offset >= l->size)
		l->nmark--;
	buf_reset(&l->pending);
	l->seq = l->written_seq;
	memcpy(l->head, l->written_head, HEX_SIZE);
}

/* What the operator can mend is MIG_PRECONDITION as long as no document was touched. */
static int write_failed(struct diag *d, int err, bool exchanged)
{
	bool full = err == ENOSPC || err == EDQUOT;
	enum mig_exit code = (full || err == EROFS) && !exchanged ? MIG_PRECONDITION : MIG_ERROR;

	return diag_add(d, code, full ? "store_full" : err == EROFS ? "store_readonly" : "io_failed", ledger_name,
	                "cannot write: %s", strerror(err));
}

/* Let the process that has the ledger do it; the last entry tells what it has to wait for. */
static int relay_sync(struct ledger *l, bool exchanged, bool *unsure, struct diag *d)
{
	bool ends = strcmp(l->event, "commit") == 0 || strcmp(l->event, "rollback") == 0;
	enum relay_ask what = ends ? RELAY_COMMIT : strcmp(l->event, "begin") == 0 ? RELAY_BEGIN : RELAY_RECORD;
	struct relay_answer a = { .unsure = false };
	int rc = l->relay->ask(l->relay->arg, what, exchanged, l->pending.s, l->pending.len, &a, d);

	buf_reset(&l->pending);
	l->dead = *unsure = a.unsure;
	if (rc == 0) {
		l->seq = a.seq;
		memcpy(l->head, a.head, HEX_SIZE);
	}
	return rc;
}

int ledger_sync(struct ledger *l, bool exchanged, bool *unsure, struct diag *d)
{
	struct stat st;

	*unsure = l->dead;
	if (l->dead)
		return diag_add(d, MIG_ERROR, "sync_failed", ledger_name,
		                "nothing more is written after a failed sync");
	if (l->relay)
		return relay_sync(l, exchanged, unsure, d);
	if (fstat(l->fd, &st) < 0 || (uint64_t)st.st_size != l->size) {
		take_back(l);
		return diag_add(d, exchanged ? MIG_ERROR : MIG_PRECONDITION, "ledger_broken", ledger_name,
		                "somebody else changed it while the lock was held");
	}
	if (io_write(l->fd, l->pending.s, l->pending.len) < 0) {
		int err = errno;

		take_back(l);
		/* part of a line may stand there; if it cannot be cut off now, the next writer will */
		if (ftruncate(l->fd, (off_t)l->size) < 0)
			l->dead = true;
		return write_failed(d, err, exchanged);
	}
	if (fdatasync(l->fd) < 0) {
		l->dead = *unsure = true;
		return diag_add(d, MIG_ERROR, "sync_failed", ledger_name, "%s", strerror(errno));
	}
	l->size += l->pending.len;
	buf_reset(&l->pending);
	l->written_seq = l->seq;
	memcpy(l->written_head, l->head, HEX_SIZE);
	return 0;
}
