/* store_fs_test.c -- the file store: refs and globs, attacks on paths, and a crash or a stranger at every step. */
#include "store.h"

#include "fs-file.h"
#include "fs-glob.h"
#include "ledger.h"
#include "patch.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/*
 * The system calls that change a store, with a hook before each: it sees the
 * call's number in the run (from 1) and may act as a stranger, fail the call
 * with an errno, or end the process.
 */
static int (*hook)(const char *call, int nth);
static int calls;

static int before(const char *call)
{
	int err = hook ? hook(call, ++calls) : 0;

	if (err)
		errno = err;
	return err ? -1 : 0;
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
	return before(flags & RENAME_EXCHANGE ? "exchange" : "rename") < 0 ? -1 : (int)syscall(SYS_renameat2, a, from, b, to, flags);
}

int renameat(int a, const char *from, int b, const char *to)
{
	return before("rename") < 0 ? -1 : (int)syscall(SYS_renameat2, a, from, b, to, 0);
}

int linkat(int a, const char *from, int b, const char *to, int flags)
{
	return before("link") < 0 ? -1 : (int)syscall(SYS_linkat, a, from, b, to, flags);
}

int unlinkat(int a, const char *name, int flags)
{
	return before("unlink") < 0 ? -1 : (int)syscall(SYS_unlinkat, a, name, flags);
}

int syncfs(int fd)
{
	return before("syncfs") < 0 ? -1 : (int)syscall(SYS_syncfs, fd);
}

