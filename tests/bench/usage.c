/*
 * usage LOG CMD [ARG..] -- run CMD and append what it used to LOG:
 *
 *     cpu:mig-plan 34120      us of user and system time
 *     rss:mig-plan 7204       KB of resident memory at its peak
 *
 * Exits with CMD's code.  Written in C because ru_maxrss never falls below the
 * size of the process that forked: an interpreter would hide small filters.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long us(struct timeval t)
{
	return t.tv_sec * 1000000L + t.tv_usec;
}

/* One write, so that the lines of a pipeline's filters do not mix. */
static int append(const char *log, const char *cmd, const struct rusage *ru)
{
	const char *slash = strrchr(cmd, '/'), *name = slash ? slash + 1 : cmd;
	char text[256];
	int n = snprintf(text, sizeof text, "cpu:%s %ld\nrss:%s %ld\n", name,
			 us(ru->ru_utime) + us(ru->ru_stime), name, ru->ru_maxrss);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);

	if (fd < 0 || n < 0 || n >= (int)sizeof text)
		return -1;
	if (write(fd, text, (size_t)n) != n) {
		close(fd);
		return -1;
	}
	return close(fd);
}

int main(int argc, char **argv)
{
	struct rusage ru;
	int status;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "usage: usage log cmd [arg ...]\n");
		return 2;
	}
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &ru) < 0 || append(argv[1], argv[2], &ru) < 0) {
		perror("usage");
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
