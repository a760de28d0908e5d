/*
 * sqlset.h -- migration sets of hand-written SQL.
 *
 * Floor 12.  mig-set(5) describes the files: set.json with "mode":"sql", and
 * hops 1.0.0..1.1.0/ with hop.json, up.sql, perhaps down.sql and verify.sql.
 */
#ifndef MIG_SQLSET_H
#define MIG_SQLSET_H

#include "set.h"
#include "split.h"

/* A script of a hop, folded (script_fold). */
struct sqlfile {
	char *name; /* "migrations/app/1.0.0..1.1.0/up.sql", as findings call it */
	char *text; /* NULL: the hop has none */
	size_t n;
	struct script script; /* once split */
};

enum sqlfile_kind { SQL_UP, SQL_DOWN, SQL_VERIFY, SQL_NFILES };

struct sqlhop {
	struct sqlfile file[SQL_NFILES];
	char checksum[HEX_SIZE];   /* SHA-256 of up.sql's bytes */
	char normalised[HEX_SIZE]; /* of its folded text */
	bool is_split;
};

struct sqlset {
	struct set *set;     /* id, hash and the hops, by version; nothing of documents */
	struct sqlhop *hop;  /* the same hops in the same order */
	char *dialect;       /* "sqlite", "postgresql" or NULL: either */
};

/*
 * Read the set in folder dir.  A new set, or NULL: MIG_PRECONDITION
 * "missing_set" when dir or set.json is not there, MIG_INVALID "bad_set" at the
 * file for what is wrong in it.  The set's hash is over its files folded, so
 * that line ends do not change it.
 */
struct sqlset *sqlset_read(const char *dir, struct diag *d);
void sqlset_free(struct sqlset *s);

/* Split the scripts of hop i; again: nothing.  0, or -1 after findings of MIG_INVALID. */
int sqlset_split(struct sqlset *s, size_t i, enum dialect dialect, struct diag *d);

/* The one version that no hop leads to, or NULL after a finding of MIG_INVALID "no_path" that names them all. */
const char *sqlset_root(const struct sqlset *s, struct diag *d);

#endif