int fdatasync(int fd)
{
	return before("fdatasync") < 0 ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fchmod(int fd, mode_t mode)
{
	return before("fchmod") < 0 ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

static char base[] = "/dev/shm/store-fs-test-XXXXXX";
static char *root; /* base/store */
static struct diag D = DIAG_INIT;
static enum mig_exit code; /* of the last run */
static struct outcome O;

static void sh(const char *command)
{
	char *all = xasprintf("cd '%s' && { %s; }", root, command);

	CHECK(system(all) == 0);
	free(all);
}

static void fresh(void)
{
	char *all = xasprintf("rm -rf '%s'; mkdir -p '%s'", base, root);

	CHECK(system(all) == 0);
	free(all);
}

static char *at(const char *name)
{
	return xasprintf("%s/%s", root, name);
}

static void put(const char *name, const char *text)
{
	char *path = at(name);

	for (char *s = path + strlen(root) + 1; (s = strchr(s, '/')); *s++ = '/') {
		*s = '\0';
		mkdir(path, 0755);
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	CHECK(chmod(path, 0666) == 0); /* which takes a call of fchmod under any usual umask */
	free(path);
}

/* Does the file hold just this text?  NULL: is there none? */
static bool holds(const char *name, const char *text)
{
	char *path = at(name), got[4096];
	int fd = open(path, O_RDONLY | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof got - 1);

	free(path);
	if (fd < 0)
		return !text;
	close(fd);
	got[n] = '\0';
	return text && strcmp(got, text) == 0;
}

static bool contains(const char *name, const char *text)
{
	char *path = at(name), got[65536];
	int fd = open(path, O_RDONLY | O_NOFOLLOW);
	ssize_t n = fd < 0 ? 0 : read(fd, got, sizeof got - 1);

	free(path);
	if (fd < 0)
		return false;
	close(fd);
	got[n] = '\0';
	return strstr(got, text);
}

/* Names in a folder of the store; 0 if it is not there. */
static int entries(const char *name)
{
	char *path = at(name);
	DIR *dir = opendir(path);
	const struct dirent *e;
	int n = 0;

	free(path);
	while (dir && (e = readdir(dir)))
		n += e->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

static bool exists(const char *name)
{
	char *path = at(name);
	struct stat st;
	bool yes = lstat(path, &st) == 0;

	free(path);
	return yes;
}

static bool says(const char *rule)
{
	for (size_t i = 0; i < D.n; i++)
		if (strcmp(D.list[i].rule, rule) == 0)
			return true;
	return false;
}

/* ---- plans: every document goes from "1.0.0" to "1.1.0" and gets a history ---- */

#define OLD "{\"v\": \"1.0.0\", \"n\": 1}\n"
#define ENTRY "{\"changes\":[],\"checksum_after\":\"sha256:%s\",\"checksum_before\":\"sha256:" LEDGER_START "\"," \
	"\"from_version\":\"1.0.0\",\"to_version\":\"1.1.0\"}"
#define PATCH "[{\"op\":\"replace\",\"path\":\"/v\",\"value\":\"1.1.0\"}]"
#define TIME "2026-01-02T03:04:05Z"
#define VERSIONS "1.0.0..1.1.0"

struct made {
	struct buf text;
	struct doc doc;
	struct plan plan;
};

static void raw_of(const char *text, char hex[HEX_SIZE])
{
	digest_hex(text, strlen(text), hex);
}

/* The content hash after the patch. */
static void after_of(const char *text, char hex[HEX_SIZE])
{
	struct buf src = BUF_INIT, patch = BUF_INIT, out = BUF_INIT;
	struct doc s = DOC_INIT, p = DOC_INIT, o = DOC_INIT;
	struct patch_list list = { &p, 0 };
	struct diag d = DIAG_INIT;

	buf_addstr(&src, text);
	buf_addstr(&patch, PATCH);
	CHECK(doc_parse(&s, src.s, src.len, 512) == 0 && doc_parse(&p, patch.s, patch.len, 512) == 0);
	CHECK(patch_splice(&s, &list, 1, &out, "x", &d) == 0 && doc_parse(&o, out.s, out.len, 512) == 0);
	canon_hash(&o, 0, DOC_NONE, hex);
	doc_release(&s);
	doc_release(&p);
	doc_release(&o);
	buf_release(&src);
	buf_release(&patch);
	buf_release(&out);
	diag_release(&d);
}

static void add_content(struct buf *b, const char *ref, const char *after)
{
	buf_addf(b, "[{\"check\":\"content\",\"hash\":\"%s\",\"ref\":\"%s\",\"without\":\"/history\"}]", after, ref);
}

static void add_bytes(struct buf *b, const char *ref, const char *raw)
{
	buf_addf(b, "[{\"check\":\"bytes\",\"raw\":\"%s\",\"ref\":\"%s\"}]", raw, ref);
}

static void add_step(struct buf *b, const char *ref, const char *text, size_t index, bool entry, const char *suffix)
{
	char raw[HEX_SIZE], after[HEX_SIZE], key[HEX_SIZE], *id = xasprintf("%s@" VERSIONS, ref);
	struct text none = { NULL, 0 };

	raw_of(text, raw);
	after_of(text, after);
	plan_key(TEXT("dev"), none, none, TEXT("m"), (struct text){ id, strlen(id) }, key);
	buf_addstr(b, "{\"actions\":[");
	if (!entry && suffix)
		buf_addf(b, "{\"op\":\"backup\",\"ref\":\"%s\",\"suffix\":\"%s\"},", ref, suffix);
	if (entry)
		buf_addf(b, "{\"op\":\"restore\",\"raw\":\"%s\",\"ref\":\"%s\"}", raw, ref);
	else
		buf_addf(b, "{\"op\":\"patch\",\"patch\":" PATCH ",\"ref\":\"%s\"},{\"entry\":" ENTRY ",\"op\":\"stamp\","
		         "\"pointer\":\"/history\",\"ref\":\"%s\"}", ref, after, ref);
	if (entry && suffix)
		buf_addf(b, ",{\"op\":\"unbackup\",\"ref\":\"%s\",\"suffix\":\"%s\"}", ref, suffix);
	buf_addstr(b, "],");
	if (entry)
		buf_addstr(b, "\"data_safety\":{\"note\":\"\",\"reversible\":true},");
	buf_addf(b, "\"description\":\"d\",\"idempotency_key\":\"%s\",\"index\":%zu,", key, index);
	if (entry)
		buf_addstr(b, "\"levers\":[],");
	buf_addstr(b, "\"postconditions\":");
	entry ? add_bytes(b, ref, raw) : add_content(b, ref, after);
	buf_addstr(b, ",\"preconditions\":");
	entry ? add_content(b, ref, after) : add_bytes(b, ref, raw);
	if (entry)
		buf_addstr(b, ",\"previous_version\":\"1.0.0\"");
	buf_addf(b, ",\"step_id\":\"%s\",\"type\":\"data\"", id);
	if (entry)
		buf_addstr(b, ",\"undo\":[]");
	buf_addch(b, '}');
	free(id);
}

/* A plan over refs (NULL-ended, in order) that all hold text; undoes: its rollback plan. */
static void make(struct made *m, const char *const *refs, const char *text, const char *suffix, const char *undoes)
{
	size_t n = 0;
	char hash[HEX_SIZE];

	plan_release(&m->plan);
	buf_reset(&m->text);
	while (refs[n])
		n++;
	buf_addf(&m->text, "{\"header\":{\"env\":\"dev\",\"format\":1,\"migration_id\":\"m\",\"mode\":\"%s\","
	         "\"part\":{\"index\":1,\"of\":1},\"scope\":{},\"set\":{\"hash\":\"\",\"id\":\"m\"},\"snapshot\":{\"changes\":%zu,"
	         "\"current\":0,\"digest\":\"" LEDGER_START "\",\"records\":%zu,\"rejects\":0},\"target_version\":\"1.1.0\","
	         "\"tool_version\":\"0\"", undoes ? "rollback" : "forward", n, n);
	if (undoes)
		buf_addf(&m->text, ",\"undoes\":\"%s\"", undoes);
	buf_addstr(&m->text, "},\"kind\":\"plan\",\"rollback\":[");
	for (size_t i = 0; i < n && !undoes; i++) {
		buf_addstr(&m->text, i ? "," : "");
		add_step(&m->text, refs[n - 1 - i], text, i + 1, true, suffix);
	}
	buf_addstr(&m->text, "],\"steps\":[");
	for (size_t i = 0; i < n; i++) {
		buf_addstr(&m->text, i ? "," : "");
		add_step(&m->text, refs[undoes ? n - 1 - i : i], text, i + 1, undoes, suffix);
	}
	buf_addstr(&m->text, "]}");
	CHECK(doc_parse(&m->doc, m->text.s, m->text.len, RECORD_MAX_DEPTH) == 0);
	canon_hash(&m->doc, 0, DOC_NONE, hash);
	char *with = xasprintf("\"plan_hash\":\"%s\",\"rollback\":[", hash);
	char *cut = strstr(m->text.s, "\"rollback\":[");
	struct buf whole = BUF_INIT;

	buf_add(&whole, m->text.s, (size_t)(cut - m->text.s));
	buf_addstr(&whole, with);
	buf_addstr(&whole, cut + strlen("\"rollback\":["));
	free(with);
	buf_release(&m->text);
	m->text = whole;
	CHECK(doc_parse(&m->doc, m->text.s, m->text.len, RECORD_MAX_DEPTH) == 0);
	if (!CHECK(plan_read(&m->plan, &m->doc, 0, "test", &D) == 0))
		printf("#   %s\n", D.list[0].message);
}

static void unmake(struct made *m)
{
	plan_release(&m->plan);
	doc_release(&m->doc);
	buf_release(&m->text);
}

static const struct grant grant = { .actor = { "ada", 3 }, .env = { "dev", 3 }, .apply = true };

/* Apply a plan in a store that is opened for it; findings, outcome and exit code stay until the next. */
static enum mig_exit apply(const struct made *m)
{
	struct apply_ctx c = { .grant = &grant, .now = TIME };
	char *uri = xasprintf("fs:%s", root);

	diag_release(&D);
	outcome_release(&O);
	outcome_init(&O, m->plan.nstep);
	calls = 0;
	struct store *s = store_open(uri, STORE_WRITE, &D);

	free(uri);
	if (s && s->ops->lock(s, 0, &c, &D) == 0 && s->ops->recover(s, &c, &D) == 0)
		s->ops->apply(s, &m->plan, &c, &O, &D);
	if (s)
		s->ops->close(s);
	return code = diag_exit(&D);
}

static void complain(void)
{
	for (size_t i = 0; i < D.n; i++)
		printf("#   %s: %s: %s\n", D.list[i].rule, D.list[i].where ? D.list[i].where : "-", D.list[i].message);
}

#define IS_NEW(name) contains(name, "\"1.1.0\"")

/* How many entries of an event there are; -1 if the chain does not hold. */
static const char *wanted;

static int count_event(void *arg, const struct doc *e)
{
	*(int *)arg += doc_equals(e, doc_member(e, 0, "event", 5), wanted, strlen(wanted));
	return 0;
}

static int events(const char *event)
{
	struct diag d = DIAG_INIT;
	char *uri = xasprintf("fs:%s", root), head[HEX_SIZE];
	struct store *s = store_open(uri, STORE_READ, &d);
	int n = 0;
	int64_t seq;

	free(uri);
	wanted = event;
	if (!s || s->ops->ledger(s, count_event, &n, &seq, head, &d) < 0)
		n = -1;
	if (s)
		s->ops->close(s);
	diag_release(&d);
	return n;
}

static const char *const abc[] = { "a.json", "d/b.json", "d/c.json", NULL };
static struct made plan = { .plan = PLAN_INIT }, back = { .plan = PLAN_INIT };

static void three(const char *suffix)
{
	fresh();
	for (size_t i = 0; abc[i]; i++)
		put(abc[i], OLD);
	make(&plan, abc, OLD, suffix, NULL);
	make(&back, abc, OLD, suffix, plan.plan.hash);
}

static bool all_old(void)
{
	return holds(abc[0], OLD) && holds(abc[1], OLD) && holds(abc[2], OLD);
}

static bool all_new(void)
{
	return IS_NEW(abc[0]) && IS_NEW(abc[1]) && IS_NEW(abc[2]);
}

/* Nothing of ours is left lying about. */
static bool tidy(void)
{
	return entries(".mig/tmp") == 0 && entries(".mig/conflicts") == 0;
}

/* ---- refs and globs ---- */

static void refs(void)
{
	static const struct {
		const char *path, *ref;
	} same[] = {
		{ "a/b.json", "a/b.json" }, { "50%", "50%25" }, { "\xff", "%FF" }, { "\x01\x7f", "%01%7F" },
		{ "\xc3\xa9", "\xc3\xa9" }, { "\xc3", "%C3" }, { "\xed\xa0\x80", "%ED%A0%80" }, { "\xc0\xaf", "%C0%AF" },
		{ "\xf4\x90\x80\x80", "%F4%90%80%80" }, { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" }, { "a b\"\\", "a b\"\\" },
		{ "..a/.b", "..a/.b" }, { "d/.mig/x", "d/.mig/x" }, { ".migx", ".migx" }, { "...", "..." },
	};
	static const char *const bad[] = {
		"", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", ".mig", ".mig/lock", "%2e", "%2E%2E/a", "a%2Fb", "%00",
		"%41", "%ff", "%", "%1", "%zz", "\xff", "\x01", "a\x7f", "%C3%A9", "%25%", "%2Emig/lock",
	};
	struct buf b = BUF_INIT;

	test("paths and refs turn into each other");
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		buf_reset(&b);
		fs_escape(&b, same[i].path, strlen(same[i].path));
		if (!CHECK(strcmp(b.s, same[i].ref) == 0))
			printf("#   %s\n", same[i].ref);
		buf_reset(&b);
		CHECK(fs_path(&b, (struct text){ same[i].ref, strlen(same[i].ref) }, &D) == 0 && strcmp(b.s, same[i].path) == 0);
	}
	test("every name of two bytes survives the way there and back, and orders as its ref");
	for (unsigned x = 1; x < 256; x++) {
		for (unsigned y = 1; y < 256; y++) {
			char name[4] = { (char)x, (char)y, 'x', '\0' };
			struct buf back_again = BUF_INIT;

			if (x == '/' || y == '/')
				continue;
			buf_reset(&b);
			fs_escape(&b, name, 3);
			if (fs_path(&back_again, (struct text){ b.s, b.len }, &D) < 0 || strcmp(back_again.s, name) != 0)
				CHECK(!"the name came back as another");
			buf_release(&back_again);
		}
	}
	test("a ref that is not the escaped form of a path below the root is refused");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		diag_release(&D);
		buf_reset(&b);
		if (!CHECK(fs_path(&b, (struct text){ bad[i], strlen(bad[i]) }, &D) < 0 && says("bad_ref")))
			printf("#   %s\n", bad[i]);
	}
	CHECK(fs_path(&b, (struct text){ "a\0b", 3 }, &D) < 0);
	buf_release(&b);
	diag_release(&D);
}

static bool matches(const char *glob, const char *path, bool *dead)
{
	char *globs[] = { xstrdup(glob), NULL };
	struct glob g;
	unsigned char on[256];

	glob_init(&g, globs);
	glob_start(&g, on);
	*dead = !glob_step(&g, on, path, strlen(path), on);
	bool yes = glob_accepts(&g, on);

	glob_release(&g);
	free(globs[0]);
	return yes;
}

static void globs(void)
{
	static const struct {
		const char *glob, *path;
		bool yes;
	} cases[] = {
		{ "a.json", "a.json", true }, { "a.json", "b.json", false }, { "*.json", "a.json", true },
		{ "*.json", "d/a.json", false }, { "*.json", ".json", true }, { "**/a", "a", true }, { "**/a", "x/a", true },
		{ "**/a", "x/y/z/a", true }, { "**/a", "xa", false }, { "**/a", "x/ba", false }, { "x/**/a", "x/a", true },
		{ "x/**/a", "x/y/a", true }, { "x/**/a", "y/a", false }, { "x/**", "x/y/z", true }, { "x/**", "x", false },
		{ "**", "a/b/c", true }, { "?", "a", true }, { "?", "/", false }, { "a?c/*", "abc/", true }, { "?", "ab", false },
		{ "a**b", "a/x/b", true }, { "*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
		{ "**/**/a", "a", true }, { "**/**/a", "x/y/a", true }, { "***", "a/b", true }, { "[a]", "a", false },
		{ "[a]", "[a]", true }, { "**/x*/y", "a/x1/b/x2/y", true }, { "", "a", false },
	};
	bool dead;

	test("globs: ** crosses folders, * and ? do not");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (!CHECK(matches(cases[i].glob, cases[i].path, &dead) == cases[i].yes))
			printf("#   %s with %s\n", cases[i].glob, cases[i].path);
	test("a folder that cannot lead to a match is known as such");
	matches("x/*.json", "y/", &dead);
	CHECK(dead);
	matches("x/*.json", "x/", &dead);
	CHECK(!dead);
	matches("x/*.json", "x/y/", &dead);
	CHECK(dead);
	matches("**/m.json", "any/thing/", &dead);
	CHECK(!dead);
}

/* ---- scan and read ---- */

static struct buf seen;

static int see(void *arg, const struct store_doc *doc)
{
	(void)arg;
	buf_add(&seen, doc->ref.s, doc->ref.n);
	buf_addf(&seen, "=%s ", doc->bytes ? "ok" : doc->code);
	return 0;
}

static const char *scan(const char *g1, const char *g2)
{
	char *uri = xasprintf("fs:%s", root), *list[] = { xstrdup(g1), g2 ? xstrdup(g2) : NULL, NULL };
	struct store *s = store_open(uri, STORE_READ, &D);

	buf_reset(&seen);
	buf_addstr(&seen, "");
	if (CHECK(s))
		CHECK(s->ops->scan(s, list, see, NULL, &D) == 0);
	if (s)
		s->ops->close(s);
	free(uri);
	free(list[0]);
	free(list[1]);
	return seen.s;
}

static void scans(void)
{
	test("a scan gives refs in byte order, whatever the folders are called");
	fresh();
	put("a/b", "1");
	put("a.json", "1");
	put("a0", "1");
	put("a!", "1");
	put("a/b.x/c", "1");
	put(".mig/x", "1");
	put("d/.mig/x", "1");
	put("%", "1");
	put("\xff", "1");
	put("\x01", "1");
	CHECK(strcmp(scan("**", NULL), "%01=ok %25=ok %FF=ok a!=ok a.json=ok a/b=ok a/b.x/c=ok a0=ok d/.mig/x=ok ") == 0);
	CHECK(strcmp(scan("*.json", "a/**"), "a.json=ok a/b=ok a/b.x/c=ok ") == 0);
	CHECK(strcmp(scan("nothing", NULL), "") == 0);

	test("a scan follows no link and hangs on no fifo: what matches is reported");
	fresh();
	put("f.json", "1");
	sh("ln -s f.json l.json; ln -s . d; mkfifo p.json; mkdir e.json; ln -s nowhere e.json/m.json; ln f.json h.json");
	CHECK(strcmp(scan("**/*.json", NULL), "e.json/m.json=symlink f.json=ok h.json=ok l.json=symlink p.json=not_regular ") == 0);

	test("a document over a quarter of MIG_MAX_RECORD is reported");
	setenv("MIG_MAX_RECORD", "1024", 1);
	sh("head -c 256 /dev/zero > f.json; head -c 257 /dev/zero > g.json");
	CHECK(strcmp(scan("?.json", NULL), "f.json=ok g.json=too_large h.json=ok l.json=symlink p.json=not_regular ") == 0);
	unsetenv("MIG_MAX_RECORD");

	test("an empty document is handed out with bytes");
	fresh();
	put("e.json", "");
	CHECK(strcmp(scan("*", NULL), "e.json=ok ") == 0);

	test("a folder deeper than a path may be long is read");
	fresh();
	sh("p=$PWD; n=$(printf %0200d 0); i=0; while [ $i -lt 25 ]; do mkdir $n; cd -P $n; i=$((i+1)); done; : > m");
	const char *got = scan("**/m", NULL);
	CHECK(strlen(got) == 25 * 201 + 5);
	sh("rm -rf 0*");
	diag_release(&D);
}

static enum mig_exit read_one(const char *ref, const char **found)
{
	char *uri = xasprintf("fs:%s", root);
	struct store_doc doc;

	diag_release(&D);
	struct store *s = store_open(uri, STORE_READ, &D);

	*found = "";
	if (s && s->ops->read(s, (struct text){ ref, strlen(ref) }, &doc, &D) == 0)
		*found = doc.bytes ? "ok" : doc.code;
	if (s)
		s->ops->close(s);
	free(uri);
	return diag_exit(&D);
}

static void reads(void)
{
	const char *what;

	test("one document by ref");
	fresh();
	put("d/a.json", "1");
	sh("ln -s a.json d/l.json; ln -s d e; mkfifo p; ln -s / r");
	CHECK(read_one("d/a.json", &what) == MIG_OK && strcmp(what, "ok") == 0);
	CHECK(read_one("d/no", &what) == MIG_PRECONDITION && says("missing"));
	CHECK(read_one("d/a.json/x", &what) == MIG_PRECONDITION && says("missing"));
	CHECK(read_one("../x", &what) == MIG_INVALID && says("bad_ref"));
	CHECK(read_one("d/l.json", &what) == MIG_OK && strcmp(what, "symlink") == 0);
	CHECK(read_one("e/a.json", &what) == MIG_OK && strcmp(what, "symlink") == 0);
	CHECK(read_one("r/etc/passwd", &what) == MIG_OK && strcmp(what, "symlink") == 0);
	CHECK(read_one("p", &what) == MIG_OK && strcmp(what, "not_regular") == 0);
	CHECK(read_one("d", &what) == MIG_OK && strcmp(what, "not_regular") == 0);
	CHECK(!exists(".mig"));

	test("without openat2 the same paths are refused");
	struct fs_root r;
	if (CHECK(fs_root_open(&r, root, &D) == 0)) {
		static const struct {
			const char *path;
			int err;
		} paths[] = {
			{ "d/a.json", 0 }, { "e/a.json", ELOOP }, { "r/etc/passwd", ELOOP }, { "d/l.json", ELOOP }, { "../x", EXDEV },
			{ "d/../d/a.json", EXDEV }, { "d/a.json/x", ENOTDIR }, { "d/no", ENOENT }, { "no/no", ENOENT },
		};

		for (int beneath = r.beneath; beneath >= 0; beneath--) {
			r.beneath = beneath;
			for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
				int fd = fs_open(&r, r.fd, paths[i].path, O_RDONLY, 0);
				int err = fd < 0 ? errno : 0;
				/* openat2 lets a ".." be that stays below the root; no ref has one */
				bool inside = beneath && strncmp(paths[i].path, "d/..", 4) == 0;

				if (!CHECK(err == paths[i].err || inside))
					printf("#   %s: %s\n", paths[i].path, strerror(err));
				if (fd >= 0)
					close(fd);
			}
		}
		fs_root_release(&r);
	}

	test("a store that is not there, or of an unknown kind");
	diag_release(&D);
	CHECK(!store_open("fs:/nowhere/at/all", STORE_READ, &D) && diag_exit(&D) == MIG_PRECONDITION && says("store_missing"));
	diag_release(&D);
	CHECK(!store_open("fs:/etc/passwd", STORE_READ, &D) && diag_exit(&D) == MIG_PRECONDITION);
	diag_release(&D);
	CHECK(!store_open("ftp://ada:secret@x", STORE_READ, &D) && diag_exit(&D) == MIG_USAGE && says("bad_store"));
	CHECK(!strstr(D.list[0].message, "secret"));
	diag_release(&D);
	CHECK(!store_open("fs:", STORE_READ, &D) && diag_exit(&D) == MIG_USAGE);
	diag_release(&D);
}

/* ---- the whole way ---- */

static void there_and_back(void)
{
	static char expected[] = "{\"v\": \"1.1.0\", \"n\": 1, \"history\": [";

	test("a plan is applied, keeps what it did not touch, and stamps");
	three(".bak");
	sh("chmod 640 a.json; ln -s d e");
	CHECK(apply(&plan) == MIG_OK);
	complain();
	CHECK(all_new() && contains("a.json", expected) && contains("a.json", "\"applied_at\": \"" TIME "\""));
	CHECK(holds("a.json.bak", OLD) && holds("d/b.json.bak", OLD) && tidy() && entries(".mig/objects") == 1);
	CHECK(O.step[0].status == STEP_APPLIED && O.step[2].status == STEP_APPLIED && O.ledger_seq == 2);
	CHECK(events("begin") == 1 && events("commit") == 1);
	struct stat st;
	char *path = at("a.json");
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0640 && st.st_nlink == 1);
	free(path);

	test("applied again it changes nothing, not even the ledger");
	CHECK(apply(&plan) == MIG_OK && O.step[0].status == STEP_SKIPPED && O.ledger_seq == -1);
	CHECK(events("begin") == 1 && events("commit") == 1);

	test("rolled back, the bytes are those of before and the backups are gone");
	CHECK(apply(&back) == MIG_OK);
	complain();
	CHECK(all_old() && !exists("a.json.bak") && !exists("d/c.json.bak") && tidy() && events("rollback") == 1);
	CHECK(apply(&back) == MIG_OK && O.step[0].status == STEP_SKIPPED && events("rollback") == 1);

	test("and forward again");
	CHECK(apply(&plan) == MIG_OK && all_new() && holds("a.json.bak", OLD) && events("commit") == 2);

	test("a backup that was edited is left alone, with a warning");
	sh("rm a.json.bak; echo mine > a.json.bak");
	CHECK(apply(&back) == MIG_OK && all_old() && says("backup_kept") && holds("a.json.bak", "mine\n"));

	test("an existing backup is never overwritten: the next has its version appended");
	CHECK(apply(&plan) == MIG_OK && holds("a.json.bak", "mine\n") && holds("a.json.bak.1.0.0", OLD));
	CHECK(apply(&back) == MIG_OK && !exists("a.json.bak.1.0.0") && holds("a.json.bak", "mine\n"));

	test("with both names taken nothing is written");
	put("a.json.bak.1.0.0", "hers");
	CHECK(apply(&plan) == MIG_PRECONDITION && says("backup_exists") && all_old() && tidy());
	CHECK(events("undo") == 1 && !exists("d/b.json.bak"));
}

static void dry(void)
{
	struct grant g = grant;
	struct apply_ctx c = { .grant = &g, .now = TIME };

	g.dry_run = true;
	test("a dry run says what it would do and makes nothing");
	three(".bak");
	char *uri = xasprintf("fs:%s", root);
	struct store *s = store_open(uri, STORE_WRITE, &D);
	outcome_release(&O);
	outcome_init(&O, 3);
	CHECK(s && s->ops->apply(s, &plan.plan, &c, &O, &D) == 0);
	CHECK(O.dry_run && O.step[1].status == STEP_SKIPPED);
	CHECK(O.step[1].message && strcmp(O.step[1].message, "would patch 1 operation, stamp /history, back up to b.json.bak") == 0);
	CHECK(all_old() && !exists(".mig"));
	s->ops->close(s);

	test("without the lock nothing is applied");
	g.dry_run = false;
	s = store_open(uri, STORE_WRITE, &D);
	CHECK(s && s->ops->apply(s, &plan.plan, &c, &O, &D) < 0 && diag_exit(&D) == MIG_ERROR && !exists(".mig"));
	s->ops->close(s);
	free(uri);
	diag_release(&D);
}

static void completes_and_skips(void)
{
	test("drift in one file leaves all as they are, and names hashes");
	three(NULL);
	put("d/b.json", "{\"v\":\"9\"}");
	CHECK(apply(&plan) == MIG_INVALID && says("drift") && holds("a.json", OLD) && holds("d/c.json", OLD));
	CHECK(O.step[1].status == STEP_FAILED && O.step[0].status == STEP_NOT_RUN && events("begin") == 0);
	CHECK(strcmp(D.list[0].where, "d/b.json") == 0 && strstr(D.list[0].message, "expected bytes"));

	test("absent, a folder, a link, a fifo, a link on the way: all are drift");
	static const char *const damage[] = {
		"rm d/b.json", "rm d/b.json; mkdir d/b.json", "mv d/b.json x; ln -s ../x d/b.json", "rm d/b.json; mkfifo d/b.json",
		"mv d e; ln -s e d", "mv d e; ln -s /dev d", "rm -r d; echo x > d", "mv d/b.json x; ln -s /dev/null d/b.json",
		"rm d/b.json; mknod d/b.json c 1 3", "rm d/b.json; ln -s b.json d/b.json",
	};
	for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
		three(NULL);
		if (strstr(damage[i], "mknod") && geteuid() != 0)
			continue;
		sh(damage[i]);
		if (!CHECK(apply(&plan) == MIG_INVALID && says("drift") && holds("a.json", OLD) && events("begin") == 0))
			printf("#   %s\n", damage[i]);
	}

	test("twenty findings are shown and the others counted");
	const char *many[31];
	char names[30][8];
	fresh();
	for (size_t i = 0; i < 30; i++) {
		snprintf(names[i], sizeof names[i], "f%02zu", i);
		many[i] = names[i];
	}
	many[30] = NULL;
	make(&plan, many, OLD, NULL, NULL);
	CHECK(apply(&plan) == MIG_INVALID && D.n == 21 && strcmp(D.list[20].message, "and 10 more") == 0);

	test("a file that is done already is skipped, with a null in the commit");
	three(NULL);
	CHECK(apply(&plan) == MIG_OK);
	sh("cp d/b.json keep");
	CHECK(apply(&back) == MIG_OK);
	sh("cp keep d/b.json");
	CHECK(apply(&plan) == MIG_OK && O.step[1].status == STEP_SKIPPED && O.step[0].status == STEP_APPLIED && all_new());
	CHECK(contains(".mig/ledger.ndjson", ",null,"));

	test("a promise that the patch does not keep is refused before anything is written");
	three(NULL);
	struct step *s = &plan.plan.step[2];
	s->after = (struct text){ LEDGER_START, HEX_LEN };
	CHECK(apply(&plan) == MIG_INVALID && says("postcondition_failed") && all_old() && events("begin") == 0);

	test("a history that is no array is refused");
	fresh();
	static const char *const one[] = { "a.json", NULL };
	static const char with[] = "{\"v\":\"1.0.0\",\"history\":{}}";
	put("a.json", with);
	make(&plan, one, with, NULL, NULL);
	CHECK(apply(&plan) == MIG_INVALID && says("history_not_array") && holds("a.json", with));
}

