/* extract-schema.c -- see extract-schema.h */
#include "extract-schema.h"

#include "sql-schema.h"

int extract_schema(struct store *s, struct out *out, struct diag *d)
{
	struct buf record = BUF_INIT;
	struct tally tally;
	char hash[HEX_SIZE], digest[HEX_SIZE];

	if (!s->ops->database)
		return diag_add(d, MIG_USAGE, "no_schema", NULL, "--schema: a folder of documents has none");
	int rc = sql_schema(s->ops->database(s), &record, hash, d);

	tally_init(&tally);
	if (rc == 0) {
		tally_object(&tally, TEXT("schema"), (struct text){ hash, HEX_LEN });
		tally_hex(&tally, digest);
		rc = stream_put(out, record.s, record.len);
	}
	if (rc == 0)
		rc = stream_put_end(out, "mig-extract", 1, digest);
	tally_release(&tally);
	buf_release(&record);
	return rc;
}
