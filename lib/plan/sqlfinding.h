/*
 * sqlfinding.h -- what an SQL step's findings say of it.
 *
 * Floor 6.  {"message":"..","rows":1200,"rule_id":"drop_column","severity":"critical"}
 */
#ifndef MIG_SQLFINDING_H
#define MIG_SQLFINDING_H

#include "record.h"

enum sqlseverity { SQL_SAFE, SQL_REVIEW, SQL_WARNING, SQL_CRITICAL, SQL_NSEVERITIES };

struct sqlfinding {
	struct text rule;     /* borrowed from the text: it has no escapes */
	enum sqlseverity severity;
	bool counted;         /* rows is known */
	int64_t rows;         /* estimated */
	uint32_t message;     /* its token */
};

/* Read the finding at token t: 0, or -1 after MIG_USAGE at where. */
int sqlfinding_read(struct sqlfinding *f, const struct doc *doc, uint32_t t, const char *where, struct diag *d);

/* The same of one that was read before. */
void sqlfinding_get(struct sqlfinding *f, const struct doc *doc, uint32_t t);

/* "safe" .. "critical" */
const char *sqlseverity_name(enum sqlseverity s);

/* Write how many findings of each severity there are: a member "severities" of w. */
void sqlseverity_counts(struct rec *w, const uint64_t n[SQL_NSEVERITIES]);

/* ^[a-z][a-z0-9_]*$ */
bool sqlrule_valid(struct text rule);

/* Is it the rule of what takes data or protection away? */
bool sqlrule_destroys(struct text rule);

/* Critical and destroying: only --allow-destructive lets it pass. */
bool sqlfinding_destroys(const struct sqlfinding *f);

/* For a reviewer to look at: review or critical, and not destroying. */
bool sqlfinding_review(const struct sqlfinding *f);

#endif
