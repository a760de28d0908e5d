/*
 * pg-relations.h -- the tables and views of a PostgreSQL database, put together from rows.
 *
 * Floor 7.  A row tells of one part of one relation:
 *
 *	part, oid of the relation, number, name, a, b, flag
 *
 * ordered by part, number and name, so that relations come before what they have.
 */
#ifndef MIG_PG_RELATIONS_H
#define MIG_PG_RELATIONS_H

#include "db.h"

enum pg_part {
	PART_TABLE = 0,   /* flag: row security is on */
	PART_VIEW = 1,    /* a: its definition; flag: materialized */
	PART_COLUMN = 2,  /* by number; a: default, b: type, flag: not null */
	PART_KEY = 3,     /* a: {2,1}, the numbers of its columns */
	PART_UNIQUE = 4,  /* the same */
	PART_CHECK = 5,   /* a: expression */
	PART_FKEY = 6,    /* a: its JSON */
	PART_INDEX = 7,   /* a: definition, flag: unique */
	PART_POLICY = 8,  /* a: its JSON */
	PART_TRIGGER = 9, /* a: definition */
	PART_DEPEND = 10, /* name: what a view reads */
	PART_N
};

struct pg_relation;

struct pg_relations {
	struct pg_relation *v; /* by name, tables before views */
	size_t n, ntable;
	struct pg_relation **by_oid; /* NULL until the last of them has come */
};

#define PG_RELATIONS_INIT { NULL, 0, 0, NULL }

/* A db_row: arg is a struct pg_relations. */
int pg_relations_take(void *arg, const struct db_value *v, size_t n);

/* Append {"tables":[..],"views":[..]}; its strings and JSON are the server's: nobody has checked them yet. */
void pg_relations_write(struct buf *out, const struct pg_relations *r);
void pg_relations_release(struct pg_relations *r);

#endif
