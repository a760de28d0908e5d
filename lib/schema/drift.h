/*
 * drift.h -- what a database holds, against what it held when it was last migrated.
 *
 * Floor 6.  Both are LIVE objects of a schema record: the server's own spelling.
 */
#ifndef MIG_DRIFT_H
#define MIG_DRIFT_H

#include "record.h"

/*
 * One difference.  where is "users", "users.age", "users.check_age_range" or the
 * name of a view; what says of which kind: "table", "column", "check"..; expected
 * and actual are canonical JSON, NULL for what is not there.
 */
struct drift {
	const char *where, *what, *expected, *actual;
};

/*
 * Compare the tables and views for which managed is true, in order of their names;
 * each is told of every difference.  Returns how many there are.  A table that is
 * gone is one, too.  The order of columns is none.
 */
size_t drift_compare(const struct doc *recorded, uint32_t was, const struct doc *live, uint32_t is,
                     bool (*managed)(void *arg, const char *name), void (*each)(void *arg, const struct drift *x),
                     void *arg);

/* "unexpected column", appended: what there is to say of x, after where it is. */
void drift_message(struct buf *out, const struct drift *x);

#endif
