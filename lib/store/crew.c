/* crew.c -- see crew.h */
#include "crew.h"

#include "crew-talk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { AHEAD = 4 }; /* jobs a process that may wait for their turn to be shown */

enum stage { WAITING, CHECKED, BEGUN, COMMITTED, ENDED };

/* A job, from when it is given out to when it is shown. */
struct task {
	enum stage stage;
	bool begun, failed;
	struct buf line;  /* its outcome */
	struct diag d;
};

struct worker {
	pid_t pid;
	int to, from;      /* -1: it has gone */
	size_t job;        /* njob: none */
	bool asks;
	struct message m;  /* what it asks for */
	struct buf text;
};

struct foreman {
	const struct crew *c;
	struct diag *d;
	struct worker *w;
	size_t nw;
	struct task *task; /* a ring: job i is task[i % room] */
	size_t room;
	size_t shown, given; /* jobs that were; those between are at work or wait */
	size_t failed;     /* the first that failed, or njob */
	enum mig_exit code; /* with that */
	bool told;         /* a signal was passed on */
	bool sync_lost;    /* nobody knows what is on the disk: nothing more is put there */
	bool deaf;         /* the reader of the outcomes has gone */
	struct buf reply;
};

static struct task *task_of(struct foreman *f, size_t job)
{
	return &f->task[job % f->room];
}

/* --- the processes */

