/* policy.c -- see policy.h */
#include "policy.h"

#include "io.h"
#include "page.h"
#include "record.h"
#include "redact.h"
#include "utf8.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { JQ_SECONDS = 10, MESSAGE_COLUMNS = 400, RULE_MAX = 64 };
static const size_t JQ_MEMORY = (size_t)2 << 30;

struct policy {
	const char *path;
	struct buf ref; /* the path as JSON */
	struct jqprog *prog;
};

void policies_release(struct policies *p)
{
	for (size_t i = 0; i < p->n; i++) {
		jqrun_free(p->list[i].prog);
		buf_release(&p->list[i].ref);
	}
	free(p->list);
	buf_release(&p->input);
	buf_release(&p->out);
	buf_release(&p->why.reason);
	doc_release(&p->in);
	doc_release(&p->verdict);
	*p = (struct policies)POLICIES_INIT;
}

/*
 * All outputs of the text in one array, with both its inputs:
 *
 *	def error(e): ..; .grant as $grant | .plan | [ (TEXT) ]
 *
 * The text begins on line 1, so that jq's lines are the file's; that it is whole
 * by itself was checked before.  jq 1.6 takes error(null) for empty, and a policy
 * that fails must not pass for one that has nothing to say.
 */
static const char wrapper[] = "def _mig_error(e): error(e); def error(e): (e // \"null\") as $e | _mig_error($e); "
			      "def error: error(.); .grant as $grant | .plan | [ (%s\n) ]";

static struct jqprog *compile(const char *text, const char *path, struct diag *d)
{
	struct buf b = BUF_INIT;
	struct jqprog *prog = NULL;

	if (jqrun_check(text, path, d) == 0) {
		buf_addf(&b, wrapper, text);
		prog = jqrun_compile(NULL, b.s, path, d);
	}
	buf_release(&b);
	return prog;
}

static int read_one(struct policy *p, struct digest *sum, struct diag *d)
{
	struct buf text = BUF_INIT;
	char hex[HEX_SIZE];
	int rc = io_read_file(p->path, &text, "missing_policy", d);

	if (rc == 0) {
		digest_hex(text.s, text.len, hex);
		digest_add(sum, hex, HEX_LEN);
		digest_add(sum, "\n", 1);
		if (text.s && strlen(text.s) != text.len)
			rc = diag_add(d, MIG_INVALID, "bad_policy", p->path, "holds a NUL byte");
		else if (!utf8_valid(text.s, text.len)) /* libjq would quietly replace what is none */
			rc = diag_add(d, MIG_INVALID, "bad_policy", p->path, "not UTF-8");
		else if (!(p->prog = compile(text.s ? text.s : "", p->path, d)))
			rc = -1;
	}
	buf_release(&text);
	return rc;
}

int policies_read(struct policies *p, char *const *paths, struct diag *d)
{
	struct digest *sum;
	int rc = 0;

	if (!paths || !*paths)
		return 0;
	sum = digest_new();
	for (; *paths; paths++) {
		p->list = xrealloc(p->list, p->n + 1, sizeof *p->list);
		p->list[p->n] = (struct policy){ .path = *paths };
		canon_string(&p->list[p->n].ref, *paths, strlen(*paths));
		if (read_one(&p->list[p->n++], sum, d) < 0)
			rc = -1;
	}
	digest_final(sum, p->hash);
	digest_free(sum);
	return rc;
}

/* ---- what they yield ---- */

static int failed(const struct policy *p, const char *why, struct diag *d)
{
	return diag_add(d, MIG_INVALID, "policy_failed", p->path, "%s", why);
}

static int severity_of(const struct doc *d, uint32_t t)
{
	static const char *const names[] = { "warn", "review", "deny" };

	for (int i = POLICY_WARN; i <= POLICY_DENY; i++)
		if (doc_equals(d, t, names[i], strlen(names[i])))
			return i;
	return -1;
}

