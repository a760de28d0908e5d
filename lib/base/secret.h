/*
 * secret.h -- what may not leave a process in a text.
 *
 * Floor 0.  Secrets are known by their names: token, password, secret,
 * authorization and private_key, in any case, with or without - and _, alone or
 * at the end of a longer name (api_token, X-Authorization, pgPassword); and by
 * their place: scheme://user:password@host.  Nothing is known by its value, so
 * the same text is hidden the same way everywhere.
 */
#ifndef MIG_SECRET_H
#define MIG_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#define REDACTED "[redacted]"

enum secret_kind {
	SECRET_ANY, /* name=value, name: value, "name":"value", and what follows */
	SECRET_URI  /* the same, but only in and behind a URI: for file names and references */
};

/* Is this the name of a secret? */
bool secret_name(const char *s, size_t n);

/* Find the next secret of s at *i or behind it: its span, and *i behind it.  False: there is none. */
bool secret_next(const char *s, size_t n, enum secret_kind kind, size_t *i, size_t *from, size_t *to);

#endif
