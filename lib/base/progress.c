/* progress.c -- see progress.h */
#include "progress.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

volatile sig_atomic_t progress_done;

static const char *tool, *unit;
static volatile sig_atomic_t shown, running;

static size_t add(char *line, size_t at, const char *s)
{
	size_t n = strlen(s);

	memcpy(line + at, s, n);
	return at + n;
}

/* Async-signal-safe: puts the line together by hand and writes it at once. */
static void show(int sig)
{
	char line[128] = "\r", digits[24];
	size_t n = 1, i = sizeof digits - 1;
	int saved = errno;
	long done = progress_done;
	ssize_t w;

	(void)sig;
	digits[i] = '\0';
	do
		digits[--i] = (char)('0' + done % 10);
	while (done /= 10);
	n = add(line, n, tool);
	n = add(line, n, ": ");
	n = add(line, n, digits + i);
	n = add(line, n, unit);
	w = write(STDERR_FILENO, line, n);
	(void)w;
	shown = 1;
	errno = saved;
}

void progress_start(const char *name, const char *what)
{
	const struct itimerval every = { .it_interval.tv_usec = 250000, .it_value.tv_sec = 1 };
	struct sigaction sa = { .sa_handler = show, .sa_flags = SA_RESTART };

	if (!isatty(STDERR_FILENO) || strlen(name) + strlen(what) > 64)
		return;
	tool = name;
	unit = what;
	running = 1;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

void progress_stop(void)
{
	static const char wipe[] = "\r\033[K";
	const struct itimerval never = { .it_value.tv_sec = 0 };
	ssize_t w;

	if (!running)
		return;
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_IGN);
	running = 0;
	if (shown) {
		w = write(STDERR_FILENO, wipe, sizeof wipe - 1);
		(void)w;
	}
}
