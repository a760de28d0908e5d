/* model_test.c -- what a declared schema is to a database, and what is wrong with one. */
#include "model.h"

#include "buf.h"

#include "test.h"

#include <stdlib.h>

/* A schema that was read, or what was said of it: "rule message LF" of each finding. */
static struct {
	struct buf text, said;
	struct doc doc;
	struct diag d;
	struct model *m;
} s;

static void forget(void)
{
	model_free(s.m);
	doc_release(&s.doc);
	diag_release(&s.d);
	buf_release(&s.text);
	buf_release(&s.said);
	memset(&s, 0, sizeof s);
}

static bool read_as(const char *json, enum dialect dialect)
{
	forget();
	buf_addstr(&s.text, json);
	buf_addstr(&s.said, "");
	buf_reserve(&s.said, 0);
	if (doc_parse(&s.doc, s.text.s, s.text.len, DOC_MAX_DEPTH) < 0) {
		printf("# %s at %zu\n", s.doc.err.reason, s.doc.err.column);
		return false;
	}
	s.m = model_read(&s.doc, 0, dialect, "app.json", &s.d);
	for (size_t i = 0; i < s.d.n; i++)
		buf_addf(&s.said, "%s %s\n", s.d.list[i].rule, s.d.list[i].message);
	return s.m != NULL;
}

static bool read(const char *json)
{
	return read_as(json, DIALECT_POSTGRESQL);
}

/* One table t of these fields. */
static bool fields(const char *json)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, "{\"tables\":[{\"name\":\"t\",\"fields\":[%s]}]}", json);
	bool good = read(b.s);

	buf_release(&b);
	return good;
}

static bool said(const char *line)
{
	return s.said.s && strstr(s.said.s, line);
}

static const char *names(char **list, size_t n)
{
	static char out[256];

	out[0] = 0;
	for (size_t i = 0; i < n; i++)
		snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s", i ? "," : "", list[i]);
	return out;
}

static const struct column *column(const char *table, const char *name)
{
	for (size_t i = 0; s.m && i < s.m->ntable; i++)
		for (size_t k = 0; k < s.m->table[i].ncolumn; k++)
			if (strcmp(s.m->table[i].name, table) == 0 && strcmp(s.m->table[i].column[k].name, name) == 0)
				return &s.m->table[i].column[k];
	return NULL;
}

static const char *shape(const char *table)
{
	static char out[4096];

	out[0] = 0;
	for (size_t i = 0; s.m && i < s.m->ntable; i++) {
		const struct table *t = &s.m->table[i];

		for (size_t k = 0; k < t->ncolumn && strcmp(t->name, table) == 0; k++)
			snprintf(out + strlen(out), sizeof out - strlen(out), "%s%s %s%s%s", k ? ", " : "", t->column[k].name,
			         t->column[k].type, t->column[k].not_null ? "!" : "", t->column[k].system ? "*" : "");
	}
	return out;
}

static void system_columns(void)
{
	test("SV-10 a table gets id and three times, unless fields take their place");
	CHECK(fields("{\"name\":\"email\",\"type\":\"email\"}"));
	CHECK_STR(shape("t"), "id INTEGER!*, created_at TIMESTAMPTZ!*, updated_at TIMESTAMPTZ!*, deleted_at TIMESTAMPTZ*, "
	                      "email VARCHAR(255)");
	CHECK(column("t", "id")->def == DEFAULT_SERIAL && column("t", "created_at")->def == DEFAULT_NOW);
	CHECK_STR(s.m->table[0].primary.name, "t_pkey");
	CHECK_STR(s.m->table[0].index[0].name, "idx_t_deleted_at");

	test("MIGRATION-ALTER-ADD-005 a deleted-at field adopts the system column, with its type and its index");
	CHECK(fields("{\"id\":7,\"name\":\"id\",\"type\":\"integer\"},"
	             "{\"id\":5,\"name\":\"deleted_at\",\"type\":\"deleted-at\",\"indexed\":true}"));
	CHECK_STR(shape("t"), "id INTEGER!, created_at TIMESTAMPTZ!*, updated_at TIMESTAMPTZ!*, deleted_at TIMESTAMPTZ");
	CHECK(column("t", "deleted_at")->id == 5 && column("t", "id")->id == 7);
	CHECK(s.m->table[0].nindex == 1 && s.m->table[0].primary.n == 1);
	CHECK(column("t", "id")->def == DEFAULT_SERIAL);
}

