/*
 * given.h -- what a filter was called with, for the audit.
 *
 * Floor 13.  One process has one command line.
 */
#ifndef MIG_GIVEN_H
#define MIG_GIVEN_H

#include <stdbool.h>

/* Keep an option: its value, NULL for a flag; list: it may come again.  An operand has the name "".  Borrows both. */
void given_add(const char *name, const char *value, bool list);

/* The value of an option, or NULL.  Borrowed. */
const char *given_value(const char *name);

/* All as canonical JSON, without secrets, operands under "operands": a new string. */
char *given_json(void);

void given_forget(void);

#endif
