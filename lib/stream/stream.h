/*
 * stream.h -- streams of records: reading, forwarding, end, fault.
 *
 * Floor 6.  A reader notices everything that mig-stream(5) calls a broken
 * stream; a writer leaves either an end or a fault behind.
 */
#ifndef MIG_STREAM_H
#define MIG_STREAM_H

#include "io.h"
#include "record.h"

/* A running digest over what a stream says it holds. */
struct tally {
	struct digest *sum;
	uint64_t n;
};

void tally_init(struct tally *t);
void tally_release(struct tally *t);
void tally_object(struct tally *t, struct text ref, struct text hash); /* ref NUL hash LF */
void tally_plan(struct tally *t, const char *plan_hash);                /* hash LF */
void tally_hex(struct tally *t, char hex[HEX_SIZE]);                    /* ends the sum */

struct stream {
	struct lines lines;
	struct doc doc;
	struct buf canon;   /* a line that came in another spelling, made canonical */
	const char *tool;   /* the reader's name, for findings */
	bool partial;       /* one block of a stream that was split: may lack its end */
	bool end, fault;    /* seen so far */
	uint64_t end_records;
	char end_digest[HEX_SIZE];
	enum mig_exit fault_exit;
	char where[32];     /* "line 12" of the record handed out last */
};

/* How many bytes a record may have: MIG_MAX_RECORD, 64 MiB where it is unset; 0 where it is not from 1 KiB to 2 GiB. */
size_t stream_max_record(void);

/* Read records from fd.  tool is borrowed. */
void stream_init(struct stream *s, int fd, const char *tool);
void stream_release(struct stream *s);

/*
 * The next record, checked by record_check.  1: a record (end and fault
 * included, their members also kept in s); 0: the stream is over and was whole
 * (an end, or a fault); -1: a finding: a line that is no record (MIG_USAGE), a
 * torn last line or no end (MIG_PRECONDITION), a record after the end (MIG_INVALID).
 * After a fault, what follows is still handed out, but a missing end is no finding.
 */
int stream_next(struct stream *s, struct record *r, struct diag *d);

/* Compare the end's records and digest with what was received: 0, or MIG_INVALID "stream_incomplete". */
int stream_verify_end(const struct stream *s, struct tally *t, struct diag *d);

/* Does the sum of the record handed out last hold?  0, or MIG_INVALID "sum_mismatch". */
int stream_check_sum(const struct stream *s, const struct record *r, struct diag *d);

/* Write one record's text and LF. */
int stream_put(struct out *o, const char *text, size_t n);
/* Write the reject, whose sum must hold (as in stream_check_sum), or the fault handed out last as it came. */
int stream_pass(const struct stream *s, const struct record *r, struct out *o, struct diag *d);
/* Write an end record, and all that waits in the buffer. */
int stream_put_end(struct out *o, const char *tool, uint64_t records, const char *digest);
/* The same, of what was tallied; nothing can be added to t then. */
int stream_put_tally(struct out *o, const char *tool, struct tally *t);
int stream_put_fault(struct out *o, const char *tool, const struct finding *f);

#endif
