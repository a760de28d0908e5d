/* classify_test.c -- what statements do, by rule. */
#include "classify.h"

#include "test.h"

#include <stdlib.h>

enum { BOTH = 2 };

struct expected {
	int dialect;
	const char *sql, *want; /* "rule(table) ..", then "!flag .." and "use:name .." */
};

static void tell(const struct meaning *m, char *got, size_t size)
{
	static const char *const uses[] = { "creates", "needs", "alters", "loses", "drops", "renames" };

#define SAY(...) snprintf(got + strlen(got), size - strlen(got), __VA_ARGS__)
	got[0] = '\0';
	for (size_t i = 0; i < m->nremark; i++)
		SAY("%s%s%s%s%s ", m->remark[i].severity == SEVERITY_CRITICAL ? "*" : "", m->remark[i].rule,
		    m->remark[i].table ? "(" : "", m->remark[i].table ? m->remark[i].table : "",
		    m->remark[i].table ? ")" : "");
	for (size_t i = 0; i < m->nusage; i++)
		SAY("%s:%s%s%s ", uses[m->usage[i].use], m->usage[i].schema ? m->usage[i].schema : "",
		    m->usage[i].schema ? "." : "", m->usage[i].name);
	SAY("%s%s%s%s%s", m->control ? "!control " : "", m->no_transaction ? "!no_transaction " : "",
	    m->outside ? "!outside " : "", m->protects ? "!protects " : "", m->opaque ? "!opaque " : "");
	if (got[0])
		got[strlen(got) - 1] = '\0';
#undef SAY
}

