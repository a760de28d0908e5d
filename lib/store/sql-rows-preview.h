/*
 * sql-rows-preview.h -- a dry run of a plan of rows.
 *
 * Floor 15.
 */
#ifndef MIG_SQL_ROWS_PREVIEW_H
#define MIG_SQL_ROWS_PREVIEW_H

#include "sql-rows-run.h"

/*
 * Do the plan in the transaction that is never committed, which all plans of a stream
 * share: a later one finds what those before it would leave.  0, or -1 after a finding,
 * and the transaction is over.
 */
int sql_rows_preview(struct sql_rows_run *r);

#endif
