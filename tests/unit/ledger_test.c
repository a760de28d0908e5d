/* ledger_test.c -- the chain of entries: written, read back, torn, edited. */
#include "ledger.h"

#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/ledger-test-XXXXXX";

static const char *const hashes[] = {
	"1111111111111111111111111111111111111111111111111111111111111111", NULL,
	"3333333333333333333333333333333333333333333333333333333333333333",
};

static struct entry entry(const char *event, char digit)
{
	static char plan[HEX_SIZE];

	memset(plan, digit, HEX_LEN);
	return (struct entry){
		.event = event, .actor = TEXT("ada \"l\""), .env = TEXT("dev"), .migration_id = TEXT("m"),
		.plan_hash = { plan, HEX_LEN }, .target_version = TEXT("1.1.0"), .user = TEXT("u"),
		.time = "2026-01-02T03:04:05Z",
	};
}

static void add(struct ledger *l, const char *event, char digit)
{
	struct entry e = entry(event, digit);

	if (strcmp(event, "commit") == 0) {
		e.written = hashes;
		e.nwritten = 3;
	}
	ledger_append(l, &e);
}

static int open_file(void)
{
	return open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static bool sync_it(struct ledger *l, struct diag *d)
{
	bool unsure;

	return ledger_sync(l, false, &unsure, d) == 0 && !unsure;
}

/* Begin anew with begin and commit of plan a, begin of plan b. */
static void three(struct diag *d)
{
	struct ledger l;

	unlink(path);
	CHECK(ledger_open(&l, open_file(), true, d) == 0);
	add(&l, "begin", 'a');
	CHECK(sync_it(&l, d));
	add(&l, "commit", 'a');
	add(&l, "begin", 'b');
	CHECK(sync_it(&l, d));
	ledger_release(&l);
}

static char *slurp(size_t *n)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	char *s;

	fstat(fd, &st);
	s = malloc((size_t)st.st_size + 1);
	*n = (size_t)read(fd, s, (size_t)st.st_size);
	s[*n] = '\0';
	close(fd);
	return s;
}

static void spew(const char *s, size_t n)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	CHECK(write(fd, s, n) == (ssize_t)n);
	close(fd);
}

static int count(void *arg, const struct doc *e)
{
	(void)e;
	++*(int *)arg;
	return 0;
}

static int walk(int *n, int64_t *seq, char head[HEX_SIZE], struct diag *d)
{
	int fd = open(path, O_RDONLY);

	*n = 0;
	int rc = ledger_walk(fd, count, n, seq, head, d);

	close(fd);
	return rc;
}

static bool says(const struct diag *d, const char *rule)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->list[i].rule, rule) == 0)
			return true;
	return false;
}

static void good(void)
{
	struct diag d = DIAG_INIT;
	struct ledger l;
	char head[HEX_SIZE];
	int64_t seq;
	int n;

	test("a chain verifies, and ends where the writer said");
	three(&d);
	CHECK(walk(&n, &seq, head, &d) == 0 && n == 3 && seq == 3 && d.n == 0);
	CHECK(ledger_open(&l, open_file(), true, &d) == 0);
	CHECK(l.seq == 3 && strcmp(l.head, head) == 0);
	CHECK(strcmp(l.event, "begin") == 0 && l.plan_hash[0] == 'b');

	test("the last entry of a plan is found, also one that was just appended");
	char a[HEX_SIZE] = "", b[HEX_SIZE] = "", c[HEX_SIZE] = "";
	memset(a, 'a', HEX_LEN);
	memset(b, 'b', HEX_LEN);
	memset(c, 'c', HEX_LEN);
	const struct ledger_mark *m = ledger_last(&l, a, &d);
	struct buf text = BUF_INIT;
	CHECK(m && strcmp(m->event, "commit") == 0);
	CHECK(m && ledger_entry(&l, m, &text, &d) == 0 && strstr(text.s, "\"written\":[\"1111") && text.s[text.len - 1] == '}');
	CHECK((m = ledger_last(&l, b, &d)) && strcmp(m->event, "begin") == 0);
	CHECK(!ledger_last(&l, c, &d));
	add(&l, "commit", 'b');
	CHECK((m = ledger_last(&l, b, &d)) && strcmp(m->event, "commit") == 0);
	CHECK(sync_it(&l, &d));
	CHECK(walk(&n, &seq, head, &d) == 0 && n == 4);
	ledger_release(&l);
	buf_release(&text);

	test("an empty file is an empty chain");
	spew("", 0);
	CHECK(walk(&n, &seq, head, &d) == 0 && n == 0 && seq == 0 && strcmp(head, LEDGER_START) == 0);
	CHECK(d.n == 0);
	diag_release(&d);
}