static void hard_links(void)
{
	test("a hard-linked file is refused");
	three(NULL);
	sh("ln d/b.json elsewhere");
	CHECK(apply(&plan) == MIG_INVALID && says("hard_linked") && all_old() && events("begin") == 0);

	test("unless its other names are ours");
	three(".bak");
	sh("mkdir -p .mig/objects; ln d/b.json .mig/objects/$(sha256sum < d/b.json | cut -c1-64); ln d/b.json d/b.json.bak");
	CHECK(apply(&plan) == MIG_OK && all_new() && holds("d/b.json.bak", OLD) && !exists("d/b.json.bak.1.0.0"));
	complain();
}

static void metadata(void)
{
	struct stat st;
	char *path;

	test("owner, mode, attributes and ACL are those of the original");
	three(NULL);
	path = at("a.json");
	bool owned = chown(path, 12, 34) == 0;
	CHECK(chmod(path, 02604) == 0);
	bool xattrs = setxattr(path, "user.note", "hello", 5, 0) == 0;
	/* user::rw-, user:12:r--, group::r--, mask::r--, other::r-- */
	static const unsigned char acl[] = {
		2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 12, 0, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255,
		16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255,
	};
	bool acls = setxattr(path, "system.posix_acl_access", acl, sizeof acl, 0) == 0;
	unsigned char got[64];
	CHECK(apply(&plan) == MIG_OK);
	complain();
	CHECK(stat(path, &st) == 0);
	CHECK(!owned || (st.st_uid == 12 && st.st_gid == 34));
	CHECK(!xattrs || getxattr(path, "user.note", got, sizeof got) == 5);
	CHECK(!acls || (getxattr(path, "system.posix_acl_access", got, sizeof got) == sizeof acl && memcmp(got, acl, sizeof acl) == 0));
	CHECK(acls || (st.st_mode & 07777) == 02604);
	free(path);

	test("a file of ours does not inherit an ACL from the folder above");
	three(NULL);
	char *dir = at(".");
	static const unsigned char rich[] = {
		2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 7, 0, 12, 0, 0, 0, 4, 0, 7, 0, 255, 255, 255, 255,
		16, 0, 7, 0, 255, 255, 255, 255, 32, 0, 7, 0, 255, 255, 255, 255,
	};
	bool defaults = setxattr(dir, "system.posix_acl_default", rich, sizeof rich, 0) == 0;
	CHECK(apply(&plan) == MIG_OK);
	path = at("a.json");
	CHECK(!defaults || getxattr(path, "system.posix_acl_access", got, sizeof got) < 0);
	free(path);
	free(dir);
}

