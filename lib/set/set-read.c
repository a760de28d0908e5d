/* set-read.c -- see set-read.h */
#include "set-read.h"

#include "canon.h"
#include "form.h"
#include "invariants.h"
#include "jqrun.h"
#include "record.h"
#include "semver.h"
#include "utf8.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Which of several predicates is no program is told by its pointer. */
static void check_predicate(struct form *f, uint32_t obj, const char *jq)
{
	struct diag own = DIAG_INIT;
	struct buf at = BUF_INIT;

	if (jqrun_check(jq, f->file, &own) < 0)
		f->bad = true;
	pointer_of(&f->doc, obj, &at);
	for (size_t i = 0; i < own.n; i++)
		diag_add(f->d, own.list[i].exit, own.list[i].rule, own.list[i].where, "%.*s/jq: %s", (int)at.len, at.s,
		         own.list[i].message);
	buf_release(&at);
	diag_release(&own);
}

static struct predicate *predicates(struct form *f, const char *name)
{
	static const char *const names[] = { "jq", "message", NULL };
	uint32_t a = form_member(f, 0, name, 1 << DOC_ARRAY, false);
	size_t n = a == DOC_NONE ? 0 : f->doc.tok[a].n, i = 0;
	struct predicate *list = xcalloc(n + 1, sizeof *list);

	if (n == 0)
		return list;
	for (uint32_t t = a + 1; t < f->doc.tok[a].next; t = f->doc.tok[t].next) {
		char *jq = form_text(f, t, "jq", true), *message = form_text(f, t, "message", true);

		form_only(f, t, names);
		if (jq)
			check_predicate(f, t, jq);
		if (jq && message) {
			list[i++] = (struct predicate){ jq, message };
		} else {
			free(jq);
			free(message);
		}
	}
	return list;
}

static void read_evidence(struct evidence *e, struct form *f)
{
	static const char *const names[] = { "bytes", "files", "hash", "id", "path", "sha256", NULL };
	uint32_t t = form_member(f, 0, "evidence", 1 << DOC_OBJECT, false);

	if (t == DOC_NONE)
		return;
	form_only(f, t, names);
	e->files = form_check_pointer(f, "evidence/files", form_text(f, t, "files", true));
	e->path = form_check_pointer(f, "evidence/path", form_text(f, t, "path", true));
	e->sha256 = form_check_pointer(f, "evidence/sha256", form_text(f, t, "sha256", true));
	e->bytes = form_check_pointer(f, "evidence/bytes", form_text(f, t, "bytes", false));
	e->hash = form_check_pointer(f, "evidence/hash", form_text(f, t, "hash", false));
	e->id = form_check_pointer(f, "evidence/id", form_text(f, t, "id", false));
	if (e->id && !e->hash)
		form_wrong(f, "evidence/id", "begins with a hash, but there is no /evidence/hash");
}

static void read_version(struct set *s, struct form *f, bool must)
{
	static const char *const names[] = { "default", "pointer", NULL };
	uint32_t v = form_member(f, 0, "version", 1 << DOC_OBJECT, must);

	if (v == DOC_NONE)
		return;
	form_only(f, v, names);
	s->version = form_check_pointer(f, "version/pointer", form_text(f, v, "pointer", must));
	s->version_default = form_version(f, v, "default", false);
}

static void read_invariants(struct set *s, struct form *f)
{
	uint32_t list = form_member(f, 0, "invariants", 1 << DOC_ARRAY, false);
	struct invariant v;

	for (uint32_t t = list + 1; list && t < f->doc.tok[list].next; t = f->doc.tok[t].next, s->ninvariant++) {
		struct diag own = DIAG_INIT;

		if (invariant_read(&v, &f->doc, t, "invariants", f->file, &own) < 0) {
			diag_add(f->d, MIG_INVALID, "bad_set", f->file, "%s", own.list[0].message);
			f->bad = true;
		} else if (v.jq) {
			char *jq = record_dup(&f->doc, v.jq);

			f->bad = jqrun_check(jq, f->file, f->d) < 0 || f->bad;
			free(jq);
		}
		diag_release(&own);
	}
	if (s->ninvariant)
		canon_value(&s->invariants, &f->doc, list, DOC_NONE);
}

/* Globs are held against paths below the root, such as a/b.json: some can match none of these. */
static char **read_match(struct form *f, bool must)
{
	char **list = form_texts(f, 0, "match", must);

	for (char **p = list; *p; p++) {
		char *framed = xasprintf("/%s/", *p);

		if (strstr(framed, "//") || strstr(framed, "/./") || strstr(framed, "/../"))
			form_wrong(f, "match",
			           "a glob that no path below the root can match: it has an empty name, . or ..");
		free(framed);
	}
	return list;
}

