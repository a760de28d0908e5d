/* verify-drift.c -- see verify-drift.h */
#include "verify-drift.h"

#include "verdict.h"
#include "verify-sql.h"

int verify_drift(struct store *s, bool strict, struct out *out, struct diag *d)
{
	struct complaints found = COMPLAINTS_INIT(d, strict);
	char nothing[HEX_SIZE];

	if (!s->ops->database)
		return diag_add(d, MIG_USAGE, "no_schema", NULL, "--drift: a folder of documents has no schema");
	int rc = verify_sql_drift(s->ops->database(s), &found, d);

	if (rc == 0)
		rc = verdict_put(&found, NULL, out);
	complaints_finish(&found);
	digest_hex("", 0, nothing);
	if (rc == 0)
		rc = diag_exit(d) == MIG_OK ? stream_put_end(out, "mig-verify", 0, nothing) : -1;
	complaints_release(&found);
	return rc;
}
