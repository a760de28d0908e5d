/* split_test.c -- where statements end, in both dialects. */
#include "split.h"

#include "test.h"

static struct script script = SCRIPT_INIT;

/* Split text and compare the statements, which want separates by "|"; want begins with "!" for a refusal. */
static void splits(enum dialect dialect, const char *text, const char *want)
{
	struct diag d = DIAG_INIT;
	char got[512] = "";
	int rc = script_split(&script, text, strlen(text), dialect, "up.sql", &d);

	for (size_t i = 0; rc == 0 && i < script.n; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s", i ? "|" : "", (int)script.list[i].n,
		         text + script.list[i].at);
	if (rc < 0 && CHECK(d.n == 1 && d.list[0].exit == MIG_INVALID))
		snprintf(got, sizeof got, "!%s: %s", d.list[0].where, d.list[0].message);
	CHECK_STR(got, want);
	diag_release(&d);
}

struct expected {
	const char *text, *want;
};

static void both(void)
{
	static const struct expected cases[] = {
		{ "", "" },
		{ " \n-- only this\n/* and this */ ; ;\n", "" },
		{ "SELECT 1", "SELECT 1" },
		{ "a; b ;c", "a|b|c" },
		{ "-- one; two\nSELECT 1 -- three;\n ; /* ; */ SELECT 2;", "SELECT 1|SELECT 2" },
		{ "INSERT INTO t VALUES ('a;''b;');x", "INSERT INTO t VALUES ('a;''b;')|x" },
		{ "CREATE TABLE \"a;\"\"b;\" (c int);x", "CREATE TABLE \"a;\"\"b;\" (c int)|x" },
		{ "SELECT 'a\\';x", "SELECT 'a\\'|x" },
		{ "SELECT 1 - - 1;x", "SELECT 1 - - 1|x" },
		{ "SELECT 'open;\n", "!up.sql:1: a string that begins here does not end" },
		{ "x;\n\nSELECT \"open;\n", "!up.sql:3: a name in quotes that begins here does not end" },
		{ "x;\n/* open", "!up.sql:2: a comment that begins here does not end" },
		{ "SELECT \xFF;", "!up.sql: not a text in UTF-8" },
		{ "SELECT '\xC3\xA9;';x", "SELECT '\xC3\xA9;'|x" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("both dialects: %s", cases[i].want);
		splits(DIALECT_SQLITE, cases[i].text, cases[i].want);
		splits(DIALECT_POSTGRESQL, cases[i].text, cases[i].want);
	}
	test("a NUL is refused");
	struct diag d = DIAG_INIT;
	CHECK(script_split(&script, "a\0b", 3, DIALECT_SQLITE, "up.sql", &d) < 0);
	diag_release(&d);
}

static void sqlite(void)
{
	static const struct expected cases[] = {
		{ "SELECT [a;b], `c;``d`;x", "SELECT [a;b], `c;``d`|x" },
		{ "/* a /* b */ x; */ y", "x|*/ y" },
		{ "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b=1; DELETE FROM c; END; x",
		  "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b=1; DELETE FROM c; END|x" },
		{ "create temp trigger t after insert on a begin select case when 1 then 2 end; end;x",
		  "create temp trigger t after insert on a begin select case when 1 then 2 end; end|x" },
		{ "CREATE TRIGGER t INSERT ON a BEGIN SELECT 1;; -- ;\n END /* ; */ ;x",
		  "CREATE TRIGGER t INSERT ON a BEGIN SELECT 1;; -- ;\n END|x" },
		{ "CREATE TRIGGER t INSERT ON a BEGIN SELECT 1; END", "CREATE TRIGGER t INSERT ON a BEGIN SELECT 1; END" },
		{ "EXPLAIN CREATE TRIGGER t INSERT ON a BEGIN SELECT 1; END;x",
		  "EXPLAIN CREATE TRIGGER t INSERT ON a BEGIN SELECT 1; END|x" },
		{ "CREATE TABLE trigger_log (a);x", "CREATE TABLE trigger_log (a)|x" },
		{ "x;\nCREATE TRIGGER t INSERT ON a BEGIN SELECT 1;\n", "!up.sql:2: the body that begins here has no END" },
		{ "x;\n .read other.sql\n", "!up.sql:2: a command of the sqlite3 shell, which SQLite does not know" },
		{ "SELECT $end, :end;x", "SELECT $end, :end|x" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("SQLite: %s", cases[i].want);
		splits(DIALECT_SQLITE, cases[i].text, cases[i].want);
	}
}

static void postgresql(void)
{
	static const struct expected cases[] = {
		{ "SELECT E'a\\';b';x", "SELECT E'a\\';b'|x" },
		{ "SELECT e'a'\n -- ;\n 'b\\';';x", "SELECT e'a'\n -- ;\n 'b\\';'|x" },
		{ "SELECT E'a' 'b\\';x", "SELECT E'a' 'b\\'|x" },
		{ "SELECT note'a\\';x", "SELECT note'a\\'|x" },
		{ "/* a /* b; */ ; */ x;y", "x|y" },
		{ "DO $$ BEGIN; END $$;x", "DO $$ BEGIN; END $$|x" },
		{ "SELECT $a$ ; $$ ; $b$ ; $a$;x", "SELECT $a$ ; $$ ; $b$ ; $a$|x" },
		{ "SELECT $1, a$b$ ;x", "SELECT $1, a$b$|x" },
		{ "SELECT $a$ never", "!up.sql:1: a dollar-quoted string that begins here does not end" },
		{ "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);x",
		  "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)|x" },
		{ "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;x",
		  "CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END|x" },
		{ "CREATE PROCEDURE p() LANGUAGE sql AS 'begin; end';x", "CREATE PROCEDURE p() LANGUAGE sql AS 'begin; end'|x" },
		{ "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();x",
		  "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()|x" },
		{ "BEGIN; SELECT 1; END;", "BEGIN|SELECT 1|END" },
		{ "CREATE FUNCTION f() BEGIN ATOMIC SELECT 1;", "!up.sql:1: the body that begins here has no END" },
		{ "SELECT (1;", "!up.sql:1: a parenthesis that opens here is not closed" },
		{ "x;\n\\i other.sql\n", "!up.sql:2: a command of psql, which the server does not know" },
		{ "COPY t (a) FROM STDIN;\n1\n\\.\n", "!up.sql:1: COPY FROM STDIN: its rows are not statements; use INSERT" },
		{ "COPY t FROM '/srv/t.csv';x", "COPY t FROM '/srv/t.csv'|x" },
		{ "SELECT a[1];x", "SELECT a[1]|x" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("PostgreSQL: %s", cases[i].want);
		splits(DIALECT_POSTGRESQL, cases[i].text, cases[i].want);
	}
}

static void lines(void)
{
	static const char text[] = "-- one\n\nSELECT 1;\nSELECT\n 2; SELECT 3";
	struct diag d = DIAG_INIT;

	test("each statement has its line");
	CHECK(script_split(&script, text, strlen(text), DIALECT_SQLITE, "up.sql", &d) == 0 && script.n == 3);
	CHECK(script.list[0].line == 3 && script.list[1].line == 4 && script.list[2].line == 5);
}

static void no_transaction(void)
{
	static const struct {
		const char *text;
		bool none;
	} cases[] = {
		{ "-- mig:transaction=none\nVACUUM;", true },
		{ "\n--mig:transaction=none \nVACUUM;", true },
		{ "-- mig:transaction=nonesuch\nVACUUM;", false },
		{ "-- first\n-- mig:transaction=none\nVACUUM;", false },
		{ "VACUUM; -- mig:transaction=none\n", false },
		{ "/* mig:transaction=none */ VACUUM;", false },
	};
	struct diag d = DIAG_INIT;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *s = cases[i].text;

		test("asks for no transaction or not: %zu", i);
		CHECK(script_split(&script, s, strlen(s), DIALECT_SQLITE, "up.sql", &d) == 0);
		CHECK(script.no_transaction == cases[i].none);
	}
}

static void folding(void)
{
	static const struct expected cases[] = {
		{ "\xEF\xBB\xBF" "a\r\nb\r\n", "a\nb\n" }, { "a\rb\n\xEF\xBB\xBF", "a\rb\n\xEF\xBB\xBF" },
		{ "\r\r\n", "\r\n" }, { "", "" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf b = BUF_INIT;

		test("byte order mark and line ends are folded: %zu", i);
		script_fold(&b, cases[i].text, strlen(cases[i].text));
		CHECK_STR(b.s ? b.s : "", cases[i].want);
		buf_release(&b);
	}
}

int main(void)
{
	both();
	sqlite();
	postgresql();
	lines();
	no_transaction();
	folding();
	script_release(&script);
	return test_end();
}