static void primary_keys(void)
{
	test("a primary key is what its kind says");
	CHECK(read("{\"tables\":[{\"name\":\"a\",\"primaryKey\":{\"type\":\"uuid\"},\"fields\":[]},"
	           "{\"name\":\"b\",\"primaryKey\":{\"type\":\"text\",\"field\":\"code\"},\"fields\":[]},"
	           "{\"name\":\"c\",\"primaryKey\":{\"type\":\"composite\",\"fields\":[\"x\",\"y\"]},\"fields\":["
	           "{\"name\":\"x\",\"type\":\"integer\"},{\"name\":\"y\",\"type\":\"integer\"}]},"
	           "{\"name\":\"d\",\"primaryKey\":{\"type\":\"bigserial\"},\"fields\":["
	           "{\"name\":\"a\",\"type\":\"relationship\",\"relatedTable\":\"a\"},"
	           "{\"name\":\"b\",\"type\":\"relationship\",\"relatedTable\":\"b\"}]}]}"));
	CHECK_STR(s.said.s, "");
	CHECK_STR(column("a", "id")->type, "UUID");
	CHECK(column("a", "id")->def == DEFAULT_UUID);
	CHECK(!column("b", "id") && column("b", "code")->def == DEFAULT_NONE);
	CHECK_STR(names(s.m->table[2].primary.column, s.m->table[2].primary.n), "x,y");
	CHECK(!column("c", "id") && column("c", "x")->not_null && column("c", "x")->def == DEFAULT_NONE);
	CHECK_STR(column("d", "id")->type, "BIGINT");
	CHECK_STR(column("d", "a")->type, "UUID");
	CHECK_STR(column("d", "b")->type, "TEXT");
	CHECK(!read("{\"tables\":[{\"name\":\"c\",\"primaryKey\":{\"type\":\"composite\",\"fields\":[\"z\"]},\"fields\":[]}]}"));
	CHECK(said("/tables/0/primaryKey: primary key references non-existent column \"z\""));
}

static void types(void)
{
	static const char *const cases[][3] = {
		{ "single-line-text", "VARCHAR(255)", "TEXT" },
		{ "email", "VARCHAR(255)", "TEXT" },
		{ "url", "VARCHAR(255)", "TEXT" },
		{ "phone-number", "VARCHAR(255)", "TEXT" },
		{ "barcode", "VARCHAR(255)", "TEXT" },
		{ "single-attachment", "VARCHAR(255)", "TEXT" },
		{ "ai-categorize", "VARCHAR(255)", "TEXT" },
		{ "long-text", "TEXT", "TEXT" },
		{ "rich-text", "TEXT", "TEXT" },
		{ "lookup", "TEXT", "TEXT" },
		{ "rollup", "TEXT", "TEXT" },
		{ "formula", "TEXT", "TEXT" },
		{ "user", "TEXT", "TEXT" },
		{ "created-by", "TEXT", "TEXT" },
		{ "code", "TEXT", "TEXT" },
		{ "ai-generate", "TEXT", "TEXT" },
		{ "ai-summary", "TEXT", "TEXT" },
		{ "ai-translate", "TEXT", "TEXT" },
		{ "color", "VARCHAR(7)", "TEXT" },
		{ "integer", "INTEGER", "INTEGER" },
		{ "autonumber", "INTEGER", "INTEGER" },
		{ "rating", "INTEGER", "INTEGER" },
		{ "progress", "INTEGER", "INTEGER" },
		{ "decimal", "NUMERIC", "NUMERIC" },
		{ "number", "NUMERIC", "NUMERIC" },
		{ "currency", "NUMERIC", "NUMERIC" },
		{ "percentage", "NUMERIC", "NUMERIC" },
		{ "checkbox", "BOOLEAN", "INTEGER" },
		{ "boolean", "BOOLEAN", "INTEGER" },
		{ "date", "DATE", "TEXT" },
		{ "datetime", "TIMESTAMPTZ", "TEXT" },
		{ "time", "TIME", "TEXT" },
		{ "created-at", "TIMESTAMP", "TEXT" },
		{ "deleted-at", "TIMESTAMP", "TEXT" },
		{ "duration", "INTERVAL", "INTEGER" },
		{ "array", "TEXT[]", "TEXT" },
		{ "json", "JSONB", "TEXT" },
		{ "attachment", "JSONB", "TEXT" },
		{ "multiple-attachments", "JSONB", "TEXT" },
		{ "ai-extract", "JSONB", "TEXT" },
		{ "ai-sentiment", "JSONB", "TEXT" },
		{ "ai-tag", "JSONB", "TEXT" },
		{ "geolocation", "POINT", "TEXT" },
	};
	char json[256];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("a field of type %s is a %s, on SQLite %s", cases[i][0], cases[i][1], cases[i][2]);
		snprintf(json, sizeof json, "{\"name\":\"f\",\"type\":\"%s\"}", cases[i][0]);
		if (!CHECK(fields(json) && column("t", "f")))
			continue;
		char *type = model_type(column("t", "f")->type, DIALECT_SQLITE);

		CHECK_STR(column("t", "f")->type, cases[i][1]);
		CHECK_STR(column("t", "f")->field_type, cases[i][0]);
		CHECK_STR(type, cases[i][2]);
		free(type);
	}
	test("a precision, an item type and a result type decide the column");
	CHECK(fields("{\"name\":\"a\",\"type\":\"decimal\",\"precision\":2},"
	             "{\"name\":\"b\",\"type\":\"array\",\"itemType\":\"number\"},"
	             "{\"name\":\"c\",\"type\":\"formula\",\"resultType\":\"date\"},"
	             "{\"name\":\"d\",\"type\":\"single-attachment\",\"storeMetadata\":true},"
	             "{\"name\":\"e\",\"type\":\"button\"},{\"name\":\"f\",\"type\":\"count\"}"));
	CHECK(strstr(shape("t"), "a NUMERIC(20,2), b NUMERIC[], c DATE, d JSONB") && !column("t", "e") && !column("t", "f"));
}