static void torn(void)
{
	struct diag d = DIAG_INIT;
	struct ledger l;
	char head[HEX_SIZE], **unfinished;
	int64_t seq;
	size_t size, whole = 0, nunfinished;
	int n;

	test("a plan that was begun only is unfinished");
	three(&d);
	CHECK(ledger_open(&l, open_file(), true, &d) == 0);
	CHECK(ledger_unfinished(&l, &unfinished, &nunfinished, &d) == 0);
	if (CHECK(nunfinished == 1 && unfinished[0][0] == 'b'))
		free(unfinished[0]);
	free(unfinished);
	ledger_release(&l);

	test("a last line torn at any byte is a warning, is cut off, and the chain goes on");
	char *s = slurp(&size);
	for (size_t i = 0; i + 1 < size; i++)
		if (s[i] == '\n')
			whole = i + 1;
	for (size_t at = whole + 1; at < size; at += at + 60 < size && at > whole + 60 ? 37 : 1) {
		spew(s, at);
		CHECK(walk(&n, &seq, head, &d) == 0 && n == 2 && says(&d, "ledger_torn") && diag_exit(&d) == MIG_OK);
		diag_release(&d);
		CHECK(ledger_open(&l, open_file(), true, &d) == 0 && l.seq == 2);
		CHECK(says(&d, "ledger_torn") && diag_exit(&d) == MIG_OK);
		diag_release(&d);
		add(&l, "commit", 'c');
		CHECK(sync_it(&l, &d));
		ledger_release(&l);
		CHECK(walk(&n, &seq, head, &d) == 0 && n == 3 && d.n == 0);
	}

	test("a reader does not cut a torn line off");
	spew(s, size - 5);
	CHECK(ledger_open(&l, open(path, O_RDONLY), false, &d) == 0 && l.seq == 2);
	ledger_release(&l);
	free(s);
	s = slurp(&whole);
	CHECK(whole == size - 5);
	free(s);
	diag_release(&d);
}

static void edited(void)
{
	struct diag d = DIAG_INIT;
	struct ledger l;
	char head[HEX_SIZE];
	int64_t seq;
	size_t size, missed = 0;
	int n;

	test("every changed byte breaks the chain");
	three(&d);
	char *s = slurp(&size);
	for (size_t at = 0; at < size; at += 3) {
		char old = s[at];

		s[at] ^= 1;
		spew(s, size);
		s[at] = old;
		/* a line end turned into something else leaves a torn line at most */
		missed += walk(&n, &seq, head, &d) == 0 && n == 3;
		diag_release(&d);
	}
	CHECK(missed == 0);

	test("an entry taken out or doubled breaks the chain");
	char *second = strchr(s, '\n') + 1, *third = strchr(second, '\n') + 1;
	struct buf b = BUF_INIT;
	buf_add(&b, s, (size_t)(second - s));
	buf_addstr(&b, third);
	spew(b.s, b.len);
	CHECK(walk(&n, &seq, head, &d) < 0 && n == 1 && diag_exit(&d) == MIG_INVALID && strcmp(d.list[0].where, "entry 2") == 0);
	diag_release(&d);
	buf_reset(&b);
	buf_addstr(&b, s);
	buf_addstr(&b, third);
	spew(b.s, b.len);
	CHECK(walk(&n, &seq, head, &d) < 0 && n == 3);
	diag_release(&d);
	buf_release(&b);

	test("a writer refuses to go on behind a broken last entry");
	s[size - 20] ^= 1;
	spew(s, size);
	CHECK(ledger_open(&l, open_file(), true, &d) < 0 && diag_exit(&d) == MIG_INVALID && says(&d, "ledger_broken"));
	ledger_release(&l);
	diag_release(&d);
	spew("{}\n", 3);
	CHECK(ledger_open(&l, open_file(), true, &d) < 0 && says(&d, "ledger_broken"));
	ledger_release(&l);
	diag_release(&d);
	free(s);

	test("a writer notices that somebody else wrote");
	three(&d);
	CHECK(ledger_open(&l, open_file(), true, &d) == 0);
	int fd = open_file();
	CHECK(write(fd, "x", 1) == 1);
	close(fd);
	add(&l, "commit", 'b');
	CHECK(!sync_it(&l, &d) && says(&d, "ledger_broken") && l.seq == 3);
	ledger_release(&l);
	diag_release(&d);
}

static void full(void)
{
	struct diag d = DIAG_INIT;
	struct ledger l;
	bool unsure;

	test("a write that fails is 3 before the exchange, 1 after it, and takes the chain back");
	CHECK(ledger_open(&l, open("/dev/full", O_RDWR), true, &d) == 0);
	add(&l, "begin", 'a');
	CHECK(ledger_sync(&l, false, &unsure, &d) < 0 && !unsure && diag_exit(&d) == MIG_PRECONDITION && says(&d, "store_full"));
	CHECK(l.seq == 0 && strcmp(l.head, LEDGER_START) == 0);
	ledger_release(&l);
	diag_release(&d);
}

static void long_lines(void)
{
	struct diag d = DIAG_INIT;
	struct ledger l;
	char head[HEX_SIZE];
	int64_t seq;
	int n;
	enum { MANY = 5000 };
	const char **written = malloc(MANY * sizeof *written);

	test("a last line of hundreds of kilobytes is read back");
	three(&d);
	for (size_t i = 0; i < MANY; i++)
		written[i] = hashes[0];
	CHECK(ledger_open(&l, open_file(), true, &d) == 0);
	struct entry e = entry("commit", 'b');
	e.written = written;
	e.nwritten = MANY;
	ledger_append(&l, &e);
	CHECK(sync_it(&l, &d));
	ledger_release(&l);
	CHECK(ledger_open(&l, open_file(), true, &d) == 0 && l.seq == 4 && strcmp(l.event, "commit") == 0);
	ledger_release(&l);
	CHECK(walk(&n, &seq, head, &d) == 0 && n == 4);
	free(written);
	diag_release(&d);
}

int main(void)
{
	close(mkstemp(path));
	good();
	torn();
	edited();
	full();
	long_lines();
	unlink(path);
	digest_close();
	return test_end();
}
