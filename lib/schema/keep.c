/*
 * keep.c -- see keep.h
 *
 *	users.name may not be NULL any more, default "":
 *		kept      "name" IS NULL
 *		put back  "name" = ''
 *	t.v, text, becomes an integer, on SQLite:
 *		kept      (CAST(trim((CAST(trim("v") AS INTEGER))) AS TEXT)) IS NOT "v"
 *		put back  "v" IS (the same of $1, the value that was kept)
 */
#include "keep.h"

#include "cast.h"

struct keep {
	struct buf rows;  /* which are kept; empty: all */
	struct buf still; /* which of them get it back; empty: all */
	bool cuts, stuck;
};

bool keep_fills(const struct column *old, const struct column *new)
{
	return new->not_null && !old->not_null && new->def != DEFAULT_NONE && new->def != DEFAULT_SERIAL;
}

/* What v is when it has been there and back; def is what NULL becomes there, if it is not empty. */
static void there_and_back(struct buf *out, const struct column *old, const struct column *new, const char *v,
                           const struct buf *def, enum dialect dialect)
{
	struct cast there, back;
	struct buf value = BUF_INIT;

	if (cast_find(&there, old->type, new->type, v, dialect) == 0) {
		ddl_addf(&value, def->len ? "coalesce(%s, %s)" : "(%s)", there.value.s, def->s);
		if (cast_find(&back, new->type, old->type, value.s, dialect) == 0)
			ddl_addf(out, "(%s)", back.value.s);
		cast_release(&back);
	}
	cast_release(&there);
	buf_release(&value);
}

/* Does every value come back as it was?  PostgreSQL's types hold what they say; SQLite's columns hold anything. */
static bool exact(struct keep *k, const struct column *old, const struct column *new, enum dialect dialect)
{
	bool pg = dialect == DIALECT_POSTGRESQL;
	struct cast there = CAST_INIT, back = CAST_INIT;
	bool known = cast_find(&there, old->type, new->type, "v", dialect) == 0 &&
	             cast_find(&back, new->type, old->type, "v", dialect) == 0;
	bool same = known && there.plain && (pg || back.plain);

	k->cuts = known && there.narrows;
	k->stuck = k->cuts && pg && strcmp(old->type, "JSONB") == 0;
	cast_release(&there);
	cast_release(&back);
	return same || !known; /* what has no way is refused elsewhere */
}

/* Texts are compared on PostgreSQL: 1.50 equals 1.5 and is not the same. */
static void compare(struct buf *b, const char *x, bool same, const char *y, enum dialect dialect)
{
	if (dialect == DIALECT_POSTGRESQL)
		ddl_addf(b, "%s::TEXT IS %sDISTINCT FROM %s::TEXT", x, same ? "NOT " : "", y);
	else
		ddl_addf(b, "%s IS %s%s", x, same ? "" : "NOT ", y);
}

static void conditions(struct keep *k, const char *name, const struct column *old, const struct column *new,
                       const struct buf *def, bool constant, enum dialect dialect)
{
	const struct buf none = BUF_INIT;
	struct buf column = BUF_INIT, kept = BUF_INIT, value = BUF_INIT;

	ddl_name(&column, name);
	if (dialect == DIALECT_POSTGRESQL) /* it has to know of which type a parameter is */
		ddl_addf(&kept, "CAST($1 AS %s)", old->type);
	else
		buf_addstr(&kept, "$1");
	if (!k->cuts) {
		if (def->len)
			ddl_addf(&k->rows, "%s IS NULL OR ", column.s);
		there_and_back(&value, old, new, column.s, &none, dialect);
		compare(&k->rows, value.s, false, column.s, dialect);
		buf_reset(&value);
	}
	if (constant && !k->stuck) {
		there_and_back(&value, old, new, kept.s, def, dialect);
		compare(&k->still, column.s, true, value.s, dialect);
	}
	buf_release(&column);
	buf_release(&kept);
	buf_release(&value);
}

static bool find(struct keep *k, const char *name, const struct column *old, const struct column *new,
                 enum dialect dialect)
{
	bool fills = keep_fills(old, new), constant = !fills || ddl_default_constant(new);
	struct buf def = BUF_INIT;

	*k = (struct keep){ .cuts = false };
	bool comes_back = exact(k, old, new, dialect);

	if (fills)
		ddl_default(&def, new, dialect);
	if (!comes_back) {
		conditions(k, name, old, new, &def, constant, dialect);
	} else if (fills) {
		ddl_addf(&k->rows, "%I IS NULL", name);
		if (constant && strcmp(new->type, "POINT") == 0 && dialect == DIALECT_POSTGRESQL) /* which has no "=" */
			ddl_addf(&k->still, "%I::TEXT = (%s::POINT)::TEXT", name, def.s);
		else if (constant)
			ddl_addf(&k->still, "%I = %s", name, def.s);
	}
	buf_release(&def);
	return fills || !comes_back;
}

static void keep_release(struct keep *k)
{
	buf_release(&k->rows);
	buf_release(&k->still);
}

void keep_values(const struct half *h, const char *name, const struct column *old, const struct column *new)
{
	struct keep k;

	if (find(&k, name, old, new, h->x->dialect)) {
		h->part->keeps = true;
		h->part->over |= keep_fills(old, new) && !k.still.len;
		h->part->stuck |= k.stuck;
		half_rows(h, "backup", name, k.rows.len ? k.rows.s : NULL);
	}
	keep_release(&k);
}

void keep_restore(const struct half *h, const char *name, const struct column *old, const struct column *new)
{
	struct keep k;

	if (find(&k, name, old, new, h->x->dialect))
		half_rows(h, "restore", name, k.still.len ? k.still.s : NULL);
	keep_release(&k);
}
