/*
 * db-pg-lib.h -- libpq, when a PostgreSQL store is opened.
 *
 * Floor 6.  The library is opened at run time: to be linked with it costs every
 * start of a filter as much as all else together (docs/adr/0070).
 */
#ifndef MIG_DB_PG_LIB_H
#define MIG_DB_PG_LIB_H

#include "diag.h"

#include <libpq-fe.h>

#define PQ_EACH(X)                                                                                               \
	X(PQbackendPID)                                                                                          \
	X(PQcancel) X(PQclear) X(PQcmdStatus) X(PQconnectdbParams) X(PQconninfoFree) X(PQconninfoParse)          \
		X(PQconsumeInput) X(PQdb) X(PQerrorMessage) X(PQfinish) X(PQfreeCancel) X(PQfreemem) X(PQfname)  \
			X(PQftype) X(PQgetCancel) X(PQgetCopyData) X(PQgetResult) X(PQgetisnull) X(PQgetlength)  \
				X(PQgetvalue) X(PQisBusy) X(PQnfields) X(PQntuples) X(PQparameterStatus)         \
					X(PQputCopyEnd) X(PQreset) X(PQresultErrorField) X(PQresultErrorMessage) \
						X(PQresultStatus) X(PQsendQuery) X(PQsendQueryParams)            \
							X(PQserverVersion) X(PQsetNoticeReceiver)                \
								X(PQsetSingleRowMode) X(PQsocket) X(PQstatus)    \
									X(PQtransactionStatus)

/* Its functions, by their own names: pq.PQclear(r). */
struct pq {
#define PQ_MEMBER(f) __typeof__(f) *f;
	PQ_EACH(PQ_MEMBER)
#undef PQ_MEMBER
};

extern struct pq pq;

/* To be called before any other: 0, or MIG_PRECONDITION "library_missing". */
int pq_load(struct diag *d);

#endif
