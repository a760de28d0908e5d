/* sqlset.c -- see sqlset.h */
#include "sqlset.h"

#include "base.h"
#include "classify.h"
#include "form.h"
#include "io.h"
#include "record.h"
#include "semver.h"
#include "set-read.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const file_names[SQL_NFILES] = { "up.sql", "down.sql", "verify.sql" };

/* Count a file of the set by its folded text. */
static void add_to_sum(struct digest *sum, const char *path, size_t dirlen, const char *s, size_t n)
{
	char hex[HEX_SIZE];

	digest_hex(s, n, hex);
	digest_add(sum, path + dirlen + 1, strlen(path + dirlen + 1) + 1);
	digest_add(sum, hex, HEX_LEN);
	digest_add(sum, "\n", 1);
}

static int open_json(struct form *f, const char *file, size_t dirlen, struct digest *sum, const char *rule,
                     struct diag *d)
{
	struct buf folded = BUF_INIT;
	int rc = form_open(f, file, dirlen, NULL, rule, d);

	if (rc == 0) {
		script_fold(&folded, f->text.s, f->text.len);
		add_to_sum(sum, file, dirlen, folded.s, folded.len);
	}
	buf_release(&folded);
	return rc;
}

/* A set of another mode has that one fault: its members, and its hops, are none of ours. */
static bool of_sql(struct form *f)
{
	char *mode = form_text(f, 0, "mode", true);
	bool other = mode && strcmp(mode, "sql") != 0;

	if (other)
		form_wrong(f, "mode", "not \"sql\": the set is one of documents or records");
	free(mode);
	return !other;
}

static void read_set_json(struct sqlset *s, struct form *f)
{
	static const char *const names[] = { "description", "dialect", "id", "mode", NULL };

	form_only(f, 0, names);
	s->set->id = form_text(f, 0, "id", true);
	s->dialect = form_text(f, 0, "dialect", false);
	if (s->dialect && strcmp(s->dialect, "sqlite") != 0 && strcmp(s->dialect, "postgresql") != 0)
		form_wrong(f, "dialect", "neither \"sqlite\" nor \"postgresql\"");
	free(form_text(f, 0, "description", false));
}

static void read_safety(struct hop *h, struct form *f)
{
	static const char *const names[] = { "note", "reversible", NULL };
	uint32_t safety = form_member(f, 0, "data_safety", 1 << DOC_OBJECT, false);

	h->reversible = true;
	if (safety == DOC_NONE)
		return;
	form_only(f, safety, names);
	h->reversible = form_boolean(f, safety, "reversible", true, true);
	h->note = form_text(f, safety, "note", true);
}

static void read_hop_json(struct hop *h, struct form *f)
{
	static const char *const names[] = { "data_safety", "description", "from", "levers", "to", "type", NULL };

	form_only(f, 0, names);
	h->from = form_version(f, 0, "from", true);
	h->to = form_version(f, 0, "to", true);
	h->type = form_type(f, 0);
	h->description = form_text(f, 0, "description", true);
	h->levers = form_texts(f, 0, "levers", false);
	read_safety(h, f);
	if (!h->from || !h->to || f->bad)
		return;
	char *id = xasprintf("%s..%s", h->from, h->to);

	if (strcmp(id, h->id) != 0)
		form_wrong(f, "from", "from and to are not what the folder's name says");
	else if (semver_compare(h->from, h->to) >= 0)
		form_wrong(f, "to", "invalid order: does not lead to a higher version");
	free(id);
}

/* Read one script; only up.sql must be there. */
static int read_script(struct sqlhop *h, enum sqlfile_kind k, const char *dir, const char *hop, struct digest *sum,
                       struct diag *d)
{
	struct sqlfile *f = &h->file[k];
	struct buf raw = BUF_INIT, folded = BUF_INIT;

	f->name = xasprintf("%s/%s/%s", dir, hop, file_names[k]);
	if (k != SQL_UP && access(f->name, F_OK) != 0 && errno == ENOENT)
		return 0;
	int rc = io_read_file(f->name, &raw, "bad_set", d);

	if (rc == 0) {
		buf_reserve(&raw, 0);
		buf_reserve(&folded, raw.len);
		buf_setlen(&folded, 0);
		script_fold(&folded, raw.s, raw.len);
		add_to_sum(sum, f->name, strlen(dir), folded.s, folded.len);
		if (k == SQL_UP) {
			digest_hex(raw.s, raw.len, h->checksum);
			digest_hex(folded.s, folded.len, h->normalised);
		}
		f->n = folded.len;
		f->text = buf_steal(&folded);
	}
	buf_release(&raw);
	return rc;
}

