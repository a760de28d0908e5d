/*
 * report-sql.h -- the reviewer's page of SQL plans: every statement, and what was found in it.
 *
 * Floor 9.  Unlike a page about documents it is as long as it has to be.
 */
#ifndef MIG_REPORT_SQL_H
#define MIG_REPORT_SQL_H

#include "page.h"
#include "plan.h"
#include "sqlfinding.h"

struct sql_view {
	char *dialect;                            /* of the first SQL plan; NULL: none came */
	uint64_t findings[SQL_NSEVERITIES];
	uint64_t let_go;                          /* what is destroyed because its table declares that it may be */
	struct page shown[SQL_NSEVERITIES];       /* their lines */
	struct page steps;
	struct buf json_findings, json_steps;     /* elements of arrays, parted by commas */
};

void sql_view_init(struct sql_view *v);
void sql_view_release(struct sql_view *v);
void sql_view_add(struct sql_view *v, const struct plan *p);

/* The sections FINDINGS and STEPS. */
void sql_view_page(const struct sql_view *v, struct page *p);

/* Append the same as a JSON object. */
void sql_view_json(const struct sql_view *v, struct buf *out);

#endif
