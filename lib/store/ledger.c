/* ledger.c -- see ledger.h */
#include "ledger.h"

#include "io.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char where[] = "ledger";

enum { LINE_MAX_BYTES = 64 << 20, CHUNK = 64 << 10 };

void entry_init(struct entry *e, const char *event, const struct plan *p, const struct grant *g, const char *user,
                const char *time)
{
	*e = (struct entry){
		.event = event,
		.actor = g->actor,
		.env = p->env,
		.migration_id = p->migration_id,
		.nonce = g->nonce,
		.plan_hash = { p->hash, HEX_LEN },
		.project = p->project,
		.reason = p->reason,
		.target_version = p->target_version,
		.tenant = p->tenant,
		.ticket = g->ticket,
		.user = { user, strlen(user) },
		.time = time,
	};
	if (p->rollback_mode)
		e->undoes = p->undoes;
}

static void write_hashes(struct rec *w, const char *name, const char *const *hash, size_t n)
{
	rec_name(w, name);
	buf_addch(w->b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addch(w->b, ',');
		if (hash[i])
			canon_string(w->b, hash[i], HEX_LEN);
		else
			buf_add(w->b, "null", 4);
	}
	buf_addch(w->b, ']');
}

/* With hash NULL: the text that the hash is taken of. */
static void write_members(struct buf *out, const struct entry *e, int64_t seq, const char *prev, const char *hash)
{
	struct rec w;

	rec_open(&w, out);
	rec_str(&w, "actor", e->actor);
	if (e->backups)
		rec_raw(&w, "backups", e->backups, strlen(e->backups));
	if (e->before) {
		rec_cstr(&w, "before", e->before);
		rec_int(&w, "bytes", e->bytes);
	}
	if (e->code)
		rec_cstr(&w, "code", e->code);
	if (e->written)
		rec_int(&w, "duration_ms", e->duration_ms);
	rec_str(&w, "env", e->env);
	rec_cstr(&w, "event", e->event);
	if (e->code)
		rec_int(&w, "findings", e->findings);
	if (hash)
		rec_cstr(&w, "hash", hash);
	if (e->kept)
		rec_cstr(&w, "kept", e->kept);
	rec_cstr(&w, "kind", "entry");
	rec_str(&w, "migration_id", e->migration_id);
	rec_str(&w, "nonce", e->nonce);
	if (e->before)
		rec_int(&w, "objects", e->objects);
	rec_str(&w, "plan_hash", e->plan_hash);
	if (e->before)
		write_hashes(&w, "plans", (const char *const *)e->plans, e->nplans);
	rec_cstr(&w, "prev", prev);
	rec_str(&w, "project", e->project);
	rec_str(&w, "reason", e->reason);
	if (e->ref.s)
		rec_str(&w, "ref", e->ref);
	rec_int(&w, "seq", seq);
	rec_str(&w, "target_version", e->target_version);
	rec_str(&w, "tenant", e->tenant);
	rec_str(&w, "ticket", e->ticket);
	rec_cstr(&w, "time", e->time);
	if (e->undoes.s)
		rec_str(&w, "undoes", e->undoes);
	rec_str(&w, "user", e->user);
	if (e->written)
		write_hashes(&w, "written", e->written, e->nwritten);
	rec_close(&w);
}

void entry_write(struct buf *out, const struct entry *e, int64_t seq, const char *prev, char hash[HEX_SIZE])
{
	struct buf bare = BUF_INIT;

	write_members(&bare, e, seq, prev, NULL);
	digest_hex(bare.s, bare.len, hash);
	buf_release(&bare);
	write_members(out, e, seq, prev, hash);
}

/*
 * Read /etc/passwd, not the name services behind getpwuid: they load libraries,
 * and glibc aborts in them where memory is short.
 */
