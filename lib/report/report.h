/*
 * report.h -- a page about a stream of any kind.
 *
 * Floor 13.  Pure.  Which view is shown follows from the records that come;
 * memory is bounded whatever their number (status: by the number of plans).
 */
#ifndef MIG_REPORT_H
#define MIG_REPORT_H

#include "stream.h"

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_HTML };

struct report_ask {
	enum report_format format;
	bool lines; /* the front door's fixed lines instead of a page */
	bool bold;  /* headings, on a terminal */
	bool status;        /* of a ledger: how the store stands, not what was done; of versions: what is pending, */
	const char *target; /* to this version, or NULL for the set's latest */
};

/*
 * Read the stream to its end and write the page, also for a stream that broke:
 * the page then says so in its last lines.  0, or -1 after findings: what stream_next says,
 * a record's hash that does not hold, an end that does not fit (MIG_INVALID).
 */
int report_run(const struct report_ask *ask, struct stream *in, struct out *out, struct diag *d);

#endif