static void defaults(void)
{
	static const struct {
		const char *field;
		enum default_kind kind;
		const char *text;
	} cases[] = {
		{ "\"type\":\"email\",\"default\":\"\"", DEFAULT_TEXT, "" },
		{ "\"type\":\"email\",\"default\":null", DEFAULT_NONE, NULL },
		{ "\"type\":\"integer\",\"default\":1e1", DEFAULT_NUMBER, "10" },
		{ "\"type\":\"decimal\",\"default\":0.10", DEFAULT_NUMBER, "0.1" },
		{ "\"type\":\"checkbox\",\"default\":false", DEFAULT_BOOL, "false" },
		{ "\"type\":\"date\",\"default\":\"CURRENT_DATE\"", DEFAULT_TODAY, NULL },
		{ "\"type\":\"date\",\"default\":\"2025-01-31\"", DEFAULT_TEXT, "2025-01-31" },
		{ "\"type\":\"datetime\",\"default\":\"NOW()\"", DEFAULT_NOW, NULL },
		{ "\"type\":\"created-at\"", DEFAULT_NOW, NULL },
		{ "\"type\":\"duration\",\"default\":90", DEFAULT_SECONDS, "90" },
		{ "\"type\":\"progress\",\"required\":true", DEFAULT_NUMBER, "0" },
		{ "\"type\":\"progress\"", DEFAULT_NONE, NULL },
		{ "\"type\":\"ai-tag\"", DEFAULT_JSON, "[]" },
		{ "\"type\":\"json\",\"default\":{\"b\":1,\"a\":[ ]}", DEFAULT_JSON, "{\"a\":[],\"b\":1}" },
		{ "\"type\":\"multi-select\",\"options\":[\"x\",\"y\"],\"default\":[\"y\"]", DEFAULT_JSON, "[\"y\"]" },
		{ "\"type\":\"single-select\",\"options\":[{\"value\":\"x\",\"label\":\"X\"}],\"default\":\"x\"", DEFAULT_TEXT, "x" },
		{ "\"type\":\"autonumber\"", DEFAULT_SERIAL, NULL },
		{ "\"type\":\"autonumber\",\"startFrom\":1000", DEFAULT_SERIAL, "1000" },
	};
	static const char *const bad[] = {
		"\"type\":\"integer\",\"default\":1.5", "\"type\":\"integer\",\"default\":\"1\"",
		"\"type\":\"integer\",\"default\":3000000000", "\"type\":\"integer\",\"min\":1,\"default\":0",
		"\"type\":\"checkbox\",\"default\":\"yes\"", "\"type\":\"date\",\"default\":\"tomorrow\"",
		"\"type\":\"datetime\",\"default\":5", "\"type\":\"time\",\"default\":\"noon\"",
		"\"type\":\"single-select\",\"options\":[\"x\"],\"default\":\"y\"", "\"type\":\"color\",\"default\":\"#1234567\"",
		"\"type\":\"multi-select\",\"options\":[\"x\"],\"default\":[\"y\"]", "\"type\":\"array\",\"default\":\"x\"",
		"\"type\":\"autonumber\",\"default\":1", "\"type\":\"email\",\"default\":1",
	};
	char json[256];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("the default of {%s}", cases[i].field);
		snprintf(json, sizeof json, "{\"name\":\"f\",%s}", cases[i].field);
		if (!CHECK(fields(json)))
			continue;
		CHECK(column("t", "f")->def == cases[i].kind);
		if (cases[i].text)
			CHECK_STR(column("t", "f")->def_text, cases[i].text);
		else
			CHECK(!column("t", "f")->def_text);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		test("a default that its type does not take: {%s}", bad[i]);
		snprintf(json, sizeof json, "{\"name\":\"f\",%s}", bad[i]);
		CHECK(!fields(json) && said("schema_default /tables/0/fields/0/default"));
	}
}

