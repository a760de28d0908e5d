/* verdict.c -- see verdict.h */
#include "verdict.h"

int verdict_put(const struct complaints *found, const struct plan *p, struct out *out)
{
	struct buf line = BUF_INIT;
	struct rec w, in;

	rec_open(&w, &line);
	complaints_code(found, &w);
	complaints_findings(found, &w);
	rec_cstr(&w, "kind", "verdict");
	rec_bool(&w, "ok", found->failed == 0);
	rec_cstr(&w, "plan_hash", p ? p->hash : NULL);
	rec_name(&w, "rollback");
	if (!p || p->rollback_mode) {
		buf_addstr(&line, "null");
	} else {
		rec_open(&in, &line);
		rec_cstr(&in, "plan_hash", p->hash);
		rec_close(&in);
	}
	rec_close(&w);
	int rc = stream_put(out, line.s, line.len);

	buf_release(&line);
	return rc;
}