static void state(void)
{
	static const struct {
		const char *damage, *rule;
	} cases[] = {
		{ "ln -s d .mig", "foreign_state" }, { "echo x > .mig", "foreign_state" },
		{ "mkdir .mig; ln -s ../a.json .mig/lock", "foreign_state" }, { "mkdir .mig .mig/lock", "foreign_state" },
		{ "mkdir .mig; mkfifo .mig/lock", "foreign_state" }, { "mkdir .mig; ln -s ../a.json .mig/ledger.ndjson", "foreign_state" },
		{ "mkdir .mig .mig/ledger.ndjson", "foreign_state" }, { "mkdir .mig; mkfifo .mig/ledger.ndjson", "foreign_state" },
		{ "mkdir .mig; ln -s ../d .mig/objects", "foreign_state" }, { "mkdir .mig; ln -s /tmp .mig/tmp", "foreign_state" },
		{ "mkdir .mig; echo > .mig/plans", "foreign_state" }, { "mkdir .mig; ln -s ../d .mig/conflicts", "foreign_state" },
		{ "mkdir .mig; echo garbage > .mig/ledger.ndjson", "ledger_broken" },
	};

	test("a link or another kind of file in place of ours is refused before the first write");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		three(NULL);
		sh(cases[i].damage);
		enum mig_exit expected = strcmp(cases[i].rule, "ledger_broken") == 0 ? MIG_INVALID : MIG_PRECONDITION;

		if (!CHECK(apply(&plan) == expected && says(cases[i].rule) && all_old())) {
			printf("#   %s\n", cases[i].damage);
			complain();
		}
	}

	test("a held lock is 3 and names its holder");
	three(NULL);
	sh("mkdir .mig; printf '{\"actor\":\"eve\\033[31m\"}\\n' > .mig/lock");
	char *path = at(".mig/lock");
	int fd = open(path, O_RDWR);
	CHECK(flock(fd, LOCK_EX) == 0);
	CHECK(apply(&plan) == MIG_PRECONDITION && says("locked") && strstr(D.list[0].message, "eve?[31m") && all_old());
	CHECK(entries(".mig") == 1);
	close(fd);
	free(path);
	CHECK(apply(&plan) == MIG_OK && contains(".mig/lock", "\"actor\":\"ada\""));

	test("a damaged object is not restored from");
	sh("for f in .mig/objects/*; do rm $f; echo x > $f; done");
	CHECK(apply(&back) == MIG_INVALID && says("object_damaged") && all_new());
	sh("rm .mig/objects/*");
	CHECK(apply(&back) == MIG_PRECONDITION && says("object_missing") && all_new());
}

