/* verdict-file.c -- see verdict-file.h */
#include "verdict-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

bool verdict_ok(const struct record *r)
{
	return r->doc->tok[record_get(r, "ok")].type == DOC_TRUE;
}

bool verdict_finds(const struct record *r, const char *rule)
{
	uint32_t list = record_get(r, "findings");

	for (uint32_t t = list + 1; t < r->doc->tok[list].next; t = r->doc->tok[t].next)
		if (doc_says(r->doc, t, "rule_id", rule))
			return true;
	return false;
}

static int read_stream(struct stream *in, void (*each)(void *arg, const struct record *verdict, const char *hash),
                       void *arg, struct diag *d)
{
	struct tally seen;
	struct record r;
	int rc;

	tally_init(&seen);
	while ((rc = stream_next(in, &r, d)) > 0) {
		char *hash = r.kind == KIND_VERDICT ? record_dup(r.doc, record_get(&r, "plan_hash")) : NULL;

		if (hash && strlen(hash) == HEX_LEN) {
			tally_plan(&seen, hash);
			each(arg, &r, hash);
		}
		free(hash);
	}
	if (rc == 0 && !in->fault)
		rc = stream_verify_end(in, &seen, d);
	tally_release(&seen);
	return rc;
}

int verdict_file_read(const char *path, const char *missing,
                      void (*each)(void *arg, const struct record *verdict, const char *hash), void *arg,
                      struct diag *d)
{
	struct stream in;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return diag_add(d, MIG_PRECONDITION, missing, path, "cannot open: %s", strerror(errno));
	stream_init(&in, fd, "mig-gate");
	int rc = read_stream(&in, each, arg, d);

	stream_release(&in);
	close(fd);
	return rc;
}
