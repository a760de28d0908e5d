/* operands.c -- see operands.h */
#include "operands.h"

#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_operand(const char *path, struct diag *d)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		diag_add(d, MIG_PRECONDITION, "missing_file", path, "a folder, not a file");
		close(fd);
		return -1;
	}
	if (fd < 0)
		diag_add(d, errno == EMFILE || errno == ENFILE ? MIG_ERROR : MIG_PRECONDITION, "missing_file", path,
		         "%s", strerror(errno));
	return fd;
}

void operands_read(char *const *files, void (*each)(void *arg, int fd, const char *name), void *arg, struct diag *d)
{
	static char standard[] = "-";
	static char *const alone[] = { standard, NULL };

	if (!*files)
		files = alone;
	else if (files[1] && sandbox_reading(d) < 0)
		return;
	for (; *files; files++) {
		bool is_stdin = strcmp(*files, standard) == 0;
		int fd = is_stdin ? STDIN_FILENO : open_operand(*files, d);

		if (fd < 0)
			continue;
		if (files[1] || sandbox_pure(d) == 0)
			each(arg, fd, *files);
		if (!is_stdin)
			close(fd);
	}
}
