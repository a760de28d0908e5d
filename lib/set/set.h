/*
 * set.h -- migration sets: what the documents are, and the hops between versions.
 *
 * Floor 7.  A set as it was read; set-read.h makes it of its files.
 */
#ifndef MIG_SET_H
#define MIG_SET_H

#include "buf.h"
#include "digest.h"
#include "targets.h"

struct predicate {
	char *jq, *message;
};

struct hop {
	char *id;          /* "1.0.0..1.1.0", the folder's name */
	char *from, *to;   /* versions */
	char *type;        /* one of the six step types */
	char *description;
	char **changes;    /* texts; NULL-ended, as are all lists here */
	struct predicate *before, *after; /* ended by one whose jq is NULL */
	char **levers;
	bool breaking;
	bool reversible;   /* data_safety; true where the hop says nothing */
	char *note;        /* data_safety, or NULL */
	char *up;          /* text of up.jq */
};

/*
 * What documents say of files beside them: /input_snapshots of a document is
 *
 *	{"brief.json": {"path": "inputs/brief.json", "sha256": "sha256:..", "bytes": 103}}
 */
struct evidence {
	char *files;         /* pointer to that object; NULL: the set says nothing */
	char *path, *sha256; /* pointers into what a name stands for */
	char *bytes;         /* likewise, or NULL */
	char *hash;          /* pointer to the SHA-256 of canonical {name: sha256}, or NULL */
	char *id;            /* pointer to an id that begins with the hash's first 32 digits, or NULL */
};

struct set {
	char *id, *entity;       /* entity: NULL in a records set that takes rows of any */
	struct targets *targets; /* mode "records"; else NULL */
	struct buf invariants;   /* of those: see invariants.h; empty: none */
	size_t ninvariant;
	char **match;            /* globs over refs */
	char *version;           /* pointer */
	char *version_default;   /* or NULL */
	char **required, **immutable; /* pointers */
	bool additive;
	char *history;           /* pointer, or NULL */
	char *backup_suffix;     /* or NULL */
	struct evidence evidence;
	char *lib;               /* text of lib.jq, or NULL */
	struct hop *hop;         /* by from, then to */
	size_t nhop;
	char hash[HEX_SIZE];     /* SHA-256 over "name NUL sha256 LF" of every file read, names in byte order */
};

void set_free(struct set *s); /* s may be NULL */

/*
 * The hops from version from to version to, fewest first and then the smallest
 * versions: a new array of indexes into s->hop, *n of them; NULL if there is no path.
 */
size_t *set_path(const struct set *s, const char *from, const char *to, size_t *n);

/* The highest version that any hop leads to, or NULL for a set without hops.  Borrowed. */
const char *set_latest(const struct set *s);

#endif
