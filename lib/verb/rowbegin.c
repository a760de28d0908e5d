/* rowbegin.c -- rows from a reference on; see rowsource_begin in rowsource.h */
#include "rowsource.h"

#include "utf8.h"
#include "uuid.h"

/*
 * How much of an id, as a reference spells it, compares with other ids as their
 * references do: up to what is spelled as another character than it is, or is
 * less than the "%" that such spellings begin with.
 */
static void comparable(const char *spelled, struct buf *out)
{
	for (const char *c = spelled; *c && !(*c >= ' ' && *c < '%'); c++) {
		if (*c == '%' && strncmp(c, "%25", 3) != 0)
			return;
		buf_addch(out, *c);
		c += *c == '%' ? 2 : 0;
	}
}

/* Is it a UUID as the server spells one?  In upper case it compares otherwise. */
static bool is_uuid(const struct buf *text)
{
	unsigned char id[UUID_BYTES];
	char spelled[UUID_SIZE];

	if (!uuid_read((struct text){ text->s, text->len }, id))
		return false;
	uuid_write(id, spelled);
	return strcmp(spelled, text->s) == 0;
}

/* Append the condition that a key is not ahead of from; nulls and the like are references of another kind. */
static void add_condition(const struct rowsource *s, bool lite, const struct buf *from, struct buf *sql)
{
	struct buf key = BUF_INIT;

	db_name(&key, s->key);
	if (lite)
		buf_addf(sql,
		         "typeof(%s) NOT IN ('text', 'integer') OR %s = '' OR CAST(%s AS TEXT) COLLATE BINARY >= ",
		         key.s, key.s, key.s);
	else if (s->order == TABLE_SORTED && is_uuid(from))
		buf_addf(sql, "%s >= ", key.s);
	else
		buf_addf(sql, "%s IS NULL OR %s::text = '' OR %s::text COLLATE \"C\" >= ", key.s, key.s, key.s);
	db_literal(sql, (struct text){ from->s, from->len });
	buf_release(&key);
}

/* Do texts compare as their UTF-8 does?  1, 0, -1 after a finding. */
static int compares(struct db *db, bool lite, struct diag *d)
{
	struct buf coding = BUF_INIT;
	int rc = lite ? db_one(db, "PRAGMA encoding", NULL, 0, &coding, d) : 1;

	if (rc > 0 && lite)
		rc = strcmp(coding.s, "UTF-8") == 0;
	buf_release(&coding);
	return rc;
}

int rowsource_begin(struct rowsource *s, struct db *db, const char *after, struct diag *d)
{
	bool lite = strcmp(db->ops->dialect, "sqlite") == 0;
	size_t n = strlen(s->prefix);
	struct buf from = BUF_INIT;
	int c = strncmp(after, s->prefix, n), rc = 0;

	s->past = c > 0;
	if (c == 0 && s->order != TABLE_INTEGERS) /* whose ranges begin there */
		comparable(after + n, &from);
	if (from.len && utf8_valid(from.s, from.len) && (rc = compares(db, lite, d)) > 0) {
		buf_addstr(&s->where, s->where.len ? " AND (" : "(");
		add_condition(s, lite, &from, &s->where);
		buf_addch(&s->where, ')');
	}
	buf_release(&from);
	return rc < 0 ? -1 : 0;
}
