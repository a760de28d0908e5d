/*
 * ledger-line.h -- the lines of a ledger: each an entry, whose hash holds or does not.
 *
 * Floor 6.
 */
#ifndef MIG_LEDGER_LINE_H
#define MIG_LEDGER_LINE_H

#include "record.h"

/* What findings call the ledger. */
extern const char ledger_name[];

/*
 * Index a line, which needs BUF_PAD zero bytes behind it, and check that it is an
 * entry whose hash holds: NULL, or what is wrong with it.
 */
const char *ledger_line_read(struct doc *e, const char *line, size_t n, int64_t *seq, char hash[HEX_SIZE]);

/* A string member's characters, undecoded: ours hold no escapes where we look.  s is NULL where there is none. */
struct text ledger_line_member(const struct doc *e, const char *name);

/* Copy what fits; a text that is absent or too long gives "". */
void ledger_line_keep(char *to, size_t size, struct text v);

/*
 * Walk over the lines of the file from its start; each gets an offset and may
 * stop with -1.  A torn last line is left out with a warning "ledger_torn".
 */
int ledger_lines(int fd, int (*each)(void *arg, const char *s, size_t n, uint64_t offset), void *arg, struct diag *d);

#endif