static const struct expected cases[] = {
	{ BOTH, "CREATE TABLE t (a int)", "creates:t" },
	{ BOTH, "create temp table if not exists \"T t\" (a int)", "creates:T t" },
	{ DIALECT_POSTGRESQL, "CREATE TABLE App.T (a int)", "creates:app.t" },
	{ DIALECT_SQLITE, "CREATE TABLE [T] (a int)", "creates:T" },
	{ BOTH, "DROP TABLE t", "*drop_table(t) loses:t drops:t" },
	{ BOTH, "DROP TABLE IF EXISTS a, \"B\" CASCADE", "*drop_table(a) *drop_table(B) loses:a drops:a loses:B drops:B" },
	{ DIALECT_POSTGRESQL, "DROP SCHEMA app CASCADE", "*drop_schema drops:app" },
	{ DIALECT_POSTGRESQL, "DROP DATABASE app", "*drop_database drops:app !no_transaction" },
	{ BOTH, "DROP VIEW v", "drop_view drops:v" },
	{ BOTH, "DROP INDEX i", "drop_index drops:i" },
	{ DIALECT_POSTGRESQL, "DROP INDEX CONCURRENTLY i", "drop_index drops:i !no_transaction" },
	{ DIALECT_POSTGRESQL, "DROP POLICY p ON t", "*drop_policy drops:p" },
	{ DIALECT_POSTGRESQL, "DROP TYPE mood", "drop_object" },
	{ DIALECT_POSTGRESQL, "DROP TYPE mood CASCADE", "*drop_column" },
	{ DIALECT_POSTGRESQL, "DROP OWNED BY ann", "*drop_schema drops:ann" },
	{ DIALECT_POSTGRESQL, "TRUNCATE a, ONLY b", "*truncate(a) *truncate(b) loses:a loses:b" },
	{ BOTH, "DELETE FROM t", "*delete_all(t) loses:t" },
	{ BOTH, "DELETE FROM t WHERE 1 = 1", "*delete_all(t) loses:t" },
	{ BOTH, "DELETE FROM t WHERE true", "*delete_all(t) loses:t" },
	{ BOTH, "DELETE FROM t WHERE a = 1", "data_dependent(t)" },
	{ BOTH, "DELETE FROM t WHERE a IN (SELECT a FROM u)", "data_dependent(t)" },
	{ BOTH, "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d WHERE a = 1", "*delete_all(t) loses:t" },
	{ BOTH, "WITH d AS (SELECT 1) DELETE FROM t WHERE a IN (SELECT * FROM d)", "data_dependent(t)" },
	{ BOTH, "UPDATE t SET a = 1", "update_all(t)" },
	{ BOTH, "UPDATE t SET a = 1 WHERE a = 2", "data_dependent(t)" },
	{ DIALECT_SQLITE, "UPDATE OR IGNORE t SET a = 1 WHERE a = 2", "data_dependent(t)" },
	{ BOTH, "INSERT INTO t VALUES (1, 'where;')", "" },
	{ BOTH, "INSERT INTO t SELECT * FROM u", "data_dependent(t)" },
	{ BOTH, "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2", "data_dependent(t)" },
	{ DIALECT_SQLITE, "REPLACE INTO t VALUES (1)", "data_dependent(t)" },
	{ DIALECT_SQLITE, "INSERT OR REPLACE INTO t VALUES (1)", "data_dependent(t)" },
	{ BOTH, "ALTER TABLE t ADD COLUMN a int", "alters:t" },
	{ BOTH, "ALTER TABLE t ADD a int NOT NULL", "set_not_null(t) alters:t" },
	{ BOTH, "ALTER TABLE t ADD a int NOT NULL DEFAULT 0", "alters:t" },
	{ BOTH, "ALTER TABLE t DROP COLUMN a", "*drop_column(t) alters:t loses:t" },
	{ BOTH, "ALTER TABLE t DROP a", "*drop_column(t) alters:t loses:t" },
	{ BOTH, "ALTER TABLE t RENAME TO u", "backward_incompatible(t) alters:t renames:t creates:u" },
	{ BOTH, "ALTER TABLE t RENAME COLUMN a TO b", "backward_incompatible(t) alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t DROP CONSTRAINT c", "drop_constraint(t) alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ADD COLUMN a int, DROP b", "*drop_column(t) alters:t loses:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ALTER a TYPE varchar(10) USING left(a, 10)",
	  "*narrowing(t) backward_incompatible(t) lock_taking(t) alters:t loses:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ALTER COLUMN a SET DATA TYPE text",
	  "retype(t) backward_incompatible(t) lock_taking(t) alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ALTER a SET NOT NULL", "set_not_null(t) lock_taking(t) alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ALTER a DROP NOT NULL", "drop_not_null(t) alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ALTER a DROP DEFAULT", "drop_default(t) alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ALTER a SET DEFAULT 1", "alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", "add_check(t) lock_taking(t) alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID", "alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t VALIDATE CONSTRAINT c", "data_dependent(t) alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (a)",
	  "add_foreign_key(t) lock_taking(t) alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ADD a uuid DEFAULT gen_random_uuid()", "lock_taking(t) alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ADD a timestamptz DEFAULT now()", "alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t DISABLE ROW LEVEL SECURITY", "*disable_rls(t) alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t ENABLE ROW LEVEL SECURITY", "alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t OWNER TO ann", "alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE IF EXISTS t OWNER TO ann", "alters:t !opaque" },
	{ DIALECT_POSTGRESQL, "ALTER TABLE t SET SCHEMA app", "unknown_statement(t) alters:t" },
	{ DIALECT_POSTGRESQL, "ALTER TYPE mood ADD VALUE 'sad'", "no_transaction" },
	{ DIALECT_POSTGRESQL, "ALTER TYPE pair DROP ATTRIBUTE b", "*drop_column" },
	{ DIALECT_POSTGRESQL, "ALTER POLICY p ON t USING (true)", "*drop_policy" },
	{ DIALECT_POSTGRESQL, "CREATE INDEX i ON t (a)", "lock_taking(t) needs:t" },
	{ DIALECT_SQLITE, "CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a)", "add_unique(t) needs:t" },
	{ DIALECT_POSTGRESQL, "CREATE INDEX CONCURRENTLY i ON app.t (a)", "needs:app.t !no_transaction" },
	{ DIALECT_POSTGRESQL, "CREATE OR REPLACE FUNCTION f() RETURNS int AS $$ DELETE FROM t $$ LANGUAGE sql", "" },
	{ BOTH, "CREATE VIEW v AS SELECT 1", "creates:v" },
	{ DIALECT_POSTGRESQL, "CREATE DATABASE app", "!no_transaction" },
	{ BOTH, "VACUUM", "!no_transaction" },
	{ DIALECT_SQLITE, "VACUUM INTO 'copy.db'", "!no_transaction !outside" },
	{ DIALECT_SQLITE, "ATTACH 'other.db' AS o", "!outside" },
	{ DIALECT_SQLITE, "PRAGMA foreign_keys = OFF", "no_transaction" },
	{ DIALECT_SQLITE, "PRAGMA journal_mode = WAL", "!no_transaction" },
	{ DIALECT_SQLITE, "PRAGMA user_version = 7", "unknown_statement" },
	{ BOTH, "BEGIN", "!control" },
	{ BOTH, "COMMIT", "!control" },
	{ BOTH, "END", "!control" },
	{ BOTH, "ROLLBACK TO s", "!control" },
	{ BOTH, "SAVEPOINT s", "!control" },
	{ DIALECT_POSTGRESQL, "START TRANSACTION", "!control" },
	{ DIALECT_POSTGRESQL, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "unknown_statement !control !opaque" },
	{ DIALECT_POSTGRESQL, "SET search_path = app", "unknown_statement !opaque" },
	{ DIALECT_POSTGRESQL, "DO $$ BEGIN EXECUTE 'x'; END $$", "dynamic_sql !opaque" },
	{ DIALECT_POSTGRESQL, "REFRESH MATERIALIZED VIEW v", "lock_taking" },
	{ DIALECT_POSTGRESQL, "REINDEX TABLE CONCURRENTLY t", "!no_transaction" },
	{ BOTH, "SELECT 1", "" },
	{ BOTH, "SELECT a FROM t WHERE b IN (1, 2)", "" },
	{ DIALECT_POSTGRESQL, "SELECT setval('s', 1)", "unknown_statement" },
	{ BOTH, "FROBNICATE t", "unknown_statement !opaque" },
	{ BOTH, "DROP TABLE mig_ledger", "*drop_table(mig_ledger) loses:mig_ledger drops:mig_ledger !protects" },
	{ BOTH, "ALTER TABLE auth_users ADD a int", "alters:auth_users !protects" },
	{ BOTH, "INSERT INTO auth_users VALUES (1)", "" },
	{ BOTH, "DELETE FROM system_migration_history WHERE id = 1", "data_dependent(system_migration_history) !protects" },
	{ DIALECT_POSTGRESQL, "UPDATE system.schema_checksum SET id = 1 WHERE id = 2",
	  "data_dependent !protects" },
	{ BOTH, "ALTER", "unknown_statement" },
	{ BOTH, "DROP", "drop_object" },
	{ BOTH, "ALTER TABLE", "unknown_statement" },
	{ BOTH, "DELETE FROM", "" },
	{ BOTH, "", "unknown_statement !opaque" },
};