static void keep_out(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int hire(struct foreman *f, struct worker *w)
{
	int down[2], up[2], parent = getpid();

	if (pipe2(down, O_CLOEXEC) < 0)
		return diag_add(f->d, MIG_ERROR, "io_failed", NULL, "cannot make a pipe: %s", strerror(errno));
	if (pipe2(up, O_CLOEXEC) < 0) {
		close(down[0]);
		close(down[1]);
		return diag_add(f->d, MIG_ERROR, "io_failed", NULL, "cannot make a pipe: %s", strerror(errno));
	}
	w->pid = fork();
	if (w->pid == 0) {
		/* an end that stays open here would hide that the parent has closed it */
		for (struct worker *other = f->w; other < w; other++) {
			keep_out(other->to);
			keep_out(other->from);
		}
		close(down[1]);
		close(up[0]);
		crew_hand(f->c, parent, down[0], up[1]);
	}
	int err = errno;

	close(down[0]);
	close(up[1]);
	w->to = down[1];
	w->from = up[0];
	return w->pid > 0 ? 0 : diag_add(f->d, MIG_ERROR, "io_failed", NULL, "cannot fork: %s", strerror(err));
}

static void dismiss(struct worker *w)
{
	keep_out(w->to);
	keep_out(w->from);
	w->to = w->from = -1;
	w->asks = false;
}

/* None of them is at work.  They are told to go: an end of a pipe that is not closed must not keep them, nor us. */
static void dismiss_all(struct foreman *f)
{
	for (size_t i = 0; i < f->nw; i++) {
		if (f->w[i].to >= 0)
			message_send(f->w[i].to, 0, 0, NULL);
		dismiss(&f->w[i]);
	}
	for (size_t i = 0; i < f->nw; i++) {
		while (f->w[i].pid > 0 && waitpid(f->w[i].pid, NULL, 0) < 0 && errno == EINTR)
			;
		buf_release(&f->w[i].text);
	}
}

/* --- the jobs */

static void fail(struct foreman *f, size_t job, const struct diag *d)
{
	if (job >= f->failed)
		return;
	f->failed = job;
	f->code = diag_exit(d) == MIG_OK ? MIG_ERROR : diag_exit(d);
}

static void end(struct foreman *f, struct worker *w, bool failed)
{
	struct task *t = task_of(f, w->job);

	t->stage = ENDED;
	t->failed = failed;
	if (failed)
		fail(f, w->job, &t->d);
	w->job = f->c->njob;
}

/* A worker that ends by itself leaves what a killed run leaves. */
static void gone(struct foreman *f, struct worker *w)
{
	dismiss(w);
	if (w->job == f->c->njob)
		return;
	struct task *t = task_of(f, w->job);

	diag_hint(&t->d, "apply the same plans again to complete it, or undo it with --recover undo");
	diag_add(&t->d, MIG_ERROR, "worker_died", NULL,
	         "the process that was at work on plan %zu was ended%s", w->job + 1,
	         t->begun ? ": some of its documents have their new bytes, some their old" : " before it began");
	t->begun = true;
	end(f, w, true);
}

static void take_result(struct foreman *f, struct worker *w)
{
	struct task *t = task_of(f, w->job);
	size_t at = 0, n;
	const char *line = message_take(&w->text, &at, &n);

	buf_reset(&t->line);
	buf_add(&t->line, line, n);
	message_take_findings(&w->text, &at, &t->d);
	end(f, w, w->m.flag);
}

static void hear(struct foreman *f, struct worker *w)
{
	if (message_receive(w->from, &w->m, &w->text) <= 0)
		gone(f, w);
	else if (w->m.what == CREW_DONE)
		take_result(f, w);
	else
		w->asks = true;
}

/* Have all jobs ahead come as far as that, and none failed? */
static bool ahead(struct foreman *f, size_t job, enum stage stage)
{
	for (size_t i = f->shown; i < job; i++)
		if (task_of(f, i)->stage < stage)
			return false;
	return true;
}

static bool hopeless(const struct foreman *f)
{
	return f->failed < f->c->njob || f->deaf || store_interrupted();
}

/* Give out jobs, in their order, as far as there is somebody to do them. */
static void give_out(struct foreman *f)
{
	for (size_t i = 0; i < f->nw && !hopeless(f) && f->given < f->c->njob; i++) {
		struct worker *w = &f->w[i];
		uint64_t job = f->given;

		if (w->to < 0 || w->job != f->c->njob)
			continue;
		if (f->given - f->shown >= f->room || (f->c->job[job].alone && f->shown < f->given))
			return;
		struct task *t = task_of(f, job);

		t->stage = CHECKED;
		t->begun = t->failed = false;
		w->job = f->given++;
		buf_reset(&f->reply);
		buf_add(&f->reply, (const char *)&job, sizeof job);
		if (message_send(w->to, 0, 0, &f->reply) < 0)
			gone(f, w);
	}
}

/* --- what they ask for */

static void reply(struct foreman *f, struct worker *w, int rc, const struct relay_answer *a, const struct diag *d)
{
	buf_reset(&f->reply);
	message_add(&f->reply, a, sizeof *a);
	message_add_findings(&f->reply, d, 0);
	w->asks = false;
	if (message_send(w->to, 0, rc < 0, &f->reply) < 0)
		gone(f, w);
}

/* With the code of the plan that failed, so that the run's is the same. */
static void refuse(struct foreman *f, struct worker *w)
{
	struct relay_answer a = { .unsure = false };
	struct diag d = DIAG_INIT;

	diag_add(&d, f->code, "stopped", NULL, "a plan ahead of it failed");
	reply(f, w, -1, &a, &d);
	diag_release(&d);
}

static void serve(struct foreman *f, struct worker *w)
{
	struct relay_answer a = { .unsure = false };
	struct diag d = DIAG_INIT;
	int rc = f->c->s->ops->answer(f->c->s, w->m.what, w->m.flag, w->text.s, w->text.len, &a, &d);
	struct task *t = task_of(f, w->job);

	if (a.unsure)
		f->sync_lost = true;
	if (w->m.what == RELAY_BEGIN && rc == 0) {
		t->stage = BEGUN;
		t->begun = true;
	} else if (w->m.what == RELAY_COMMIT && rc == 0) {
		t->stage = COMMITTED;
		t->begun = true;
	} else if (w->m.what == RELAY_BEGIN || w->m.what == RELAY_COMMIT) {
		fail(f, w->job, &d);
	}
	reply(f, w, rc, &a, &d);
	diag_release(&d);
}

/* All that wait for the disk wait for the same sync; one that failed is not tried again.  Did any wait? */
static bool serve_syncs(struct foreman *f)
{
	struct relay_answer a = { .unsure = false };
	struct diag d = DIAG_INIT;
	bool asked = false;
	int rc = -1;

	for (size_t i = 0; i < f->nw; i++) {
		struct worker *w = &f->w[i];

		if (!w->asks || w->m.what != RELAY_SYNC)
			continue;
		if (!asked && f->sync_lost)
			diag_add(&d, MIG_ERROR, "sync_failed", NULL, "nothing more is written after a failed sync");
		else if (!asked && (rc = f->c->s->ops->answer(f->c->s, RELAY_SYNC, true, NULL, 0, &a, &d)) < 0)
			f->sync_lost = true;
		asked = true;
		if (rc < 0)
			fail(f, w->job, &d);
		reply(f, w, rc, &a, &d);
	}
	diag_release(&d);
	return asked;
}

static bool may_go_on(struct foreman *f, const struct worker *w)
{
	if (w->m.what == RELAY_BEGIN || w->m.what == RELAY_TURN)
		return ahead(f, w->job, BEGUN);
	return w->m.what != RELAY_COMMIT || ahead(f, w->job, COMMITTED);
}

/* Answer whoever may go on: was there anyone?  An answer may be what another one has waited for. */
static bool serve_some(struct foreman *f)
{
	bool any = false;

	for (size_t i = 0; i < f->nw; i++) {
		struct worker *w = &f->w[i];
		bool bound = w->m.what == RELAY_TURN || w->m.what == RELAY_BEGIN || w->m.what == RELAY_COMMIT;

		if (!w->asks || w->m.what == RELAY_SYNC)
			continue;
		if (bound && w->job > f->failed)
			refuse(f, w);
		else if (may_go_on(f, w))
			serve(f, w);
		else
			continue;
		any = true;
	}
	return serve_syncs(f) || any;
}

/* --- what is told */

static void show(struct foreman *f, struct task *t, bool after_failure)
{
	/* with one process, nobody would have heard of a plan behind that was never begun */
	if (!after_failure || t->begun) {
		struct buf b = BUF_INIT;
		size_t at = 0;

		message_add_findings(&b, &t->d, 0);
		message_take_findings(&b, &at, f->d);
		buf_release(&b);
		if (t->line.len && !f->deaf) {
			out_write(f->c->out, t->line.s, t->line.len);
			/* the outcome of what is now on disk must not wait in a buffer */
			f->deaf = out_write(f->c->out, "\n", 1) < 0 || out_flush(f->c->out) < 0;
		}
	}
	diag_release(&t->d);
	buf_reset(&t->line);
	t->stage = WAITING;
}

static void show_ended(struct foreman *f)
{
	while (f->shown < f->given && task_of(f, f->shown)->stage == ENDED) {
		show(f, task_of(f, f->shown), f->shown > f->failed);
		f->shown++;
	}
}

/* --- all of it */

static void pass_on_signal(struct foreman *f)
{
	if (f->told || !store_interrupted())
		return;
	f->told = true;
	for (size_t i = 0; i < f->nw; i++)
		if (f->w[i].from >= 0)
			kill(f->w[i].pid, SIGTERM);
}

/* Wait until one of those at work has something to say: false if none is at work. */
static bool listen_to_all(struct foreman *f)
{
	struct pollfd p[CREW_MAX];
	bool busy = false;

	for (size_t i = 0; i < f->nw; i++) {
		bool waits = f->w[i].asks || f->w[i].from < 0;

		p[i] = (struct pollfd){ .fd = waits ? -1 : f->w[i].from, .events = POLLIN };
		busy = busy || f->w[i].job != f->c->njob;
	}
	if (!busy)
		return false;
	if (poll(p, f->nw, -1) > 0)
		for (size_t i = 0; i < f->nw; i++)
			if (p[i].fd >= 0 && p[i].revents)
				hear(f, &f->w[i]);
	return true;
}

static void direct(struct foreman *f)
{
	do {
		pass_on_signal(f);
		show_ended(f);
		give_out(f);
		while (serve_some(f))
			;
		show_ended(f);
	} while (listen_to_all(f));
	show_ended(f);
}

int crew_run(const struct crew *c, struct diag *d)
{
	struct foreman f = { .c = c, .d = d, .failed = c->njob, .room = (size_t)c->n * AHEAD };
	int rc = 0;

	f.w = xcalloc(c->n, sizeof *f.w);
	f.task = xcalloc(f.room, sizeof *f.task);
	for (; rc == 0 && f.nw < c->n; f.nw++) {
		f.w[f.nw] = (struct worker){ .to = -1, .from = -1, .job = c->njob };
		rc = hire(&f, &f.w[f.nw]);
	}
	if (rc == 0)
		direct(&f);
	if (rc == 0 && f.failed == c->njob && f.given < c->njob && !f.deaf)
		diag_add(d, MIG_ERROR, store_interrupted() ? "interrupted" : "worker_died", NULL,
		         store_interrupted() ? "stopped by a signal" : "no process is left to do the plans");
	dismiss_all(&f);
	for (size_t i = 0; i < f.room; i++) {
		diag_release(&f.task[i].d);
		buf_release(&f.task[i].line);
	}
	if (rc == 0 && f.shown < c->njob)
		rc = -1;
	free(f.w);
	free(f.task);
	buf_release(&f.reply);
	return f.failed < c->njob || f.deaf ? -1 : rc;
}
