/*
 * diag.h -- findings as values.
 *
 * Floor 1.  lib/ adds findings and returns; main prints them and picks the
 * exit code.  A finding has an exit class, a stable rule id for machines, a
 * place and a message for people ("where: message").  No finding holds a
 * secret (secret.h): what is added is redacted, in the place only passwords of URIs.
 * Both texts are UTF-8, as records want them: a byte that is none becomes %XX, as in refs.
 */
#ifndef MIG_DIAG_H
#define MIG_DIAG_H

#include "base.h"

struct finding {
	enum mig_exit exit; /* MIG_OK: a warning, which never changes the exit code */
	char *rule;         /* "no_path": lower snake case, stable */
	char *where;        /* file, ref, line or pointer; NULL: the whole run */
	char *message;      /* lower case, no full stop */
};

struct diag {
	struct finding *list;
	size_t n, cap;
	char *hint; /* the next command to try, or NULL */
};

#define DIAG_INIT { NULL, 0, 0, NULL }

void diag_release(struct diag *d);

/* Add a finding; copies its texts.  Returns -1, so that "return diag_add(..)" fails the caller. */
int diag_add(struct diag *d, enum mig_exit exit, const char *rule, const char *where,
             const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Add a warning: shown, never counted. */
void diag_warn(struct diag *d, const char *rule, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Forget the findings from index n on. */
void diag_truncate(struct diag *d, size_t n);

/* Name the next command; the first hint wins. */
void diag_hint(struct diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* MIG_ERROR if any finding is one, else the lowest code among them, else MIG_OK. */
enum mig_exit diag_exit(const struct diag *d);

/* The finding that diag_exit speaks of: the first of that code; NULL if there is none.  Borrowed. */
const struct finding *diag_first(const struct diag *d);

#endif
