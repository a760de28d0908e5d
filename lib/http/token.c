/* token.c -- see token.h */
#include "token.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST = 16384 };

void token_free(char *token)
{
	if (token)
		explicit_bzero(token, strlen(token));
	free(token);
}

/* The text without the white space at its end, if a header can hold it. */
static int keep(const char *s, size_t n, const char *where, char **token, struct diag *d)
{
	while (n && strchr(" \t\r\n", s[n - 1]))
		n--;
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f)
			return diag_add(d, MIG_PRECONDITION, "bad_token", where, "holds what no header can");
	if (n == 0)
		return diag_add(d, MIG_PRECONDITION, "bad_token", where, "is empty");
	*token = xmemdup(s, n);
	return 0;
}

static int read_from(int fd, const char *file, char **token, struct diag *d)
{
	struct buf b = BUF_INIT;
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return diag_add(d, MIG_ERROR, "read_failed", file, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return diag_add(d, MIG_PRECONDITION, "bad_token", file, "not a regular file");
	if (st.st_mode & (S_IRWXO | S_IWGRP))
		return diag_add(d, MIG_PRECONDITION, "bad_token", file,
		                "is open to others: chmod go-w,o-rwx keeps it to its owner");
	buf_reserve(&b, LONGEST + 1); /* once: a copy that was outgrown could not be wiped */
	ssize_t n = io_read(fd, b.s, LONGEST + 1);

	if (n < 0)
		rc = diag_add(d, MIG_ERROR, "read_failed", file, "%s", strerror(errno));
	else if (n > LONGEST)
		rc = diag_add(d, MIG_PRECONDITION, "bad_token", file, "is too long");
	else
		rc = keep(b.s, (size_t)n, file, token, d);
	explicit_bzero(b.s, LONGEST + 1);
	buf_release(&b);
	return rc;
}

int token_read(const char *file, char **token, struct diag *d)
{
	const char *given = getenv("MIG_TOKEN");

	*token = NULL;
	if (!file)
		return given && *given ? keep(given, strlen(given), "MIG_TOKEN", token, d) : 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return diag_add(d, MIG_PRECONDITION, "bad_token", file, "%s", strerror(errno));
	int rc = read_from(fd, file, token, d);

	close(fd);
	return rc;
}