/* Rows have no history, and only those in files have a version of their own. */
static void read_records_json(struct set *s, struct form *f)
{
	static const char *const names[] = { "duplicates", "entity", "id",      "invariants", "match", "mode",
		                             "skips",      "targets", "uuid", "version",    NULL };

	form_only(f, 0, names);
	s->id = form_text(f, 0, "id", true);
	s->match = read_match(f, false);
	s->entity = form_text(f, 0, "entity", s->match[0] != NULL);
	read_version(s, f, s->match[0] != NULL);
	s->required = xcalloc(1, sizeof *s->required);
	s->immutable = xcalloc(1, sizeof *s->immutable);
	read_invariants(s, f);
	if (!(s->targets = targets_read(&f->doc, f->file, f->d)))
		f->bad = true;
}

static void read_set_json(struct set *s, struct form *f)
{
	static const char *const names[] = { "additive",  "backup_suffix", "entity", "evidence", "history", "id",
		                             "immutable", "match",         "mode",   "required", "version", NULL };
	uint32_t mode = form_member(f, 0, "mode", 1 << DOC_STRING, true);

	if (mode != DOC_NONE && doc_equals(&f->doc, mode, "records", 7)) {
		read_records_json(s, f);
		return;
	}
	if (mode != DOC_NONE && !doc_equals(&f->doc, mode, "document", 8))
		form_wrong(f, "mode", "neither \"document\" nor \"records\"");
	form_only(f, 0, names);
	s->id = form_text(f, 0, "id", true);
	s->entity = form_text(f, 0, "entity", true);
	s->match = read_match(f, true);
	if (!s->match[0] && doc_member(&f->doc, 0, "match", 5) != DOC_NONE)
		form_wrong(f, "match", "names no documents");
	read_version(s, f, true);
	s->required = form_pointers(f, 0, "required");
	s->immutable = form_pointers(f, 0, "immutable");
	s->additive = form_boolean(f, 0, "additive", false, true);
	uint32_t h = form_member(f, 0, "history", 1 << DOC_STRING | 1 << DOC_NULL, true);

	s->history = form_check_pointer(f, "history", record_dup(&f->doc, h));
	s->backup_suffix = form_text(f, 0, "backup_suffix", false);
	if (s->backup_suffix && strchr(s->backup_suffix, '/'))
		form_wrong(f, "backup_suffix", "must not hold a slash");
	read_evidence(&s->evidence, f);
}

static void read_hop_json(struct hop *h, struct form *f)
{
	static const char *const names[] = { "after", "before", "breaking", "changes", "data_safety", "description",
		                             "from",  "levers", "to",       "type",    NULL };
	static const char *const safety_names[] = { "note", "reversible", NULL };

	form_only(f, 0, names);
	h->from = form_version(f, 0, "from", true);
	h->to = form_version(f, 0, "to", true);
	h->type = form_type(f, 0);
	h->description = form_text(f, 0, "description", true);
	h->changes = form_texts(f, 0, "changes", true);
	h->before = predicates(f, "before");
	h->after = predicates(f, "after");
	h->levers = form_texts(f, 0, "levers", false);
	h->breaking = form_boolean(f, 0, "breaking", false, false);
	uint32_t safety = form_member(f, 0, "data_safety", 1 << DOC_OBJECT, false);

	h->reversible = true;
	if (safety != DOC_NONE) {
		form_only(f, safety, safety_names);
		h->reversible = form_boolean(f, safety, "reversible", true, true);
		h->note = form_text(f, safety, "note", true);
	}
	if (h->from && h->to && !f->bad) {
		char *id = xasprintf("%s..%s", h->from, h->to);

		if (strcmp(id, h->id) != 0)
			form_wrong(f, "from", "from and to are not what the folder's name says");
		else if (semver_compare(h->from, h->to) == 0)
			form_wrong(f, "to", "leads from a version to the same version");
		else if (h->breaking && strtoull(h->to, NULL, 10) <= strtoull(h->from, NULL, 10))
			form_wrong(f, "breaking", "a breaking hop leads to a greater major version");
		free(id);
	}
}

/* A program is a string to C and UTF-8 to libjq, which would quietly replace what is neither. */
static int read_program(const char *path, size_t dirlen, struct buf *b, struct digest *sum, struct diag *d)
{
	if (form_part(path, dirlen, b, sum, "bad_set", d) < 0)
		return -1;
	if (b->len && memchr(b->s, '\0', b->len))
		return diag_add(d, MIG_INVALID, "bad_set", path, "holds a NUL byte");
	if (!utf8_valid(b->s, b->len))
		return diag_add(d, MIG_INVALID, "bad_set", path, "not UTF-8");
	return 0;
}

/* jq blames the line's last character, which nobody sees. */
static int windows_lines(const char *text, struct diag *d)
{
	if (strchr(text, '\r'))
		diag_hint(d, "its lines end in CR and LF: jq wants LF alone");
	return -1;
}

