/*
 * jqtext.h -- the text of a jq program: its syntax, the prelude, compiling.
 *
 * Floor 5.  Private to jqrun.c.
 */
#ifndef MIG_JQTEXT_H
#define MIG_JQTEXT_H

#include "diag.h"

#include <jv.h>

#include <jq.h>

/* As jqrun_check. */
int jqtext_check(const char *text, const char *where, struct diag *d);

/* As jqrun_check_library. */
int jqtext_check_library(const char *lib, const char *where, struct diag *d);

/* As jqrun_compile: a new libjq, for jq_teardown. */
jq_state *jqtext_compile(const char *lib, const char *text, const char *where, struct diag *d);

#endif
