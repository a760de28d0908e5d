/* crew-hand.c -- see crew-hand.h */
#include "crew-hand.h"

#include "crew-talk.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

struct hand {
	const struct crew *c;
	int from, to;
	struct buf text;
};

/*
 * Through the pipe and back: see struct relay.  Without the parent nobody knows
 * whether what was asked for was done.  A commit that is in the ledger must not
 * be undone, so the process ends here, as a killed one does.
 */
static int ask(void *arg, enum relay_ask what, bool exchanged, const char *text, size_t n, struct relay_answer *a,
               struct diag *d)
{
	struct hand *h = arg;
	struct message m;
	size_t at = 0, size;

	buf_reset(&h->text);
	buf_add(&h->text, text, n);
	if (message_send(h->to, what, exchanged, &h->text) < 0 || message_receive(h->from, &m, &h->text) <= 0)
		_exit(MIG_ERROR);
	memcpy(a, message_take(&h->text, &at, &size), sizeof *a);
	message_take_findings(&h->text, &at, d);
	return m.flag ? -1 : 0;
}

static void done(struct hand *h, int rc, const struct buf *line, const struct diag *d)
{
	buf_reset(&h->text);
	message_add(&h->text, line->s ? line->s : "", line->len);
	message_add_findings(&h->text, d, 0);
	if (message_send(h->to, CREW_DONE, rc < 0, &h->text) < 0)
		_exit(MIG_ERROR); /* or the parent would wait for it */
}

_Noreturn void crew_hand(const struct crew *c, int parent, int from, int to)
{
	struct hand h = { .c = c, .from = from, .to = to, .text = BUF_INIT };
	const struct relay relay = { .ask = ask, .arg = &h };
	struct diag d = DIAG_INIT;
	struct buf line = BUF_INIT;
	struct message m;
	uint64_t job;

	/*
	 * The lock is the parent's and this process's: nobody else gets it before
	 * both are gone.  So that this is soon, the one dies with the other.
	 */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		_exit(MIG_ERROR);
	int open = c->s->ops->detach(c->s, &relay, &d);

	while (message_receive(from, &m, &h.text) > 0 && h.text.len == sizeof job) {
		memcpy(&job, h.text.s, sizeof job);
		done(&h, open < 0 ? -1 : c->work(c->arg, &c->job[job], &line, &d), &line, &d);
		if (open == 0)
			diag_release(&d);
		buf_reset(&line);
	}
	_exit(MIG_OK);
}
