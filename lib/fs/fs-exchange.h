/*
 * fs-exchange.h -- put the new file in the original's place, and back.
 *
 * Floor 10.  The document has its old or its new bytes at every moment.
 */
#ifndef MIG_FS_EXCHANGE_H
#define MIG_FS_EXCHANGE_H

#include "fs-file.h"

#define FS_UNDO ".undo" /* behind the name of a temporary file that is being exchanged back */

enum fs_result { FS_OK, FS_FAILED, FS_CONFLICT };

/*
 * Put the staged file in the original's place, which must be kept by now.  What
 * it displaces must be the original with the bytes of old (s == NULL: of its hash).
 * FS_CONFLICT: something else than the original was displaced; it is in *kept
 * (new), and the new file in its place.  FS_FAILED: there is a finding, and
 * nothing was changed unless f->exchanged says so; first: nothing was exchanged
 * before either.
 */
enum fs_result fs_exchange(struct fs_state *s, struct fs_file *f, struct text old, bool first, char **kept,
                           struct diag *d);

/* Put the original back: the inverse, with the same results; there is a finding unless FS_OK. */
enum fs_result fs_exchange_back(struct fs_state *s, struct fs_file *f, char **kept, struct diag *d);

/* Remove the temporary file; with undo also the object and backup that were made, if the original is in its place. */
void fs_exchange_forget(struct fs_state *s, struct fs_file *f, bool undo);

#endif