/* lib.jq, where there is one; a link that leads nowhere is not taken for none. */
static int read_lib(struct set *s, const char *dir, struct digest *sum, struct diag *d)
{
	char *path = xasprintf("%s/lib.jq", dir);
	struct buf b = BUF_INIT;
	struct stat st;
	int rc = 0;

	if (lstat(path, &st) == 0 || errno != ENOENT) {
		rc = read_program(path, strlen(dir), &b, sum, d);
		buf_reserve(&b, 0);
		if (rc == 0 && jqrun_check_library(b.s, path, d) < 0)
			rc = windows_lines(b.s, d);
		s->lib = buf_steal(&b);
	}
	free(path);
	return rc;
}

/* Read the hop whose name is known. */
static int read_hop(const struct set *s, struct hop *h, const char *dir, struct digest *sum, struct diag *d)
{
	char *json = xasprintf("%s/%s/hop.json", dir, h->id), *up = xasprintf("%s/%s/up.jq", dir, h->id);
	struct buf program = BUF_INIT;
	struct form f;
	int rc = -1;

	if (form_open(&f, json, strlen(dir), sum, "bad_set", d) == 0) {
		read_hop_json(h, &f);
		if (s->targets && h->type && strcmp(h->type, "data") != 0)
			form_wrong(&f, "type", "not \"data\", as in every set of records");
		rc = f.bad ? -1 : read_program(up, strlen(dir), &program, sum, d);
	}
	if (rc == 0 && jqrun_check(program.s, up, d) < 0)
		rc = windows_lines(program.s, d);
	h->up = buf_steal(&program);
	form_release(&f);
	free(json);
	free(up);
	return rc;
}

static int by_version(const void *a, const void *b)
{
	const struct hop *x = a, *y = b;
	int c = semver_compare(x->from, y->from);

	if (!c)
		c = semver_compare(x->to, y->to);
	return c ? c : strcmp(x->id, y->id);
}

void set_sort_hops(struct set *s)
{
	qsort(s->hop, s->nhop, sizeof *s->hop, by_version);
}

static int is_hop(const struct dirent *e)
{
	return strstr(e->d_name, "..") != NULL && strcmp(e->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int set_name_hops(struct set *s, const char *dir, struct diag *d)
{
	struct dirent **e;
	int n = scandir(dir, &e, is_hop, by_bytes);

	if (n < 0)
		return diag_add(d, MIG_ERROR, "read_failed", dir, "%s", strerror(errno));
	s->hop = xcalloc((size_t)n + 1, sizeof *s->hop);
	for (int i = 0; i < n; i++) {
		s->hop[s->nhop++].id = xstrdup(e[i]->d_name);
		free(e[i]);
	}
	free(e);
	return 0;
}

static int read_hops(struct set *s, const char *dir, struct digest *sum, struct diag *d)
{
	int rc = set_name_hops(s, dir, d);

	for (size_t i = 0; i < s->nhop; i++)
		if (read_hop(s, &s->hop[i], dir, sum, d) < 0)
			rc = -1;
	if (rc == 0)
		set_sort_hops(s);
	return rc;
}

void set_blame(struct diag *d, size_t first)
{
	for (size_t i = first; i < d->n; i++)
		if (strcmp(d->list[i].rule, "bad_set") == 0)
			d->list[i].exit = MIG_INVALID;
}

/* A set of SQL has other files and members: what else is wrong with it as a set of documents says nothing. */
static bool is_sql(struct form *f)
{
	uint32_t mode = doc_member(&f->doc, 0, "mode", 4);

	if (mode == DOC_NONE || !doc_equals(&f->doc, mode, "sql", 3))
		return false;
	form_wrong(f, "mode", "\"sql\": such a set is for mig-plan --set");
	return true;
}

struct set *set_read(const char *dir, struct diag *d)
{
	struct set *s = xcalloc(1, sizeof *s);
	struct digest *sum = digest_new();
	char *json = xasprintf("%s/set.json", dir);
	size_t first = d->n;
	struct form f;
	int rc = form_open(&f, json, strlen(dir), sum, "missing_set", d);

	if (rc == 0 && is_sql(&f)) {
		rc = -1;
	} else if (rc == 0) {
		read_set_json(s, &f);
		rc = f.bad ? -1 : 0;
		if (read_lib(s, dir, sum, d) < 0)
			rc = -1;
		if (read_hops(s, dir, sum, d) < 0)
			rc = -1;
	}
	set_blame(d, first);
	digest_final(sum, s->hash);
	digest_free(sum);
	form_release(&f);
	free(json);
	if (rc == 0)
		return s;
	set_free(s);
	return NULL;
}

bool set_is(const char *dir, const char *mode)
{
	struct diag d = DIAG_INIT;
	struct form f;
	char *json = xasprintf("%s/set.json", dir);
	bool is = false;

	if (form_open(&f, json, 0, NULL, "missing_set", &d) == 0)
		is = doc_says(&f.doc, 0, "mode", mode);
	form_release(&f);
	diag_release(&d);
	free(json);
	return is;
}
