/* verdict-file.c -- see verdict-file.h */
#include "verdict-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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
		if (r.kind != KIND_VERDICT && r.kind != KIND_END && r.kind != KIND_FAULT && r.kind != KIND_REJECT) {
			rc = diag_add(d, MIG_INVALID, "unexpected_kind", in->where, "%s: not what mig-verify writes",
			              kind_name(r.kind));
			break;
		}
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

/* Findings about a stream speak of stdin and of its lines: here of those of the file. */
static void tell(const char *path, const struct diag *own, struct diag *d)
{
	for (size_t i = 0; i < own->n; i++) {
		const struct finding *x = &own->list[i];
		bool line = x->where && strncmp(x->where, "line ", 5) == 0;

		diag_add(d, x->exit, x->rule, path, "%s%s%s", line ? x->where : "", line ? ": " : "", x->message);
	}
}

int verdict_file_read(const char *path, const char *missing,
                      void (*each)(void *arg, const struct record *verdict, const char *hash), void *arg,
                      struct diag *d)
{
	struct diag own = DIAG_INIT;
	struct stream in;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return diag_add(d, MIG_PRECONDITION, missing, path, "cannot open: %s", strerror(errno));
	stream_init(&in, fd, "mig-gate");
	int rc = read_stream(&in, each, arg, &own);

	tell(path, &own, d);
	diag_release(&own);
	stream_release(&in);
	close(fd);
	return rc;
}
