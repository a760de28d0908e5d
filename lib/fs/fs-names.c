/* fs-names.c -- see fs-names.h */
#include "fs-names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int fs_names(int dir, struct fs_names *l)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *it = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	*l = (struct fs_names){ .n = 0 };
	if (!it) {
		int err = errno;

		if (fd >= 0)
			close(fd);
		errno = err;
		return -1;
	}
	while ((errno = 0, e = readdir(it))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (l->n == l->cap) {
			l->cap = l->cap ? l->cap * 2 : 16;
			l->name = xrealloc(l->name, l->cap, sizeof *l->name);
		}
		l->name[l->n++] = xstrdup(e->d_name);
	}
	int err = errno;

	closedir(it);
	if (err) {
		fs_names_release(l);
		errno = err;
		return -1;
	}
	if (l->n)
		qsort(l->name, l->n, sizeof *l->name, by_bytes);
	return 0;
}

void fs_names_release(struct fs_names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
	*l = (struct fs_names){ .n = 0 };
}
