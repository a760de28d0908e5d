/*
 * token.h -- who asks: a token, from the environment or a file, never from argv.
 *
 * Floor 3.
 */
#ifndef MIG_TOKEN_H
#define MIG_TOKEN_H

#include "diag.h"

/*
 * The token: the one line of file if that is not NULL, else MIG_TOKEN, else
 * NULL in *token.  0 and a new string, freed by token_free; or MIG_PRECONDITION
 * "bad_token" where a file is missing, may be read by everybody or written by
 * its group, or holds what no header can.
 */
int token_read(const char *file, char **token, struct diag *d);
void token_free(char *token); /* wipes it, too */

#endif
