/*
 * keep.h -- values of a column that do not come back by themselves.
 *
 * Floor 10.  Where a column gets another type, or its NULLs get a default, the way
 * back may make something else of a value than it was: "007" becomes 7 and then
 * "7".  Those values are kept, and put back where nothing was written since.  Which
 * they are is for the database to say, row by row.
 */
#ifndef MIG_KEEP_H
#define MIG_KEEP_H

#include "dialect.h"

/* Does a row without a value get the default when old becomes new? */
bool keep_fills(const struct column *old, const struct column *new);

/*
 * Before old becomes new in a forward step, keep what has to be: all values where
 * some may be cut, else those that would come back otherwise, if there are any.
 * The column's name is that of the moment.
 */
void keep_values(const struct half *h, const char *name, const struct column *old, const struct column *new);

/* On the way back, when the column is old again (both are those of the forward step). */
void keep_restore(const struct half *h, const char *name, const struct column *old, const struct column *new);

#endif