static void one(enum dialect dialect, const struct expected *e)
{
	static struct meaning m = MEANING_INIT;
	char got[512];

	test("%s: %s", dialect == DIALECT_SQLITE ? "SQLite" : "PostgreSQL", e->sql);
	classify(&m, e->sql, strlen(e->sql), dialect);
	tell(&m, got, sizeof got);
	CHECK_STR(got, e->want);
	meaning_release(&m);
}

static void queries(void)
{
	static const struct {
		const char *sql;
		bool asks;
	} is[] = {
		{ "SELECT 1", true }, { "WITH a AS (SELECT 1) SELECT * FROM a", true }, { "VALUES (1)", true },
		{ "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a", false }, { "SELECT 1 INTO t", false },
		{ "DELETE FROM t", false }, { "", false }, { "EXPLAIN SELECT 1", false },
	};

	for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
		test("only asks or not: %s", is[i].sql);
		CHECK(classify_is_query(is[i].sql, strlen(is[i].sql), DIALECT_POSTGRESQL) == is[i].asks);
	}
}

/* No cut of a statement may be read beyond its end. */
static void cuts(void)
{
	struct meaning m = MEANING_INIT;

	test("every beginning of every statement is judged without harm");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t n = 0; n <= strlen(cases[i].sql); n++) {
			char *cut = xmemdup(cases[i].sql, n);

			classify(&m, cut, n, DIALECT_SQLITE);
			classify(&m, cut, n, DIALECT_POSTGRESQL);
			free(cut);
		}
	CHECK(true);
	meaning_release(&m);
}

int main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (cases[i].dialect != DIALECT_POSTGRESQL)
			one(DIALECT_SQLITE, &cases[i]);
		if (cases[i].dialect != DIALECT_SQLITE)
			one(DIALECT_POSTGRESQL, &cases[i]);
	}
	queries();
	cuts();
	return test_end();
}
