/* db_sqlite_test.c -- two connections to one file, and what one of them may believe without asking. */
#include "sql-ledger.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char file[] = "/tmp/db-sqlite-test-XXXXXX";
static const char hash[] = "1111111111111111111111111111111111111111111111111111111111111111";

static struct db *opened(struct diag *d)
{
	struct db *db = db_sqlite_open(file, DB_CREATE, d);

	CHECK(db && db->ops->begin(db, true, d) == 0 && db->ops->prepare(db, d) == 0 && db->ops->commit(db, d) == 0);
	return db;
}

/* Append an entry in a transaction of its own. */
static void note(struct db *db, struct sql_chain *c, struct diag *d)
{
	struct entry e = { .event = "commit", .time = "2026-01-02T03:04:05Z",
		           .plan_hash = { hash, sizeof hash - 1 } };

	CHECK(db->ops->begin(db, true, d) == 0 && sql_chain_add(c, db, &e, d) == 0 && db->ops->commit(db, d) == 0);
}

static bool untouched(struct db *db, struct diag *d)
{
	CHECK(db->ops->begin(db, true, d) == 0);
	bool is = db->ops->untouched(db);

	db->ops->rollback(db);
	return is;
}

static void test_untouched(struct db *a, struct db *b, struct diag *d)
{
	struct sql_chain chain = { .head = LEDGER_START };

	CHECK(untouched(a, d)); /* b has found the tables there */
	note(a, &chain, d);
	CHECK(untouched(a, d));
	CHECK(untouched(a, d));
	CHECK(a->ops->begin(a, true, d) == 0 && a->ops->exec(a, TEXT("CREATE TABLE t (x)"), d) == 0);
	a->ops->rollback(a);
	note(a, &chain, d);
	CHECK(untouched(a, d));
	CHECK(!untouched(b, d));
	note(b, &chain, d);
	CHECK(untouched(b, d));
	CHECK(!untouched(a, d));
}

/* Where another one has appended, the end of the chain is asked for; where nobody has, what is given is believed. */
static void test_stand(struct db *a, struct db *b, struct diag *d)
{
	struct sql_chain chain = { .head = LEDGER_START }, theirs, stale = { .seq = 1, .head = "stale" };
	char event[16];

	CHECK(a->ops->begin(a, true, d) == 0);
	CHECK(sql_ledger_stand(a, "2222", event, &stale, d) == 0 && *event == '\0' && stale.seq == 3);
	CHECK(sql_chain_read(&chain, a, d) == 0 && strcmp(chain.head, stale.head) == 0);
	a->ops->rollback(a);
	note(a, &chain, d);
	theirs = chain;
	note(b, &theirs, d);
	CHECK(a->ops->begin(a, true, d) == 0);
	CHECK(sql_ledger_stand(a, hash, event, &chain, d) == 1 && strcmp(event, "commit") == 0);
	CHECK(chain.seq == 5 && strcmp(chain.head, theirs.head) == 0);
	a->ops->rollback(a);
	note(a, &chain, d);
	CHECK(a->ops->begin(a, true, d) == 0);
	chain.seq = 77;
	CHECK(sql_ledger_stand(a, "2222", event, &chain, d) == 0 && chain.seq == 77);
	a->ops->rollback(a);
}

int main(void)
{
	struct diag d = DIAG_INIT;
	int fd = mkstemp(file);

	CHECK(fd >= 0);
	close(fd);
	struct db *a = opened(&d), *b = opened(&d);

	test("a SQLite file is untouched until another connection writes, whatever this one does");
	test_untouched(a, b, &d);
	test("the end of the chain is asked for where another one has appended, and else believed");
	test_stand(a, b, &d);
	CHECK(d.n == 0);
	a->ops->close(a);
	b->ops->close(b);
	unlink(file);
	diag_release(&d);
	digest_close();
	return test_end();
}
