/*
 * report-status.h -- how a store stands, as a page and as JSON, with the next commands.
 *
 * Floor 10.
 */
#ifndef MIG_REPORT_STATUS_H
#define MIG_REPORT_STATUS_H

#include "report-tree.h"
#include "standing.h"

void status_view_page(const struct status_view *v, struct page *p);
void status_view_json(const struct status_view *v, struct buf *out);

/* What is pending: documents below target, or where it is NULL below the set's latest version, and the next command. */
void status_pending_page(const struct version_view *v, const char *target, struct page *p);

#endif
