/* temporary.c -- see temporary.h */
#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int temporary_file(const char *what, struct diag *d)
{
	const char *dir = getenv("TMPDIR");

	if (!dir || !*dir)
		dir = "/tmp";
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0) { /* a file system without O_TMPFILE */
		char *name = xasprintf("%s/mig-%s-XXXXXX", dir, what);

		fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0)
			unlink(name);
		free(name);
	}
	if (fd < 0)
		diag_add(d, MIG_ERROR, "spool_failed", "temporary file", "%s: %s", dir, strerror(errno));
	return fd;
}