static int read_hop(struct hop *h, const char *dir, struct digest *sum, struct diag *d)
{
	char *json = xasprintf("%s/%s/hop.json", dir, h->id);
	struct form f;
	int rc = open_json(&f, json, strlen(dir), sum, "bad_set", d);

	if (rc == 0)
		read_hop_json(h, &f);
	form_release(&f);
	free(json);
	return rc < 0 || f.bad ? -1 : 0;
}

/* First what orders the hops, then their scripts in that order. */
static int read_hops(struct sqlset *s, const char *dir, struct digest *sum, struct diag *d)
{
	struct set *set = s->set;
	int rc = set_name_hops(set, dir, d);

	for (size_t i = 0; i < set->nhop; i++)
		if (read_hop(&set->hop[i], dir, sum, d) < 0)
			rc = -1;
	if (rc < 0)
		return -1;
	set_sort_hops(set);
	s->hop = xcalloc(set->nhop + 1, sizeof *s->hop);
	for (size_t i = 0; i < set->nhop; i++)
		for (int k = 0; k < SQL_NFILES; k++)
			if (read_script(&s->hop[i], k, dir, set->hop[i].id, sum, d) < 0)
				rc = -1;
	return rc;
}

struct sqlset *sqlset_read(const char *dir, struct diag *d)
{
	struct sqlset *s = xcalloc(1, sizeof *s);
	struct digest *sum = digest_new();
	char *json = xasprintf("%s/set.json", dir);
	size_t first = d->n;
	struct form f;

	s->set = xcalloc(1, sizeof *s->set);
	int rc = open_json(&f, json, strlen(dir), sum, "missing_set", d);

	if (rc == 0 && !of_sql(&f))
		rc = -1;
	if (rc == 0) {
		read_set_json(s, &f);
		if (read_hops(s, dir, sum, d) < 0 || f.bad)
			rc = -1;
	}
	set_blame(d, first);
	digest_final(sum, s->set->hash);
	digest_free(sum);
	form_release(&f);
	free(json);
	if (rc == 0)
		return s;
	sqlset_free(s);
	return NULL;
}

void sqlset_free(struct sqlset *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->hop && i < s->set->nhop; i++)
		for (int k = 0; k < SQL_NFILES; k++) {
			free(s->hop[i].file[k].name);
			free(s->hop[i].file[k].text);
			script_release(&s->hop[i].file[k].script);
		}
	free(s->hop);
	set_free(s->set);
	free(s->dialect);
	free(s);
}

/* verify.sql asks, and does nothing else. */
static int check_queries(const struct sqlfile *f, enum dialect dialect, struct diag *d)
{
	int rc = 0;

	for (size_t i = 0; i < f->script.n; i++) {
		const struct statement *st = &f->script.list[i];

		if (classify_is_query(f->text + st->at, st->n, dialect))
			continue;
		char *where = xasprintf("%s:%zu", f->name, st->line);

		rc = diag_add(d, MIG_INVALID, "bad_script", where, "not a query: verify.sql must not change anything");
		free(where);
	}
	return rc;
}

int sqlset_split(struct sqlset *s, size_t i, enum dialect dialect, struct diag *d)
{
	struct sqlhop *h = &s->hop[i];
	int rc = 0;

	for (int k = 0; k < SQL_NFILES && !h->is_split; k++) {
		struct sqlfile *f = &h->file[k];

		if (f->text && script_split(&f->script, f->text, f->n, dialect, f->name, d) < 0)
			rc = -1;
	}
	if (rc == 0 && !h->is_split)
		rc = check_queries(&h->file[SQL_VERIFY], dialect, d);
	h->is_split = true;
	return rc;
}

const char *sqlset_root(const struct sqlset *s, struct diag *d)
{
	const char *root = NULL;
	struct buf others = BUF_INIT;

	for (size_t i = 0; i < s->set->nhop; i++) {
		const char *from = s->set->hop[i].from;
		bool reached = false;

		for (size_t k = 0; k < s->set->nhop && !reached; k++)
			reached = strcmp(s->set->hop[k].to, from) == 0 ||
			          (k < i && strcmp(s->set->hop[k].from, from) == 0);
		if (reached)
			continue;
		if (root)
			buf_addf(&others, "%s%s", others.len ? ", " : "", from);
		else
			root = from;
	}
	if (others.len) {
		diag_add(d, MIG_INVALID, "no_path", NULL,
		         "dependency not found: no hop leads to %s, and the first version is %s", others.s, root);
		root = NULL;
	}
	buf_release(&others);
	return root;
}
