/*
 * phaser.h -- plans become a phase of a migration.
 *
 * Floor 12.  Pure but for its spool.
 */
#ifndef MIG_PHASER_H
#define MIG_PHASER_H

#include "phases.h"
#include "spool.h"
#include "stream.h"

/*
 * Read plans; write them with header.phase, and so with hashes of their own, once all have been
 * read and their end has verified.  Rejects are forwarded.  0, or -1 after MIG_INVALID: "phase_destroys" for a
 * step that removes outside of a contract phase, "phase_again" for a plan that is
 * a phase already, "phase_rollback" for a rollback.  Borrows the spool, open and empty.
 */
int phaser_run(const struct phases *x, const struct phase *ph, struct spool *plans, struct stream *in,
               struct out *out, struct diag *d);

#endif
