/*
 * delta.h -- what lies between two declared schemas.
 *
 * Floor 7.  Tables and columns are matched by id where both sides declare one,
 * else by name; what is left is an ordered list of changes.  Nothing here
 * compares with the server's spelling.
 */
#ifndef MIG_DELTA_H
#define MIG_DELTA_H

#include "model.h"
#include "schema-live.h"

enum what {
	WHAT_CREATE_TABLE,
	WHAT_DROP_TABLE,
	WHAT_RENAME_TABLE,
	WHAT_REBUILD_TABLE,
	WHAT_ADD_COLUMN,
	WHAT_DROP_COLUMN,
	WHAT_RENAME_COLUMN,
	WHAT_RETYPE_COLUMN,
	WHAT_SET_DEFAULT,
	WHAT_DROP_DEFAULT,
	WHAT_SET_NOT_NULL,
	WHAT_DROP_NOT_NULL,
	WHAT_ADD_CHECK,
	WHAT_DROP_CHECK,
	WHAT_ADD_UNIQUE,
	WHAT_DROP_UNIQUE,
	WHAT_ADD_FOREIGN_KEY,
	WHAT_DROP_FOREIGN_KEY,
	WHAT_ADD_INDEX,
	WHAT_DROP_INDEX,
	WHAT_RENAME_CONSTRAINT,
	WHAT_CREATE_VIEW,
	WHAT_DROP_VIEW,
	WHAT_REFRESH_VIEW,
	WHAT_ENABLE_RLS,
	WHAT_DISABLE_RLS,
	WHAT_ADD_POLICY,
	WHAT_DROP_POLICY,
	WHAT_RECORD
};

/* "create_table" .. "record" */
const char *what_name(enum what w);

struct change;
struct renaming;

/* One table on both sides; old or new is NULL where it is made or dropped. */
struct pair {
	const struct table *old, *new;
	size_t place;        /* among the pairs */
	int32_t *from;       /* of each new column: its old one, or -1 */
	int32_t *to;         /* of each old column: its new one, or -1 */
	size_t *new_order;   /* the new columns in the order that the server will keep them */
	size_t *old_order;   /* the old columns as it keeps them */
	bool *later;         /* of each foreign key: made after the tables; NULL: none is */
	uint32_t live;       /* the table as it is now, or DOC_NONE */
	uint32_t rank;       /* its turn: what it refers to comes first, or last where it is dropped */
	bool rebuild;        /* SQLite: by a new table and a copy */
	struct change *first; /* its changes, in order */
};

/* A view that the schema declares, or (view NULL) one that only the database knows. */
struct viewing {
	const struct view *view;
	const struct live_view *live;
	bool gone;           /* dropped because of something that it reads, and not made again */
};

/* What a change is about, on one of its sides; NULL where it has no such side. */
struct thing {
	const struct column *column;
	const struct check *check;
	const struct key *key;    /* unique, or the primary key where primary */
	const struct fkey *fkey;
	const struct index *index;
	const struct policy *policy;
	const struct viewing *view;
};

struct change {
	enum what what;
	struct pair *pair;        /* NULL: a view, the record */
	const char *table;        /* the table's name at that moment */
	const char *name;         /* of the column or constraint at that moment */
	const char *from, *to;    /* renames */
	bool primary;             /* a key that is the primary one */
	bool early;               /* columns still have their old names */
	struct thing old, new;    /* replaced constraints have both */
	uint64_t order;
	struct change *next;      /* of the same pair */
};

struct delta {
	const struct model *old, *new;
	struct live *live;
	enum dialect dialect;
	struct pair *pair;
	size_t npair;
	struct names old_name, new_name; /* of tables: the pair's place */
	struct change *change;
	size_t nchange, cap;
	struct viewing *viewing; /* private from here */
	size_t nviewing;
	struct renaming *renaming;
	size_t nrenaming;
	unsigned temps;
	char **owned;
	size_t nowned;
};

#define DELTA_INIT { .old = NULL }

/*
 * Find what leads from old (NULL: nothing there yet) to new on a database that
 * holds live.  0, or -1 after MIG_INVALID: "table_exists", "unsupported_feature".
 * Borrows all.
 */
int delta_find(struct delta *x, const struct model *old, const struct model *new, struct live *live,
               enum dialect dialect, struct diag *d);
void delta_release(struct delta *x);

/* The same change backwards, with the pair's inverse in pair. */
struct change change_inverse(const struct change *c, struct pair *pair);
struct pair pair_inverse(const struct pair *p);

/* The pair of a table by its old or new name, or NULL. */
struct pair *delta_old_table(const struct delta *x, const char *name);
struct pair *delta_new_table(const struct delta *x, const char *name);

/* The old column that a new one stems from, and the name's column; NULL if there is none. */
const struct column *pair_origin(const struct pair *p, const char *new_name);
const struct column *column_of(const struct table *t, const char *name);

/* Does SQLite keep this check by triggers?  Its CHECK knows no subquery. */
static inline bool check_by_trigger(const struct check *c)
{
	return c->kind == CHECK_SUBSET;
}

static inline bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Does every value that old lets through pass new as well?  Only asked of the same kind of check of one column. */
bool check_implied(const struct pair *p, const struct check *old, const struct check *new);

static inline bool default_same(const struct column *a, const struct column *b)
{
	return a->def == b->def && same_string(a->def_text, b->def_text);
}

/* Private to delta*.c: add a change; and what each of them finds. */
struct change *delta_add(struct delta *x, enum what w, struct pair *p, unsigned major, unsigned minor);
char *delta_keep(struct delta *x, char *s);
void delta_columns(struct delta *x, struct pair *p);
void delta_constraints(struct delta *x, struct pair *p);
int delta_views(struct delta *x, struct diag *d);
void delta_order_tables(struct delta *x);

/*
 * Call emit for the i-th renaming, maybe twice, in an order and with names in
 * between such that no name is ever there twice.
 */
void renames_order(struct delta *x, const char *const *from, const char *const *to, size_t n,
                   void (*emit)(void *arg, size_t i, const char *from, const char *to), void *arg);

/* A constraint or index that only gets another name. */
struct renaming {
	struct pair *pair;
	struct thing old, new;
	const char *from, *to;
	bool relation; /* an index, or a key that has one: PostgreSQL keeps their names with those of tables */
};

/* Once all tables have been compared: the changes for x->renaming. */
void delta_rename_constraints(struct delta *x);

enum major {
	MAJOR_DROP_VIEW,
	MAJOR_DROP_FKEY,
	MAJOR_DETACH,         /* checks, uniques, indexes, policies that go */
	MAJOR_DROP_OCCUPIED,  /* tables whose name another one takes */
	MAJOR_RENAME_TABLE,
	MAJOR_DROP_TABLE,
	MAJOR_NAMES,          /* of constraints and indexes */
	MAJOR_ALTER,
	MAJOR_CREATE,
	MAJOR_ADD_FKEY,
	MAJOR_VIEW,
	MAJOR_REFRESH,
	MAJOR_RECORD,
	MAJOR_CONCURRENT
};

#endif