char *ledger_user(void)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *pw = NULL;
	char *name = NULL;

	while (f && (pw = fgetpwent(f)) && pw->pw_uid != getuid())
		;
	/* a name that JSON cannot hold is as good as none */
	for (const char *s = pw ? pw->pw_name : NULL; s && !name; s++) {
		if (*s == '\0')
			name = xstrdup(pw->pw_name);
		else if (*s < 0x20 || *s > 0x7e)
			break;
	}
	if (f)
		fclose(f);
	return name ? name : xasprintf("%lu", (unsigned long)getuid());
}

void ledger_time(const char *fixed, char out[LEDGER_TIME_SIZE])
{
	time_t now = time(NULL);
	struct tm tm;

	if (fixed)
		snprintf(out, LEDGER_TIME_SIZE, "%s", fixed);
	else if (!gmtime_r(&now, &tm) || !strftime(out, LEDGER_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(out, LEDGER_TIME_SIZE, "1970-01-01T00:00:00Z");
}

/* A string member's characters, undecoded: ours hold no escapes where we look. */
static struct text member(const struct doc *e, const char *name)
{
	uint32_t t = doc_member(e, 0, name, strlen(name));

	if (t == DOC_NONE || e->tok[t].type != DOC_STRING || (e->tok[t].flags & DOC_ESCAPED))
		return (struct text){ NULL, 0 };
	return (struct text){ e->text + e->tok[t].off + 1, e->tok[t].len - 2 };
}

/* Copy what fits; a text that is absent or too long gives "". */
static void keep(char *to, size_t size, struct text v)
{
	size_t n = v.s && v.n < size ? v.n : 0;

	if (n)
		memcpy(to, v.s, n);
	to[n] = '\0';
}

/* Index a line and check that it is an entry whose hash holds: NULL, or what is wrong with it. */
static const char *read_entry(struct doc *e, const char *line, size_t n, int64_t *seq, char hash[HEX_SIZE])
{
	char is[HEX_SIZE];

	if (doc_parse(e, line, n, RECORD_MAX_DEPTH) < 0)
		return "not JSON";
	if (!text_is(member(e, "kind"), "entry"))
		return "not an entry";
	uint32_t t = doc_member(e, 0, "seq", 3);

	if (t == DOC_NONE || !doc_int(e, t, seq) || *seq < 1)
		return "no seq";
	if (!record_sum_holds(e, 0, "hash", hash, is))
		return "its hash does not hold: it was edited";
	return NULL;
}

static int broken_tail(struct diag *d, const char *why)
{
	diag_add(d, MIG_PRECONDITION, "ledger_broken", where, "the last entry cannot be trusted: %s", why);
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
		for (size_t got = 0; got < n;) {
			ssize_t r = pread(fd, tail->s + got, n - got, (off_t)(size - n + got));

			if (r < 0 && errno == EINTR)
				continue;
			if (r <= 0) {
				errno = r < 0 ? errno : EIO;
				return -1;
			}
			got += (size_t)r;
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
	const char *why = read_entry(&e, copy.s, n, &l->seq, l->head);

	if (!why) {
		keep(l->event, sizeof l->event, member(&e, "event"));
		keep(l->plan_hash, sizeof l->plan_hash, member(&e, "plan_hash"));
	}
	doc_release(&e);
	buf_release(&copy);
	return why ? broken_tail(d, why) : 0;
}

static int cut(struct ledger *l, uint64_t size, struct diag *d)
{
	if (ftruncate(l->fd, (off_t)size) == 0 && fdatasync(l->fd) == 0)
		return 0;
	return diag_add(d, MIG_PRECONDITION, "ledger_torn", where, "cannot cut off a torn last line: %s",
	                strerror(errno));
}

static int find_tail(struct ledger *l, struct buf *tail, bool repair, struct diag *d)
{
	struct stat st;

	if (fstat(l->fd, &st) < 0 || read_tail(l->fd, (uint64_t)st.st_size, tail) < 0)
		return diag_add(d, MIG_ERROR, "io_failed", where, "cannot read: %s", strerror(errno));
	const char *lf = tail->len ? memrchr(tail->s, '\n', tail->len) : NULL;
	size_t whole = lf ? (size_t)(lf - tail->s) + 1 : 0, torn = tail->len - whole;

	l->size = (uint64_t)st.st_size - torn;
	if (torn) {
		if (repair && cut(l, l->size, d) < 0)
			return -1;
		diag_warn(d, "ledger_torn", where, "the last line was torn (%zu bytes)%s", torn,
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

static void add_mark(struct ledger *l, struct text plan_hash, struct text event, uint64_t offset, size_t len)
{
	if (text_is(event, "verify"))
		return;
	if (l->nmark == l->markcap) {
		l->markcap = l->markcap ? l->markcap * 2 : 64;
		l->mark = xrealloc(l->mark, l->markcap, sizeof *l->mark);
	}
	struct ledger_mark *m = &l->mark[l->nmark++];

	*m = (struct ledger_mark){ .offset = offset, .len = len };
	keep(m->plan_hash, sizeof m->plan_hash, plan_hash);
	keep(m->event, sizeof m->event, event);
}

/* The entry that stands in pending from at on is the last one now. */
static void appended(struct ledger *l, struct text plan_hash, struct text event, size_t at)
{
	if (l->indexed)
		add_mark(l, plan_hash, event, l->size + at, l->pending.len - at);
	buf_addch(&l->pending, '\n');
	keep(l->event, sizeof l->event, event);
	keep(l->plan_hash, sizeof l->plan_hash, plan_hash);
}

void ledger_append(struct ledger *l, const struct entry *e)
{
	struct text event = { e->event, strlen(e->event) };
	size_t at = l->pending.len;
	char prev[HEX_SIZE];

	memcpy(prev, l->head, HEX_SIZE);
	entry_write(&l->pending, e, ++l->seq, prev, l->head);
	for (size_t i = 0; l->indexed && i < e->nplans; i++)
		add_mark(l, (struct text){ e->plans[i], HEX_LEN }, event, l->size + at, l->pending.len - at);
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
	appended(l, member(e, "plan_hash"), member(e, "event"), at);
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
			rc = diag_add(d, MIG_ERROR, "internal", where, "an entry does not read back: %s", e.err.reason);
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

	return diag_add(d, code, full ? "store_full" : err == EROFS ? "store_readonly" : "io_failed", where,
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
		return diag_add(d, MIG_ERROR, "sync_failed", where, "nothing more is written after a failed sync");
	if (l->relay)
		return relay_sync(l, exchanged, unsure, d);
	if (fstat(l->fd, &st) < 0 || (uint64_t)st.st_size != l->size) {
		take_back(l);
		return diag_add(d, exchanged ? MIG_ERROR : MIG_PRECONDITION, "ledger_broken", where,
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
		return diag_add(d, MIG_ERROR, "sync_failed", where, "%s", strerror(errno));
	}
	l->size += l->pending.len;
	buf_reset(&l->pending);
	l->written_seq = l->seq;
	memcpy(l->written_head, l->head, HEX_SIZE);
	return 0;
}

/* Walk over the lines of the file from its start; each gets an offset and may stop with -1. */
static int each_line(int fd, int (*each)(void *arg, const char *s, size_t n, uint64_t offset), void *arg,
                     struct diag *d)
{
	struct lines in;
	const char *s;
	size_t n;
	uint64_t offset = 0;
	int rc;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return diag_add(d, MIG_ERROR, "io_failed", where, "cannot read: %s", strerror(errno));
	lines_init(&in, fd, LINE_MAX_BYTES);
	while ((rc = lines_next(&in, &s, &n, d)) > 0) {
		if (in.torn) {
			diag_warn(d, "ledger_torn", where, "the last line is torn (%zu bytes)", n);
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

struct indexing {
	struct ledger *l;
	struct doc doc;
	struct diag *d;
};

/* A hash in a list; none where there is something else. */
static struct text hash_at(const struct doc *e, uint32_t t)
{
	if (e->tok[t].type != DOC_STRING || e->tok[t].len != HEX_LEN + 2)
		return (struct text){ NULL, 0 };
	return (struct text){ e->text + e->tok[t].off + 1, HEX_LEN };
}

static int index_line(void *arg, const char *s, size_t n, uint64_t offset)
{
	struct indexing *x = arg;

	if (offset >= x->l->size)
		return 0;
	if (doc_parse(&x->doc, s, n, RECORD_MAX_DEPTH) < 0)
		return diag_add(x->d, MIG_PRECONDITION, "ledger_broken", where, "line at byte %" PRIu64 ": not JSON",
		                offset);
	uint32_t plans = doc_member(&x->doc, 0, "plans", 5);
	struct text event = member(&x->doc, "event");

	if (plans != DOC_NONE && x->doc.tok[plans].type == DOC_ARRAY)
		for (uint32_t t = plans + 1; t < x->doc.tok[plans].next; t = x->doc.tok[t].next)
			add_mark(x->l, hash_at(&x->doc, t), event, offset, n);
	else
		add_mark(x->l, member(&x->doc, "plan_hash"), event, offset, n);
	return 0;
}

static int build_index(struct ledger *l, struct diag *d)
{
	struct indexing x = { .l = l, .doc = DOC_INIT, .d = d };

	if (l->indexed)
		return 0;
	l->nmark = 0;
	int rc = each_line(l->fd, index_line, &x, d);

	doc_release(&x.doc);
	l->indexed = rc == 0;
	return rc;
}

static bool is_prune(const struct ledger_mark *m)
{
	return strcmp(m->event, "prune") == 0;
}

/* Does the entry leave what became of its plan as it was? */
static bool is_aside(const struct ledger_mark *m)
{
	return is_prune(m) || strcmp(m->event, "conflict") == 0;
}

static int relay_last(struct ledger *l, const char *plan_hash, struct relay_answer *a, struct diag *d)
{
	*a = (struct relay_answer){ .known = false };
	return l->relay->ask(l->relay->arg, RELAY_LAST, false, plan_hash, HEX_LEN, a, d);
}

const struct ledger_mark *ledger_last(struct ledger *l, const char *plan_hash, struct diag *d)
{
	struct relay_answer a;

	if (l->relay) {
		if (relay_last(l, plan_hash, &a, d) < 0 || !a.known)
			return NULL;
		memcpy(l->relayed.event, a.event, sizeof a.event);
		return &l->relayed;
	}
	if (build_index(l, d) < 0)
		return NULL;
	for (size_t i = l->nmark; i-- > 0;)
		if (memcmp(l->mark[i].plan_hash, plan_hash, HEX_LEN) == 0 && !is_aside(&l->mark[i]))
			return &l->mark[i];
	return NULL;
}

int ledger_pruned(struct ledger *l, const char *plan_hash, struct diag *d)
{
	struct relay_answer a;

	if (l->relay)
		return relay_last(l, plan_hash, &a, d) < 0 ? -1 : a.pruned;
	if (build_index(l, d) < 0)
		return -1;
	for (size_t i = l->nmark; i-- > 0;)
		if (memcmp(l->mark[i].plan_hash, plan_hash, HEX_LEN) == 0)
			return is_prune(&l->mark[i]);
	return 0;
}

const struct ledger_mark *ledger_find(struct ledger *l, const char *plan_hash, const char *event, struct diag *d)
{
	if (build_index(l, d) < 0)
		return NULL;
	for (size_t i = l->nmark; i-- > 0;)
		if (memcmp(l->mark[i].plan_hash, plan_hash, HEX_LEN) == 0 && strcmp(l->mark[i].event, event) == 0)
			return &l->mark[i];
	return NULL;
}

int ledger_entry(struct ledger *l, const struct ledger_mark *m, struct buf *out, struct diag *d)
{
	size_t got = 0;

	buf_reserve(out, m->len);
	while (got < m->len) {
		ssize_t r = pread(l->fd, out->s + out->len + got, m->len - got, (off_t)(m->offset + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return diag_add(d, MIG_ERROR, "io_failed", where, "cannot read: %s",
			                r < 0 ? strerror(errno) : "it shrank");
		got += (size_t)r;
	}
	buf_setlen(out, out->len + m->len);
	return 0;
}

/* By plan, and for each in the order of the ledger. */
static int by_plan(const void *a, const void *b)
{
	const struct ledger_mark *x = *(const struct ledger_mark *const *)a, *y = *(const struct ledger_mark *const *)b;
	int c = memcmp(x->plan_hash, y->plan_hash, HEX_LEN);

	return c ? c : x < y ? -1 : x > y;
}

static int last_first(const void *a, const void *b)
{
	const struct ledger_mark *x = *(const struct ledger_mark *const *)a, *y = *(const struct ledger_mark *const *)b;

	return x > y ? -1 : x < y;
}

int ledger_unfinished(struct ledger *l, char ***hash, size_t *n, struct diag *d)
{
	size_t all = 0, open = 0;

	*hash = NULL;
	*n = 0;
	if (build_index(l, d) < 0)
		return -1;
	const struct ledger_mark **m = xcalloc(l->nmark, sizeof *m);

	for (size_t i = 0; i < l->nmark; i++)
		if (!is_aside(&l->mark[i]))
			m[all++] = &l->mark[i];
	if (all)
		qsort(m, all, sizeof *m, by_plan);
	for (size_t i = 0; i < all; i++)
		if (strcmp(m[i]->event, "begin") == 0 &&
		    (i + 1 == all || memcmp(m[i]->plan_hash, m[i + 1]->plan_hash, HEX_LEN) != 0))
			m[open++] = m[i];
	if (open)
		qsort(m, open, sizeof *m, last_first);
	*hash = xcalloc(open, sizeof **hash);
	while (*n < open) {
		(*hash)[*n] = xstrdup(m[*n]->plan_hash);
		++*n;
	}
	free(m);
	return 0;
}

struct chain {
	struct doc doc;
	int (*each)(void *arg, const struct doc *entry);
	void *arg;
	int64_t seq;
	char *head;
	struct diag *d;
};

static int broken_link(const struct chain *c, const char *why)
{
	char at[32];

	snprintf(at, sizeof at, "entry %" PRId64, c->seq + 1);
	return diag_add(c->d, MIG_INVALID, "ledger_broken", at, "%s", why);
}

static int check_link(void *arg, const char *s, size_t n, uint64_t offset)
{
	struct chain *c = arg;
	int64_t seq;
	char hash[HEX_SIZE];
	const char *why = read_entry(&c->doc, s, n, &seq, hash);

	(void)offset;
	if (why)
		return broken_link(c, why);
	if (!text_is(member(&c->doc, "prev"), c->head))
		return broken_link(c, "its prev is not the hash of the entry before: "
		                      "one was taken out, put in or moved");
	if (seq != c->seq + 1)
		return broken_link(c, "its seq does not follow");
	c->seq = seq;
	memcpy(c->head, hash, HEX_SIZE);
	return c->each ? c->each(c->arg, &c->doc) : 0;
}

int ledger_walk(int fd, int (*each)(void *arg, const struct doc *entry), void *arg, int64_t *seq,
                char head[HEX_SIZE], struct diag *d)
{
	struct chain c = { .doc = DOC_INIT, .each = each, .arg = arg, .head = head, .d = d };

	memcpy(head, LEDGER_START, HEX_SIZE);
	int rc = each_line(fd, check_link, &c, d);

	*seq = c.seq;
	doc_release(&c.doc);
	return rc;
}