static void checks(void)
{
	test("ranges, options and limits are checks with their names");
	CHECK(fields("{\"name\":\"price\",\"type\":\"decimal\",\"min\":0,\"max\":10000},"
	             "{\"name\":\"stars\",\"type\":\"rating\",\"max\":5},{\"name\":\"done\",\"type\":\"progress\"},"
	             "{\"name\":\"kind\",\"type\":\"status\",\"options\":[{\"value\":\"a\",\"color\":\"red\"},\"b\"]},"
	             "{\"name\":\"tags\",\"type\":\"multi-select\",\"options\":[\"x\"],\"maxItems\":3},"
	             "{\"name\":\"files\",\"type\":\"multiple-attachments\",\"maxFiles\":2},"
	             "{\"name\":\"bio\",\"type\":\"rich-text\",\"maxLength\":80},"
	             "{\"name\":\"ean\",\"type\":\"barcode\",\"format\":\"EAN-13\"}"));
	static const struct {
		const char *name;
		enum check_kind kind;
		const char *min, *max;
	} want[] = { { "check_price_range", CHECK_RANGE, "0", "10000" }, { "check_stars_range", CHECK_RANGE, "1", "5" },
		     { "check_done_range", CHECK_RANGE, "0", "100" }, { "check_kind_enum", CHECK_ENUM, NULL, NULL },
		     { "check_tags_options", CHECK_SUBSET, NULL, NULL }, { "check_tags_max_items", CHECK_MAX_ITEMS, NULL, "3" },
		     { "check_files_max_files", CHECK_MAX_ITEMS, NULL, "2" }, { "check_bio_max_length", CHECK_MAX_LENGTH, NULL, "80" },
		     { "check_ean_format", CHECK_FORMAT, NULL, NULL } };

	if (!CHECK(s.m && s.m->table[0].ncheck == sizeof want / sizeof *want))
		return;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		const struct check *c = &s.m->table[0].check[i];

		CHECK_STR(c->name, want[i].name);
		CHECK(c->kind == want[i].kind);
		CHECK(want[i].min ? c->min && strcmp(c->min, want[i].min) == 0 : !c->min);
		CHECK(want[i].max ? c->max && strcmp(c->max, want[i].max) == 0 : !c->max);
	}
	CHECK_STR(names(s.m->table[0].check[3].option, s.m->table[0].check[3].noption), "a,b");
	CHECK_STR(s.m->table[0].check[8].text, "^[0-9]{13}$");
}

static void keys(void)
{
	test("MIGRATION-MODIFY-UNIQUE-003 unique constraints and indexes have the names that users look for");
	CHECK(read("{\"tables\":[{\"name\":\"users\",\"fields\":["
	           "{\"name\":\"email\",\"type\":\"email\",\"unique\":true},{\"name\":\"tenant\",\"type\":\"integer\",\"indexed\":true},"
	           "{\"name\":\"state\",\"type\":\"status\",\"options\":[\"a\"],\"indexed\":true},"
	           "{\"name\":\"tags\",\"type\":\"array\",\"indexed\":true},{\"name\":\"spot\",\"type\":\"geolocation\",\"indexed\":true},"
	           "{\"name\":\"number\",\"type\":\"autonumber\"}],"
	           "\"unique\":[{\"fields\":[\"email\"]},{\"fields\":[\"tenant\",\"state\"]}],"
	           "\"uniqueConstraints\":[{\"name\":\"once\",\"fields\":[\"tenant\",\"email\"]},{\"fields\":[\"state\",\"email\"]}],"
	           "\"indexes\":[{\"name\":\"by_name\",\"fields\":[\"state\",\"email\"],\"unique\":true,\"where\":\"tenant > 0\","
	           "\"concurrently\":true}]}]}"));
	static const char *const index[] = { "idx_users_tenant btree tenant", "idx_users_status btree state",
		                             "idx_users_tags gin tags", "idx_users_spot gist spot",
		                             "idx_users_number_unique btree number!", "idx_users_deleted_at btree deleted_at",
		                             "uq_users_tenant_state__2 btree tenant,state!", "by_name btree state,email!" };
	const struct table *t = s.m ? &s.m->table[0] : NULL;
	char is[256];

	if (!CHECK(t && t->nunique == 3 && t->nindex == 8))
		return;
	CHECK_STR(t->unique[0].name, "users_email_key");
	CHECK_STR(t->unique[1].name, "once");
	CHECK_STR(t->unique[2].name, "uq_users_state_email");
	for (size_t i = 0; i < 8; i++) {
		snprintf(is, sizeof is, "%s %s %s%s", t->index[i].name, t->index[i].method,
		         names(t->index[i].column, t->index[i].n), t->index[i].unique ? "!" : "");
		CHECK_STR(is, index[i]);
	}
	CHECK_STR(t->index[7].where, "tenant > 0");
	CHECK(t->index[7].concurrent);
}

