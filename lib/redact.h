/*
 * redact.h -- what a page must not show.
 *
 * Floor 2.  Secrets are known by their names: token, password, secret,
 * authorization and private_key, in any case, with or without - and _, alone or
 * at the end of a longer name (api_token, X-Authorization, pgPassword).
 */
#ifndef MIG_REDACT_H
#define MIG_REDACT_H

#include "buf.h"

#include <stdbool.h>

#define REDACTED "[redacted]"

/* Is this the name of a secret? */
bool redact_name(const char *s, size_t n);

/*
 * Append a text with REDACTED in the place of the value in name=value,
 * name: value and "name":"value" where the name is a secret's, and of the
 * password in scheme://user:password@host.  Redacting twice changes nothing more.
 */
void redact_text(struct buf *out, const char *s, size_t n);

#endif
