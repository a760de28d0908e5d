/*
 * oom.c -- an allocator that runs out of memory at the OOM_AT-th call, and is preloaded into a filter.
 *
 * OOM_ONCE: only that call fails, not those after it.  OOM_COUNT: a file that
 * gets the number of calls when the process exits.  Calls before the program's own
 * initialisation, those of the dynamic linker, are not counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static unsigned long calls, fails_at;
static int counting, once, report_to = -1;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("OOM_AT"), *file = getenv("OOM_COUNT");

	fails_at = at ? strtoul(at, NULL, 10) : 0;
	once = getenv("OOM_ONCE") != NULL;
	if (file && (report_to = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) < 0) /* no sandbox yet */
		_exit(125);
	counting = 1;
}

__attribute__((destructor)) static void report(void)
{
	char text[32];

	counting = 0;
	int n = snprintf(text, sizeof text, "%lu\n", calls);

	if (report_to >= 0 && write(report_to, text, (size_t)n) != n)
		_exit(125);
}

static int is_out(void)
{
	if (!counting)
		return 0;
	calls++;
	if (!fails_at || calls < fails_at || (once && calls > fails_at))
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t n)
{
	return is_out() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return is_out() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return is_out() ? NULL : __libc_realloc(p, n);
}