static void links(void)
{
	test("SV-10 relationships are columns, keys and indexes; many-to-many is a table between");
	CHECK(read("{\"tables\":[{\"name\":\"posts\",\"fields\":["
	           "{\"name\":\"author\",\"type\":\"relationship\",\"relatedTable\":\"users\",\"required\":true,\"onDelete\":\"cascade\"},"
	           "{\"name\":\"cover\",\"type\":\"relationship\",\"relatedTable\":\"covers\",\"relationType\":\"one-to-one\",\"onDelete\":\"set-null\"},"
	           "{\"name\":\"tags\",\"type\":\"relationship\",\"relatedTable\":\"categories\",\"relationType\":\"many-to-many\"}]},"
	           "{\"name\":\"users\",\"primaryKey\":{\"type\":\"uuid\"},\"fields\":["
	           "{\"name\":\"posts\",\"type\":\"relationship\",\"relatedTable\":\"posts\",\"relationType\":\"one-to-many\"}]},"
	           "{\"name\":\"covers\",\"fields\":[]},"
	           "{\"name\":\"categories\",\"fields\":[{\"name\":\"posts\",\"type\":\"relationship\",\"relatedTable\":\"posts\","
	           "\"relationType\":\"many-to-many\",\"reciprocalField\":\"tags\"}]}]}"));
	CHECK_STR(s.said.s, "");
	if (!CHECK(s.m && s.m->ntable == 5 && s.m->table[0].nfkey == 2))
		return;
	const struct table *t = &s.m->table[0], *j = &s.m->table[4];

	CHECK_STR(column("posts", "author")->type, "UUID");
	CHECK_STR(t->fkey[0].name, "posts_author_fkey");
	CHECK_STR(t->fkey[0].on_delete, "cascade");
	CHECK(!t->fkey[0].optional && t->fkey[1].optional);
	CHECK_STR(t->fkey[1].on_delete, "set null");
	CHECK_STR(t->unique[0].name, "posts_cover_key");
	CHECK_STR(t->index[1].name, "idx_posts_author_fk");
	CHECK(!column("posts", "tags") && !column("users", "posts"));
	CHECK_STR(j->name, "posts_categories");
	CHECK_STR(shape("posts_categories"), "post_id INTEGER!, category_id INTEGER!");
	CHECK_STR(names(j->primary.column, j->primary.n), "post_id,category_id");
	CHECK(j->id == 0 && j->nfkey == 2);
	CHECK_STR(j->fkey[1].table, "categories");

	test("SV-08 tables may point at each other where one of them need not");
	CHECK(read("{\"tables\":[{\"name\":\"a\",\"fields\":[{\"name\":\"b\",\"type\":\"relationship\",\"relatedTable\":\"b\"}]},"
	           "{\"name\":\"b\",\"fields\":[{\"name\":\"a\",\"type\":\"relationship\",\"relatedTable\":\"a\",\"required\":true}]}]}"));
	test("SV-09 tables that need each other are refused");
	CHECK(!read("{\"tables\":[{\"name\":\"a\",\"fields\":[{\"name\":\"b\",\"type\":\"relationship\",\"relatedTable\":\"b\",\"required\":true}]},"
	            "{\"name\":\"b\",\"fields\":[{\"name\":\"a\",\"type\":\"relationship\",\"relatedTable\":\"a\",\"required\":true}]}]}"));
	CHECK_STR(s.said.s, "schema_cycle /tables/0: circular required relationships: a -> b -> a; make one of them optional\n");
	test("a table may need itself");
	CHECK(fields("{\"name\":\"up\",\"type\":\"relationship\",\"relatedTable\":\"t\",\"required\":true}"));
	test("a foreign key of several columns");
	CHECK(read("{\"tables\":[{\"name\":\"a\",\"primaryKey\":{\"type\":\"composite\",\"fields\":[\"x\",\"y\"]},\"fields\":["
	           "{\"name\":\"x\",\"type\":\"integer\"},{\"name\":\"y\",\"type\":\"integer\"}]},"
	           "{\"name\":\"b\",\"fields\":[{\"name\":\"p\",\"type\":\"integer\"},{\"name\":\"q\",\"type\":\"integer\"}],"
	           "\"foreignKeys\":[{\"name\":\"b_a\",\"fields\":[\"p\",\"q\"],\"referencedTable\":\"a\",\"referencedFields\":[\"x\",\"y\"],"
	           "\"onUpdate\":\"no-action\"}]}]}"));
	CHECK(s.m && s.m->table[1].nfkey == 1 && s.m->table[1].fkey[0].n == 2);
	CHECK_STR(s.m ? s.m->table[1].fkey[0].on_update : NULL, "no action");
}