/* ---- strangers ---- */

static const char *act; /* what the stranger does before the nth call of that name */
static const char *on_call;
static int on_nth, met;

static int stranger(const char *call, int nth)
{
	(void)nth;
	if (strcmp(call, on_call) == 0 && ++met == on_nth)
		sh(act);
	return 0;
}

static enum mig_exit with_stranger(const char *call, int nth, const char *deed, const struct made *m)
{
	on_call = call;
	on_nth = nth;
	act = deed;
	met = 0;
	hook = stranger;
	apply(m);
	hook = NULL;
	return code;
}

static void strangers(void)
{
	test("a file replaced in the moment of the exchange is kept, the others are undone, nothing is swapped back");
	three(".bak");
	CHECK(with_stranger("exchange", 2, "echo his > new; mv new d/b.json", &plan) == MIG_INVALID && says("conflict"));
	CHECK(holds("a.json", OLD) && IS_NEW("d/b.json") && holds("d/c.json", OLD));
	CHECK(entries(".mig/conflicts") == 1 && entries(".mig/tmp") == 0);
	sh("grep -q his .mig/conflicts/*");
	CHECK(O.step[0].status == STEP_UNDONE && O.step[1].status == STEP_FAILED && O.step[2].status == STEP_NOT_RUN);
	CHECK(events("conflict") == 1 && events("undo") == 1 && events("commit") == 0);

	test("and the original's bytes are still in the objects");
	sh("grep -q '1.0.0' .mig/objects/*");

	test("a file overwritten in place in that moment is a conflict too");
	three(NULL);
	CHECK(with_stranger("exchange", 1, "echo his > a.json", &plan) == MIG_INVALID && says("conflict"));
	sh("grep -q his .mig/conflicts/*");
	CHECK(IS_NEW("a.json") && holds("d/b.json", OLD));

	test("a folder or a link put there in that moment is kept");
	three(NULL);
	CHECK(with_stranger("exchange", 1, "rm a.json; mkdir a.json; echo 1 > a.json/x", &plan) == MIG_INVALID && says("conflict"));
	sh("test -f .mig/conflicts/*/x");
	three(NULL);
	CHECK(with_stranger("exchange", 3, "ln -sf /etc/passwd d/c.json", &plan) == MIG_INVALID && says("conflict"));
	sh("test -h .mig/conflicts/*");
	CHECK(holds("a.json", OLD) && holds("d/b.json", OLD));

	test("a file removed in that moment is drift, and all is undone");
	three(NULL);
	CHECK(with_stranger("exchange", 2, "rm d/b.json", &plan) == MIG_INVALID && says("drift"));
	CHECK(holds("a.json", OLD) && !exists("d/b.json") && holds("d/c.json", OLD) && tidy());

	test("a folder swapped for another is not followed");
	three(NULL);
	CHECK(with_stranger("link", 3, "mv d e; mkdir d; cp e/* d", &plan) == MIG_OK);
	CHECK(holds("d/b.json", OLD) && IS_NEW("e/b.json"));

	test("an original replaced before it is kept is not mistaken for it");
	three(NULL);
	CHECK(with_stranger("link", 1, "echo his > new; mv new a.json", &plan) == MIG_INVALID && says("drift"));
	CHECK(holds("a.json", "his\n") && holds("d/b.json", OLD) && tidy() && entries(".mig/objects") == 0);

	test("during a rollback as well");
	three(NULL);
	CHECK(apply(&plan) == MIG_OK);
	CHECK(with_stranger("exchange", 2, "echo his > new; mv new d/b.json", &back) == MIG_INVALID && says("conflict"));
	CHECK(IS_NEW("a.json") && holds("d/b.json", OLD) && IS_NEW("d/c.json") && entries(".mig/conflicts") == 1);
}

