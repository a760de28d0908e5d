/*
 * meaning.h -- what a statement does, as findings and as the names it is about.
 *
 * Floor 9.
 */
#ifndef MIG_MEANING_H
#define MIG_MEANING_H

#include "phrase.h"

enum severity { SEVERITY_SAFE, SEVERITY_REVIEW, SEVERITY_WARNING, SEVERITY_CRITICAL };

/* "safe" .. "critical" */
const char *severity_name(enum severity s);

struct remark {
	const char *rule; /* "drop_table": stable */
	enum severity severity;
	char *message;    /* "drops table users" */
	char *table;      /* whose rows it concerns, of those that plans are about; or NULL */
};

/* What a statement has to do with a table or view. */
enum use {
	USE_CREATES,
	USE_NEEDS,  /* must be there: it gets an index */
	USE_ALTERS, /* likewise: it is altered */
	USE_LOSES,  /* its rows, or values in them, go */
	USE_DROPS,
	USE_RENAMES /* away from this name */
};

struct usage {
	enum use use;
	char *schema; /* or NULL */
	char *name;
};

struct meaning {
	struct remark *remark;
	size_t nremark, remarkcap;
	struct usage *usage;
	size_t nusage, usagecap;
	bool destroys;       /* a remark is critical */
	bool opaque;         /* what it creates or drops cannot be told */
	bool control;        /* BEGIN, COMMIT and the like */
	bool no_transaction; /* refused inside a transaction */
	bool outside;        /* reaches another database file */
	char *protects;      /* a table that it writes to and that is not a migration's to change, or NULL */
};

#define MEANING_INIT { .remark = NULL }

void meaning_release(struct meaning *m);
void meaning_reset(struct meaning *m);

/* Add a remark; steals the message, copies table, which may be NULL. */
void meaning_add(struct meaning *m, const char *rule, enum severity severity, const char *table, char *message);

/* Add a use; copies the names. */
void meaning_use(struct meaning *m, enum use use, const char *schema, const char *name);

/* It writes to a table that is kept from migrations, if is: the first one is remembered.  Copies the name. */
void meaning_guard(struct meaning *m, bool is, const char *name);

/* Is this table the engine's or ours, so that no migration writes there? */
bool meaning_ours(const char *schema, const char *name, enum dialect dialect);

/* Is it that, or one that migrations must not change (auth_*)? */
bool meaning_protected(const char *schema, const char *name, enum dialect dialect);

#endif