static void views(void)
{
	test("MIGRATION-VIEW-001 a view with a query, or with a name of its own, is a view of the database");
	CHECK(read("{\"tables\":[{\"name\":\"t\",\"fields\":[{\"name\":\"a\",\"type\":\"integer\"},{\"name\":\"b\",\"type\":\"email\"}],\"views\":["
	           "{\"id\":\"active\",\"name\":\"Active\",\"query\":\"SELECT 1\",\"materialized\":true,\"refreshOnMigration\":true},"
	           "{\"id\":2,\"name\":\"Grid\"},{\"id\":3,\"name\":\"My List\",\"query\":\"SELECT 2\"},"
	           "{\"id\":\"some\",\"name\":\"Some\",\"fields\":[\"a\",\"b\"],\"filters\":{\"and\":[{\"field\":\"a\",\"operator\":\"gte\","
	           "\"value\":5},{\"field\":\"b\",\"operator\":\"in\",\"value\":[\"it's\",\"x\"]}]},\"sorts\":[{\"field\":\"b\",\"direction\":\"desc\"},"
	           "{\"field\":\"a\"}]}]}]}"));
	const struct table *t = s.m ? &s.m->table[0] : NULL;

	if (!CHECK(t && t->nview == 3))
		return;
	CHECK_STR(t->view[0].name, "active");
	CHECK(t->view[0].materialized && t->view[0].refresh && !t->view[1].materialized);
	CHECK_STR(t->view[1].name, "my_list");
	CHECK_STR(t->view[2].query, "SELECT \"a\", \"b\" FROM \"t\" WHERE (\"a\" >= 5 AND \"b\" IN ('it''s', 'x')) "
	                            "ORDER BY \"b\" DESC, \"a\"");
	test("MIGRATION-VIEW-004 MIG-RLS-007 SQLite is given neither materialized views nor row-level security");
	CHECK(!read_as("{\"tables\":[{\"name\":\"t\",\"fields\":[],\"rls\":{\"enabled\":true},\"views\":["
	               "{\"id\":\"v\",\"name\":\"V\",\"query\":\"SELECT 1\",\"materialized\":true}]}]}", DIALECT_SQLITE));
	CHECK_STR(s.said.s, "unsupported_feature /tables/0/views/0: SQLite has no materialized views\n"
	                    "unsupported_feature /tables/0/rls: SQLite has no row-level security\n");
	CHECK(diag_exit(&s.d) == MIG_INVALID);
	test("MIG-RLS-003 policies are read as they are spelled");
	CHECK(read("{\"tables\":[{\"name\":\"t\",\"fields\":[],\"rls\":{\"enabled\":true,\"policies\":["
	           "{\"name\":\"p\",\"command\":\"UPDATE\",\"using\":\"owner_id = 1\",\"withCheck\":\"TRUE\"}]}}]}"));
	CHECK(s.m && s.m->table[0].rls && s.m->table[0].npolicy == 1);
	CHECK_STR(s.m ? s.m->table[0].policy[0].using_ : NULL, "owner_id = 1");
}

#define T "{\"name\":\"t\",\"fields\":[]}"
#define OF(fields) "{\"tables\":[{\"name\":\"t\",\"fields\":[" fields "]}]}"