/* ---- errors ---- */

static int failing_nth, failing_errno;
static const char *failing_call;

static int fail_nth(const char *call, int nth)
{
	(void)nth;
	return strcmp(call, failing_call) == 0 && ++met == failing_nth ? failing_errno : 0;
}

static enum mig_exit with_error(const char *call, int nth, int err)
{
	failing_call = call;
	failing_nth = nth;
	failing_errno = err;
	met = 0;
	hook = fail_nth;
	apply(&plan);
	hook = NULL;
	return code;
}

static int all_exchanges(const char *call, int nth)
{
	(void)nth;
	return strcmp(call, "exchange") == 0 ? EINVAL : 0;
}

static int no_links(const char *call, int nth)
{
	(void)nth;
	return strcmp(call, "link") == 0 ? EPERM : 0;
}

static int no_exchange_and_fail(const char *call, int nth)
{
	(void)nth;
	if (strcmp(call, "exchange") == 0)
		return EINVAL;
	/* the plan's own file is the first rename, then two documents */
	return strcmp(call, "rename") == 0 && ++met == 4 ? EIO : 0;
}

static void errors(void)
{
	static const char *const pre[] = { "link", "fchmod" };

	test("full, read-only and forbidden before the first exchange is 3, and nothing is left");
	for (size_t k = 0; k < sizeof pre / sizeof *pre; k++) {
		static const int errs[] = { ENOSPC, EDQUOT, EROFS };

		for (size_t e = 0; e < sizeof errs / sizeof *errs; e++) {
			three(".bak");
			CHECK(with_error(pre[k], 2, errs[e]) == MIG_PRECONDITION && all_old() && tidy());
			CHECK(!exists("a.json.bak") && entries(".mig/objects") == 0 && events("undo") == 1);
			CHECK(apply(&plan) == MIG_OK && all_new() && tidy());
		}
	}
	three(NULL);
	CHECK(with_error("exchange", 1, EACCES) == MIG_PRECONDITION && says("not_writable") && all_old() && tidy());
	CHECK(with_error("exchange", 1, EIO) == MIG_ERROR && all_old() && tidy());

	test("an error after the first exchange undoes all, and is 1");
	for (int n = 2; n <= 3; n++) {
		three(".bak");
		CHECK(with_error("exchange", n, ENOSPC) == MIG_ERROR && all_old() && tidy() && events("undo") == 1);
		CHECK(O.step[0].status == STEP_UNDONE && O.step[n - 1].status == STEP_FAILED && !exists("a.json.bak"));
		CHECK(apply(&plan) == MIG_OK && all_new());
	}

	test("a sync that fails before the exchange changes nothing; after it, it says what is left");
	three(NULL);
	CHECK(with_error("syncfs", 1, EIO) == MIG_ERROR && says("sync_failed") && all_old() && tidy());
	CHECK(apply(&plan) == MIG_OK && all_new());
	three(NULL);
	CHECK(with_error("syncfs", 2, EIO) == MIG_ERROR && says("unconfirmed") && all_new() && events("commit") == 0);
	CHECK(O.step[1].status == STEP_FAILED);
	CHECK(apply(&plan) == MIG_OK && O.step[1].status == STEP_SKIPPED && events("commit") == 1 && tidy());

	test("a failed sync of the plan or of begin changes nothing; of the commit, the next run decides");
	for (int n = 1; n <= 2; n++) {
		three(NULL);
		CHECK(with_error("fdatasync", n, EIO) == MIG_ERROR && says("sync_failed") && all_old() && tidy());
		CHECK(apply(&plan) == MIG_OK && all_new());
	}
	three(NULL);
	CHECK(with_error("fdatasync", 3, EIO) == MIG_ERROR && says("unconfirmed") && all_new());
	CHECK(apply(&plan) == MIG_OK && all_new() && tidy() && events("commit") == 1);

	test("without RENAME_EXCHANGE a plain rename does it, and undoes it");
	three(".bak");
	hook = all_exchanges;
	CHECK(apply(&plan) == MIG_OK && all_new() && tidy() && holds("a.json.bak", OLD));
	CHECK(apply(&back) == MIG_OK && all_old() && tidy());
	three(".bak");
	hook = no_exchange_and_fail;
	met = 0;
	apply(&plan);
	hook = NULL;
	CHECK(code == MIG_ERROR && all_old() && tidy());

	test("without hard links originals and backups are copied");
	three(".bak");
	hook = no_links;
	CHECK(apply(&plan) == MIG_OK && all_new() && tidy() && holds("a.json.bak", OLD) && entries(".mig/objects") == 1);
	complain();
	CHECK(apply(&back) == MIG_OK && all_old() && !exists("a.json.bak"));
	hook = NULL;
}

