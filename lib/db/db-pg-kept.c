/* db-pg-kept.c -- statements of ours that the server keeps prepared: see db-pg.h */
#include "db-pg.h"

#include <stdlib.h>

/*
 * A statement that a migration stands between is parsed and planned with cold
 * catalogs each time, which takes the server longer than to execute it.  It is
 * prepared before the second transaction that has a use for it begins.
 */
static void name_of(const struct pg *p, size_t i, struct buf *out)
{
	buf_addf(out, "mig_%u_%zu", p->generation, i);
}

bool pg_kept(struct pg *p, const char *sql, struct buf *out)
{
	for (size_t i = 0; i < PG_KEPT && p->kept[i].sql; i++)
		if (strcmp(p->kept[i].sql, sql) == 0) {
			if (p->kept[i].ready)
				name_of(p, i, out);
			return p->kept[i].ready;
		}
	for (size_t i = 0; i < PG_KEPT; i++)
		if (!p->kept[i].sql) {
			p->kept[i].sql = xstrdup(sql);
			break;
		}
	return false;
}

void pg_keep(struct pg *p)
{
	for (size_t i = 0; i < PG_KEPT && p->kept[i].sql; i++) {
		if (p->kept[i].ready)
			continue;
		buf_addstr(&p->queued, "PREPARE ");
		name_of(p, i, &p->queued);
		buf_addf(&p->queued, " AS %s;", p->kept[i].sql);
		p->kept[i].ready = true;
	}
}

/* Under new names, as nobody knows which of the old ones are still there. */
void pg_forget(struct pg *p)
{
	p->generation++;
	for (size_t i = 0; i < PG_KEPT; i++)
		p->kept[i].ready = false;
}

/* What does not run anybody's code has not deallocated anything: "CREATE TABLE", "INSERT 0 1". */
void pg_ran(struct pg *p, const char *tag)
{
	static const char *const plain[] = { "ALTER ", "COMMENT", "CREATE ", "DELETE ", "DROP ",   "GRANT",
		                             "INSERT ", "REVOKE",  "SET",     "TRUNCATE", "UPDATE " };

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (strncmp(tag, plain[i], strlen(plain[i])) == 0)
			return;
	pg_forget(p);
}

void pg_kept_release(struct pg *p)
{
	for (size_t i = 0; i < PG_KEPT; i++)
		free(p->kept[i].sql);
}