/* Lower snake case, as all rule ids. */
static bool is_rule(const char *s)
{
	size_t n = strlen(s);

	return n && n <= RULE_MAX && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

/* The verdict at t: its severity with new texts, or -1 for what is none; the texts may be NULL then. */
static int read_verdict(const struct doc *d, uint32_t t, char **rule, char **message)
{
	static const struct member members[] = {
		{ "message", IS_STR }, { "rule_id", IS_STR }, { "severity", IS_STR }, { NULL, 0 }
	};
	struct diag unseen = DIAG_INIT;
	struct buf text = BUF_INIT, safe = BUF_INIT, clean = BUF_INIT;
	uint32_t m[3];
	int severity = -1;

	*rule = *message = NULL;
	if (d->tok[t].type == DOC_OBJECT && shape_check(d, t, members, m, "verdict", NULL, &unseen) == 0 &&
	    (severity = severity_of(d, m[2])) >= 0) {
		*rule = record_dup(d, m[1]);
		doc_string(d, m[0], &text);
		redact_text(&safe, text.s ? text.s : "", text.len);
		if (safe.len)
			page_clean(&clean, safe.s, safe.len, MESSAGE_COLUMNS);
		*message = clean.len ? buf_steal(&clean) : NULL;
	}
	if (severity >= 0 && (!is_rule(*rule) || !*message))
		severity = -1;
	diag_release(&unseen);
	buf_release(&text);
	buf_release(&safe);
	buf_release(&clean);
	return severity;
}

static int take(struct policies *p, const struct policy *one,
                void (*each)(void *arg, enum severity s, const char *path, const char *rule_id, const char *message),
                void *arg, struct diag *d)
{
	int rc = 0;

	if (doc_parse(&p->verdict, p->out.s, p->out.len, DOC_MAX_DEPTH) < 0)
		return failed(one, p->verdict.err.reason, d);
	for (uint32_t t = 1; rc == 0 && t < p->verdict.tok[0].next; t = p->verdict.tok[t].next) {
		char *rule, *message;
		int severity = read_verdict(&p->verdict, t, &rule, &message);

		if (severity < 0)
			rc = failed(one,
			            "yields something else than {rule_id,severity,message} with severity deny, "
			            "review or warn",
			            d);
		else
			each(arg, (enum severity)severity, one->path, rule, message);
		free(rule);
		free(message);
	}
	return rc;
}

/* What the signal handler needs. */
static struct {
	int fd;
	const char *tool;
	const struct policy *one; /* the one at hand */
} dying;

static int ask(struct policies *p, const struct policy *one, struct diag *d)
{
	enum jqrun_result r;

	buf_reset(&p->out);
	dying.one = one;
	jqrun_alarm(JQ_SECONDS);
	r = jqrun_value(one->prog, &p->in, 0, &p->out, &p->why);
	jqrun_alarm(0);
	if (r == JQ_OK)
		return 0;
	return diag_add(d, MIG_INVALID, "policy_failed", one->path, "the policy failed: %s", p->why.reason.s);
}

int policies_ask(struct policies *p, const struct buf *grant, const char *plan, size_t n,
                 void (*each)(void *arg, enum severity s, const char *path, const char *rule_id, const char *message),
                 void *arg, struct diag *d)
{
	int rc = 0;

	buf_reset(&p->input);
	buf_addstr(&p->input, "{\"grant\":");
	buf_add(&p->input, grant->s, grant->len);
	buf_addstr(&p->input, ",\"plan\":");
	buf_add(&p->input, plan, n);
	buf_addch(&p->input, '}');
	if (doc_parse(&p->in, p->input.s, p->input.len, RECORD_MAX_DEPTH + 1) < 0)
		return diag_add(d, MIG_ERROR, "internal", NULL, "a plan does not read back: %s", p->in.err.reason);
	for (size_t i = 0; i < p->n; i++)
		if (ask(p, &p->list[i], d) < 0 || take(p, &p->list[i], each, arg, d) < 0)
			rc = -1;
	return rc;
}

static void put(int fd, const char *s)
{
	ssize_t w = write(fd, s, strlen(s));

	(void)w;
}

/* On a stack of its own, with nothing but write(2). */
static void die_in_jq(int sig)
{
	const char *what = sig == SIGVTALRM ? "the policy ran for more than 10 seconds"
	                                    : "the policy crashed libjq or ran out of memory";

	put(dying.fd, "{\"code\":\"jq_died\",\"exit\":4,\"kind\":\"fault\",\"reason\":\"");
	put(dying.fd, what);
	put(dying.fd, dying.one ? "\",\"ref\":" : "\"");
	put(dying.fd, dying.one ? dying.one->ref.s : "");
	put(dying.fd, ",\"tool\":\"");
	put(dying.fd, dying.tool);
	put(dying.fd, "\"}\n");
	put(STDERR_FILENO, dying.tool);
	put(STDERR_FILENO, ": ");
	put(STDERR_FILENO, dying.one ? dying.one->path : "");
	put(STDERR_FILENO, dying.one ? ": " : "");
	put(STDERR_FILENO, what);
	put(STDERR_FILENO, "\n");
	end_at_once(MIG_INVALID);
}

void policies_guard(int fd, const char *tool)
{
	dying.fd = fd;
	dying.tool = tool;
	jqrun_guard(die_in_jq, JQ_MEMORY);
}
