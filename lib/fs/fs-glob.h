/*
 * fs-glob.h -- which paths a list of globs means, and which folders cannot matter.
 *
 * Floor 2.  "?" is one byte and "*" any number of bytes but "/"; "**" crosses
 * folders, and at the start of a name "**" with its "/" is any number of
 * folders, none included.  There are no classes and no escapes.
 *
 *	a/?.json matches a/b.json; a/(two stars)/b.json matches a/b.json and a/x/y/b.json
 *
 * All globs run at once, byte by byte, as one automaton: its states after a
 * folder's path are carried into the folder, and a folder where none is left
 * need not be read.
 */
#ifndef MIG_FS_GLOB_H
#define MIG_FS_GLOB_H

#include "base.h"

struct glob {
	struct glob_token *token;
	size_t n;
};

/* Compile a NULL-ended list.  Needs glob_release. */
void glob_init(struct glob *g, char *const *globs);
void glob_release(struct glob *g);

/* The states before the first byte: g->n bytes at on. */
void glob_start(const struct glob *g, unsigned char *on);

/* Go from the states on over n bytes to the states next, which may be on: false if none is left. */
bool glob_step(const struct glob *g, const unsigned char *on, const char *s, size_t n, unsigned char *next);

/* Does what was read so far match a glob? */
bool glob_accepts(const struct glob *g, const unsigned char *on);

#endif