/* ---- crashes ---- */

static int dying_nth;

static int die_at(const char *call, int nth)
{
	(void)call;
	if (nth == dying_nth)
		_exit(99);
	return 0;
}

static int fail_call(const char *call, int nth)
{
	(void)call;
	return nth == dying_nth ? failing_errno : 0;
}

/* Run apply in a child that ends before its nth changing call: was there such a call? */
static bool killed_at(int nth, const struct made *m)
{
	int status;

	fflush(stdout);
	pid_t pid = fork();

	if (pid == 0) {
		hook = die_at;
		dying_nth = nth;
		apply(m);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 99;
}

static bool each_old_or_new(void)
{
	for (size_t i = 0; abc[i]; i++)
		if (!holds(abc[i], OLD) && !IS_NEW(abc[i]))
			return false;
	return true;
}

static void crashes(void)
{
	int n;

	test("killed before every call that changes the store, and run again: all new, one commit, nothing left");
	for (n = 1;; n++) {
		three(".bak");
		if (!killed_at(n, &plan))
			break;
		bool ok = each_old_or_new();
		CHECK(apply(&plan) == MIG_OK);
		ok = ok && all_new() && tidy() && events("commit") == 1 && holds("a.json.bak", OLD) && !exists("a.json.bak.1.0.0");
		if (!CHECK(ok)) {
			printf("#   killed before call %d\n", n);
			complain();
		}
	}
	printf("# %d points\n", n - 1);
	CHECK(n > 20);

	test("the same for a rollback");
	for (n = 1;; n++) {
		three(".bak");
		CHECK(apply(&plan) == MIG_OK);
		if (!killed_at(n, &back))
			break;
		bool ok = each_old_or_new();
		CHECK(apply(&back) == MIG_OK);
		if (!CHECK(ok && all_old() && tidy() && events("rollback") == 1 && !exists("a.json.bak"))) {
			printf("#   killed before call %d\n", n);
			complain();
		}
	}
	printf("# %d points\n", n - 1);
	CHECK(n > 20);

	test("killed again during the recovery");
	for (n = 1; n < 60; n++) {
		three(NULL);
		killed_at(22, &plan);
		killed_at(n % 7 + 1, &plan);
		killed_at(n, &plan);
		bool ok = each_old_or_new();
		CHECK(apply(&plan) == MIG_OK);
		CHECK(ok && all_new() && tidy() && events("commit") == 1);
	}

	test("every call failing in turn leaves all old or all new, and the next run completes");
	for (n = 1;; n++) {
		static const int errs[] = { ENOSPC, EIO, EACCES };

		three(".bak");
		dying_nth = n;
		met = 0;
		failing_errno = errs[n % 3];
		hook = fail_call;
		apply(&plan);
		hook = NULL;
		if (calls < n)
			break;
		bool ok = all_old() || all_new();
		CHECK(apply(&plan) == MIG_OK);
		if (!CHECK(ok && all_new() && tidy() && events("commit") >= 1)) {
			printf("#   failed at call %d\n", n);
			complain();
		}
	}
	printf("# %d points\n", n - 1);

	test("a plan that was never finished is named when another one comes");
	three(NULL);
	CHECK(killed_at(12, &plan));
	static const char *const one[] = { "x.json", NULL };
	put("x.json", OLD);
	struct made other = { .plan = PLAN_INIT };
	make(&other, one, OLD, NULL, NULL);
	CHECK(apply(&other) == MIG_OK && says("unfinished"));
	unmake(&other);

	test("a leftover that may be somebody's goes to conflicts, once");
	three(NULL);
	CHECK(killed_at(12, &plan));
	sh("for f in .mig/tmp/*; do echo his > $f; done; for f in a.json d/b.json d/c.json; do echo drifted > $f; done");
	CHECK(apply(&plan) == MIG_INVALID && says("conflict") && entries(".mig/tmp") == 0 && entries(".mig/conflicts") > 0);
	CHECK(events("conflict") > 0);
	CHECK(apply(&plan) == MIG_INVALID && !says("conflict") && says("drift"));

	test("what is not ours in tmp is left alone, with a warning");
	three(NULL);
	sh("mkdir -p .mig/tmp; echo > .mig/tmp/.nfs1");
	CHECK(apply(&plan) == MIG_OK && says("foreign_temp") && exists(".mig/tmp/.nfs1"));
}

/* The third exchange fails; then, in the undoing, the process ends before the nth call, a stranger at work before it. */
static int undo_at;
static bool with_guest;

static int die_in_undo(const char *call, int nth)
{
	(void)nth;
	if (met < 3) {
		met += strcmp(call, "exchange") == 0;
		return met == 3 ? EIO : 0;
	}
	met++;
	/* the undoing of a document is a rename and an exchange */
	if (with_guest && met == 3 + 2)
		sh("echo his > new; mv new d/b.json; echo hers > new; mv new a.json");
	if (met == 3 + undo_at)
		_exit(99);
	return 0;
}

static void crashes_in_undo(void)
{
	int n, status;

	for (int guest = 0; guest < 2; guest++) {
		test(guest ? "killed in an undoing with a stranger about: what he wrote is in its place or in conflicts"
		           : "killed before every call of an undoing, and run again");
		for (n = 1;; n++) {
			three(".bak");
			fflush(stdout);
			pid_t pid = fork();
			if (pid == 0) {
				met = 0;
				undo_at = n;
				with_guest = guest;
				hook = die_in_undo;
				apply(&plan);
				_exit(0);
			}
			waitpid(pid, &status, 0);
			if (!WIFEXITED(status) || WEXITSTATUS(status) != 99)
				break;
			if (!guest) {
				CHECK(each_old_or_new());
				if (!CHECK(apply(&plan) == MIG_OK && all_new() && tidy() && events("commit") == 1)) {
					printf("#   killed before call %d\n", n);
					complain();
				}
				continue;
			}
			apply(&plan);
			if (n > 2) {
				sh("grep -rqx his d/b.json .mig/conflicts");
				sh("grep -rqx hers a.json .mig/conflicts");
			}
			sh("grep -q 1.0.0 .mig/objects/* || grep -q 1.0.0 d/c.json");
		}
		printf("# %d points\n", n - 1);
		CHECK(n > 5);
	}
}

static void interrupts(void)
{
	test("a signal stops between two documents and undoes");
	three(NULL);
	store_interrupt();
	CHECK(apply(&plan) == MIG_ERROR && says("interrupted") && all_old());
}

/* With a limit of 64 descriptors one document at a time is held open. */
static void few_descriptors(void)
{
	struct rlimit l = { 64, 64 };

	CHECK(setrlimit(RLIMIT_NOFILE, &l) == 0);
	test("with few descriptors a plan of a hundred documents is applied, undone and rolled back");
	char names[100][16];
	const char *many[101];
	fresh();
	for (size_t i = 0; i < 100; i++) {
		snprintf(names[i], sizeof names[i], "d%02zu/f.json", i);
		many[i] = names[i];
		put(many[i], OLD);
	}
	many[100] = NULL;
	make(&plan, many, OLD, ".bak", NULL);
	make(&back, many, OLD, ".bak", plan.plan.hash);
	CHECK(with_error("exchange", 90, EIO) == MIG_ERROR && tidy());
	for (size_t i = 0; i < 100; i++)
		CHECK(holds(many[i], OLD));
	CHECK(entries("d00") == 1);
	CHECK(apply(&plan) == MIG_OK && tidy());
	complain();
	for (size_t i = 0; i < 100; i++)
		CHECK(IS_NEW(many[i]));
	CHECK(apply(&back) == MIG_OK && tidy());
	for (size_t i = 0; i < 100; i++)
		CHECK(holds(many[i], OLD));
	CHECK(entries("d99") == 1);
	CHECK(with_stranger("link", 50, "rm d99/f.json; echo his > d99/f.json", &plan) == MIG_INVALID && tidy());
	CHECK(holds("d00/f.json", OLD) && holds("d99/f.json", "his\n") && entries("d50") == 1);
}

/* Documents that together are larger than the room for new bytes. */
static void large_documents(void)
{
	enum { SIZE = 6 << 20 };
	char *text = xmalloc(SIZE + 1);

	test("new bytes that are too many to be kept are made again");
	memset(text, ' ', SIZE);
	memcpy(text, OLD, strlen(OLD) - 1);
	text[SIZE] = '\0';
	fresh();
	for (size_t i = 0; abc[i]; i++)
		put(abc[i], text);
	make(&plan, abc, text, NULL, NULL);
	make(&back, abc, text, NULL, plan.plan.hash);
	CHECK(apply(&plan) == MIG_OK && all_new() && tidy());
	complain();
	CHECK(apply(&back) == MIG_OK && tidy());
	complain();
	sh("cmp a.json d/b.json && cmp a.json d/c.json && grep -q 1.0.0 a.json && ! grep -q 1.1.0 a.json");
	free(text);
}

int main(void)
{
	if (!mkdtemp(base)) {
		printf("1..0 # SKIP no /dev/shm\n");
		return 0;
	}
	root = xasprintf("%s/store", base);
	refs();
	globs();
	scans();
	reads();
	there_and_back();
	dry();
	completes_and_skips();
	hard_links();
	metadata();
	state();
	strangers();
	errors();
	crashes();
	crashes_in_undo();
	large_documents();
	few_descriptors();
	interrupts();
	char *all = xasprintf("rm -rf '%s'", base);
	CHECK(system(all) == 0);
	free(all);
	free(root);
	unmake(&plan);
	unmake(&back);
	outcome_release(&O);
	diag_release(&D);
	buf_release(&seen);
	digest_close();
	return test_end();
}
