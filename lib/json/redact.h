/*
 * redact.h -- texts of records, as a page may show them.
 *
 * Floor 2.
 */
#ifndef MIG_REDACT_H
#define MIG_REDACT_H

#include "buf.h"
#include "secret.h"

/* Append a text with REDACTED in the place of each secret (see secret.h).  Redacting twice changes nothing more. */
void redact_text(struct buf *out, const char *s, size_t n);

#endif