static void faults(void)
{
	static const struct {
		const char *name, *json, *line;
	} cases[] = {
		{ "MIGRATION-ERROR-001 an unknown type", "{\"tables\":[" T ",{\"name\":\"u\",\"fields\":[{\"name\":\"f\",\"type\":\"INVALID_TYPE\"}]}]}",
		  "schema_field_type /tables/1/fields/0/type: Unknown field type: INVALID_TYPE" },
		{ "MIGRATION-ERROR-002 min over max", OF("{\"name\":\"price\",\"type\":\"decimal\",\"min\":100,\"max\":10}"),
		  "schema_range /tables/0/fields/0/min: min cannot be greater than max" },
		{ "MIGRATION-ERROR-004 an undeclared table", OF("{\"name\":\"u\",\"type\":\"relationship\",\"relatedTable\":\"users\"}"),
		  "schema_relation /tables/0/fields/0/relatedTable: relatedTable \"users\" does not exist" },
		{ "MIGRATION-ERROR-006 an index without its column", "{\"tables\":[{\"name\":\"t\",\"fields\":[],\"indexes\":[{\"name\":\"i\",\"fields\":[\"status\"]}]}]}",
		  "schema_index /tables/0/indexes/0/fields: index references non-existent column \"status\"" },
		{ "MIGRATION-ERROR-007 two tables of one id", "{\"tables\":[{\"id\":1,\"name\":\"a\",\"fields\":[]},{\"id\":1,\"name\":\"b\",\"fields\":[]}]}",
		  "schema_duplicate /tables/1: duplicate table id 1" },
		{ "MIGRATION-RENAME-TABLE-004 two tables of one name", "{\"tables\":[" T ",{\"name\":\"T\",\"fields\":[]}]}",
		  "schema_duplicate /tables/1: duplicate table name \"t\"" },
		{ "two fields of one id", OF("{\"id\":1,\"name\":\"a\",\"type\":\"email\"},{\"id\":1,\"name\":\"b\",\"type\":\"button\"}"),
		  "schema_duplicate /tables/0/fields/1: duplicate field id 1" },
		{ "two fields of one name", OF("{\"name\":\"a\",\"type\":\"email\"},{\"name\":\"a\",\"type\":\"email\"}"),
		  "schema_duplicate /tables/0/fields/1: duplicate field name \"a\"" },
		{ "SV-11 a reserved word for a field", OF("{\"name\":\"select\",\"type\":\"email\"}"),
		  "schema_reserved_word /tables/0/fields/0/name: field name \"select\" is a reserved word of SQL" },
		{ "SV-11 a reserved word for a table", "{\"tables\":[{\"name\":\"Order\",\"fields\":[]}]}",
		  "schema_reserved_word /tables/0/name: table name \"Order\" is a reserved word of SQL" },
		{ "SV-11 a bad pattern for a field", OF("{\"name\":\"a-b\",\"type\":\"email\"}"), "schema_name /tables/0/fields/0/name: field name \"a-b\"" },
		{ "SV-11 an injection for a field", OF("{\"name\":\"a\\\"; DROP TABLE t; --\",\"type\":\"email\"}"), "schema_name /tables/0/fields/0/name" },
		{ "SV-11 a bad pattern for a table", "{\"tables\":[{\"name\":\"1st\",\"fields\":[]}]}", "schema_name /tables/0/name: table name \"1st\"" },
		{ "SV-11 a name of 64 bytes", OF("{\"name\":\"a234567890123456789012345678901234567890123456789012345678901234\",\"type\":\"email\"}"),
		  "is longer than 63 bytes" },
		{ "SV-07 a protected name", "{\"tables\":[{\"name\":\"auth_users\",\"fields\":[]}]}", "protected_table /tables/0/name: table \"auth_users\" is not the application's" },
		{ "a field that is none", OF("5"), "schema_shape /tables/0/fields/0: not an object" },
		{ "a table without fields", "{\"tables\":[{\"name\":\"t\"}]}", "schema_shape /tables/0: \"fields\" is missing" },
		{ "a text that is none", OF("{\"name\":\"a\",\"type\":\"email\",\"required\":\"yes\"}"), "schema_shape /tables/0/fields/0/required: not true or false" },
		{ "a text with a NUL", OF("{\"name\":\"a\",\"type\":\"email\",\"default\":\"\\u0000\"}"), "schema_shape /tables/0/fields/0/default: U+0000" },
		{ "a selection without options", OF("{\"name\":\"a\",\"type\":\"single-select\"}"), "schema_shape /tables/0/fields/0: \"options\" is missing" },
		{ "an option that is there twice", OF("{\"name\":\"a\",\"type\":\"single-select\",\"options\":[\"x\",\"y\",\"x\"]}"), "duplicate option \"x\"" },
		{ "two indexes of one name", OF("{\"name\":\"deleted_at\",\"type\":\"deleted-at\"},{\"name\":\"a\",\"type\":\"email\",\"indexed\":true}],"
		  "\"indexes\":[{\"name\":\"idx_t_a\",\"fields\":[\"a\"]}"), "schema_duplicate /tables/0: duplicate name in the database \"idx_t_a\"" },
		{ "set-null for what is required", OF("{\"name\":\"a\",\"type\":\"relationship\",\"relatedTable\":\"t\",\"required\":true,\"onDelete\":\"set-null\"}"),
		  "onDelete is set-null, but the field is required" },
		{ "an unknown operator", "{\"tables\":[{\"name\":\"t\",\"fields\":[],\"views\":[{\"id\":\"v\",\"name\":\"v\",\"filters\":{\"field\":\"id\",\"operator\":\"like\",\"value\":1}}]}]}",
		  "schema_view /tables/0/views/0/filters/operator: unknown operator" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		test("%s is refused with its place", cases[i].name);
		CHECK(!read(cases[i].json));
		if (!CHECK(said(cases[i].line)))
			printf("# %s\n", s.said.s);
	}
	test("SV-07 a protected name alone is an unsafe operation");
	CHECK(!read("{\"tables\":[{\"name\":\"mig_x\",\"fields\":[]}]}") && diag_exit(&s.d) == MIG_UNSAFE);
	test("every fault is listed, not only the first");
	CHECK(!read(OF("{\"name\":\"A\",\"type\":\"no\"},{\"name\":\"b\",\"type\":\"integer\",\"min\":2,\"max\":1,\"default\":\"x\"}")));
	CHECK(s.d.n == 4);
	test("members that mean nothing are a warning");
	CHECK(read("{\"tables\":[{\"name\":\"t\",\"colour\":1,\"fields\":[{\"name\":\"a\",\"type\":\"email\",\"requird\":true}]}]}"));
	CHECK_STR(s.said.s, "schema_unknown_member /tables/0/colour: a table's \"colour\" means nothing here\n"
	                    "schema_unknown_member /tables/0/fields/0/requird: a field's \"requird\" means nothing here\n");
	CHECK(diag_exit(&s.d) == MIG_OK);
	test("MIGRATION-ERROR-010 no tables are a model of none");
	CHECK(read("{\"name\":\"empty\"}") && s.m->ntable == 0);
	CHECK(read("{\"tables\":[]}") && s.m->ntable == 0);
	CHECK_STR(s.m ? s.m->schema : NULL, "{\"tables\":[]}");
}

static void checksums(void)
{
	char first[HEX_SIZE] = "";

	test("MIGRATION-CHECKSUM-001 the checksum is that of JSON.stringify with sorted keys and two spaces");
	CHECK(read("{\"tables\":[{\"name\":\"t\",\"id\":1,\"fields\":[{\"type\":\"decimal\",\"name\":\"p\",\"default\":1.50,\"max\":1e21,\"min\":-0.0}],"
	           "\"webhooks\":{\"b\":\"\\u00e9\\u001f/\\/\",\"10\":[],\"9\":{},\"\\uffff\":1,\"\\ud83d\\ude00\":9007199254740993}}]}") ||
	      CHECK_STR(s.said.s, ""));
	CHECK_STR(s.m ? s.m->checksum : NULL, "ab3068bfb262109fb7763c274689a8057e4fc8cff3694b1ec9fb5adfd0f58d47");
	test("SV-05 the order of keys is nothing to the checksum, SV-06 the order of fields is");
	CHECK(read("{\"tables\":[{\"name\":\"t\",\"fields\":[{\"name\":\"a\",\"type\":\"email\"},{\"name\":\"b\",\"type\":\"email\"}]}]}"));
	if (s.m)
		memcpy(first, s.m->checksum, sizeof first);
	CHECK(read("{\"tables\":[{\"fields\":[{\"type\":\"email\",\"name\":\"a\"},{\"type\":\"email\",\"name\":\"b\"}],\"name\":\"t\",\"id\":1}]}"));
	CHECK_STR(s.m ? s.m->checksum : NULL, first);
	CHECK(read("{\"tables\":[{\"name\":\"t\",\"fields\":[{\"name\":\"b\",\"type\":\"email\"},{\"name\":\"a\",\"type\":\"email\"}]}]}"));
	CHECK(s.m && strcmp(s.m->checksum, first) != 0);
	test("tables without an id count on from the highest one in the checksum, and stay without one in the schema");
	CHECK(read("{\"tables\":[{\"name\":\"a\",\"fields\":[]},{\"id\":7,\"name\":\"b\",\"fields\":[]},{\"name\":\"c\",\"fields\":[]}]}"));
	CHECK_STR(s.m ? s.m->checksum : NULL, "0cb460c7608a7b0776f99526390eb5d617f8b5e01b18ba9c6edd04ce27aab0c0");
	CHECK_STR(s.m ? s.m->schema : NULL, "{\"tables\":[{\"fields\":[],\"name\":\"a\"},{\"fields\":[],\"id\":7,\"name\":\"b\"},"
	                                    "{\"fields\":[],\"name\":\"c\"}]}");
	CHECK(s.m && s.m->table[0].id == 0 && s.m->table[1].id == 7);
}

static void names_fit(void)
{
	test("long names are cut to 63 bytes and stay apart");
	CHECK(read("{\"tables\":[{\"name\":\"a_table_with_a_name_that_is_rather_long_for_anybody\",\"fields\":["
	           "{\"name\":\"a_column_with_a_long_name_one\",\"type\":\"email\",\"unique\":true},"
	           "{\"name\":\"a_column_with_a_long_name_two\",\"type\":\"email\",\"unique\":true}]}]}"));
	CHECK(s.m && s.m->table[0].nunique == 2 && strlen(s.m->table[0].unique[0].name) == 63 &&
	      strcmp(s.m->table[0].unique[0].name, s.m->table[0].unique[1].name) != 0);
	test("a table's name is lower snake case in SQL");
	CHECK(read("{\"tables\":[{\"name\":\"Order - Line Items\",\"fields\":[]}]}"));
	CHECK_STR(s.m ? s.m->table[0].name : NULL, "order_line_items");
}

int main(void)
{
	system_columns();
	primary_keys();
	types();
	defaults();
	checks();
	keys();
	links();
	views();
	faults();
	checksums();
	names_fit();
	forget();
	digest_close();
	return test_end();
}
