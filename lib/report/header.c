/* header.c -- see header.h */
#include "header.h"

#include "shown.h"

#include <inttypes.h>
#include <stdlib.h>

void header_release(struct header *h)
{
	char *texts[] = { h->env, h->migration, h->target, h->mode, h->tenant, h->project, h->set_id, h->set_hash,
	                  h->reason, h->undoes, h->tool_version, h->phase, h->other };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		free(texts[i]);
	buf_release(&h->same);
	buf_release(&h->scratch);
	*h = (struct header){ .any = false };
}

static uint32_t object(const struct doc *d, uint32_t obj, const char *name)
{
	uint32_t t = doc_member(d, obj, name, strlen(name));

	return t != DOC_NONE && d->tok[t].type == DOC_OBJECT ? t : DOC_NONE;
}

/*
 * The header's text without what differs from part to part.  SQL goes from
 * version to version, a part each; documents go to theirs at once.
 */
static void identify(struct buf *out, const struct doc *d, uint32_t t)
{
	uint32_t dialect = doc_member(d, t, "dialect", 7);
	bool sql = dialect != DOC_NONE && !doc_equals(d, dialect, "rows", 4);
	struct doc_walk w;
	uint32_t key;

	buf_reset(out);
	for (doc_walk_init(&w, d, t); (key = doc_walk_next(&w));)
		if (!doc_equals(d, key, "part", 4) && !doc_equals(d, key, "undoes", 6) &&
		    !(sql && doc_equals(d, key, "target_version", 14))) {
			canon_value(out, d, key + 1, DOC_NONE);
			buf_addch(out, '\n');
		}
}

/* {"id":"copy","index":3,"kind":"backfill","of":7,..}: "3 of 7, backfill: copy" */
static char *name_phase(const struct doc *d, uint32_t phase)
{
	char *id = shown_member(d, phase, "id"), *kind = shown_member(d, phase, "kind");
	char *s = xasprintf("%" PRId64 " of %" PRId64 ", %s: %s", int_member(d, phase, "index"),
	                    int_member(d, phase, "of"), kind ? kind : "", id ? id : "");

	free(id);
	free(kind);
	return s;
}

static void keep(struct header *h, const struct doc *d, uint32_t t)
{
	uint32_t set = object(d, t, "set"), scope = object(d, t, "scope"), snap = object(d, t, "snapshot"),
	         part = object(d, t, "part"), phase = object(d, t, "phase");

	h->any = true;
	h->env = shown_member(d, t, "env");
	h->migration = shown_member(d, t, "migration_id");
	h->target = shown_member(d, t, "target_version");
	h->mode = shown_member(d, t, "mode");
	h->reason = shown_member(d, t, "reason");
	h->undoes = shown_member(d, t, "undoes");
	h->tool_version = shown_member(d, t, "tool_version");
	if (scope) {
		h->tenant = shown_member(d, scope, "tenant");
		h->project = shown_member(d, scope, "project");
	}
	if (set) {
		h->set_id = shown_member(d, set, "id");
		h->set_hash = shown_member(d, set, "hash");
	}
	if (snap) {
		h->records = int_member(d, snap, "records");
		h->changes = int_member(d, snap, "changes");
		h->current = int_member(d, snap, "current");
		h->rejects = int_member(d, snap, "rejects");
	}
	h->phase = phase ? name_phase(d, phase) : NULL;
	h->parts = part ? int_member(d, part, "of") : 1;
}

/* "manifest to 1.1.0 in dev" of a header that is not kept */
static char *name_other(const struct doc *d, uint32_t t)
{
	struct header o = { .env = shown_member(d, t, "env"), .migration = shown_member(d, t, "migration_id"),
	                    .target = shown_member(d, t, "target_version"), .mode = shown_member(d, t, "mode") };
	struct buf b = BUF_INIT;

	header_name(&o, &b);
	header_release(&o);
	return buf_steal(&b);
}

int header_add(struct header *h, const struct doc *d, uint32_t t, const char *where, struct diag *diag)
{
	static const char *const needed[] = { "env", "migration_id", "target_version" };

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
		uint32_t m = doc_member(d, t, needed[i], strlen(needed[i]));

		if (m == DOC_NONE || d->tok[m].type != DOC_STRING)
			return diag_add(diag, MIG_USAGE, "bad_record", where, "header has no \"%s\"", needed[i]);
	}
	if (!h->any) {
		keep(h, d, t);
		identify(&h->same, d, t);
		return 0;
	}
	identify(&h->scratch, d, t);
	if (h->scratch.len == h->same.len && memcmp(h->scratch.s, h->same.s, h->same.len) == 0) {
		if (!header_rollback(h)) { /* the last part leads to where they all lead */
			free(h->target);
			h->target = shown_member(d, t, "target_version");
		}
		return 0;
	}
	if (h->others++ == 0)
		h->other = name_other(d, t);
	return 0;
}

bool header_rollback(const struct header *h)
{
	return h->mode && strcmp(h->mode, "rollback") == 0;
}

void header_name(const struct header *h, struct buf *out)
{
	buf_addf(out, "%s%s %s in %s", h->migration, header_rollback(h) ? " back from" : " to", h->target, h->env);
}

void header_page(const struct header *h, struct page *p)
{
	if (h->tenant || h->project)
		page_line(p, 0, "scope     %s%s%s%s%s", h->tenant ? "tenant " : "", h->tenant ? h->tenant : "",
		          h->tenant && h->project ? ", " : "", h->project ? "project " : "",
		          h->project ? h->project : "");
	else
		page_line(p, 0, "scope     none");
	if (h->set_id)
		page_line(p, 0, "set       %s %s", h->set_id, h->set_hash ? h->set_hash : "");
	if (h->phase)
		page_line(p, 0, "phase     %s", h->phase);
	if (h->undoes)
		page_line(p, 0, "undoes    %s%s", h->undoes, h->parts > 1 ? " and its other parts" : "");
	if (h->reason)
		page_line(p, 0, "reason    %s", h->reason);
	if (h->others)
		page_line(p, 0, "MIXED     %" PRIu64 " of the plans are others, such as %s", h->others, h->other);
}

void header_lines(const struct header *h, struct buf *out)
{
	buf_addf(out, "env=%s migration=%s target=%s\n", h->env, h->migration, h->target);
	if (h->tenant || h->project)
		buf_addf(out, "scope=%s/%s\n", h->tenant ? h->tenant : "", h->project ? h->project : "");
}

void header_json(const struct header *h, struct buf *out)
{
	struct rec w, in;

	rec_open(&w, out);
	rec_cstr(&w, "env", h->env);
	rec_cstr(&w, "migration_id", h->migration);
	rec_cstr(&w, "mode", h->mode);
	rec_int(&w, "other_headers", (int64_t)h->others);
	if (h->phase)
		rec_cstr(&w, "phase", h->phase);
	rec_cstr(&w, "reason", h->reason);
	rec_name(&w, "scope");
	rec_open(&in, out);
	rec_cstr(&in, "project", h->project);
	rec_cstr(&in, "tenant", h->tenant);
	rec_close(&in);
	rec_name(&w, "set");
	rec_open(&in, out);
	rec_cstr(&in, "hash", h->set_hash);
	rec_cstr(&in, "id", h->set_id);
	rec_close(&in);
	rec_cstr(&w, "target_version", h->target);
	rec_cstr(&w, "tool_version", h->tool_version);
	rec_cstr(&w, "undoes", h->undoes);
	rec_close(&w);
}

/* A word for a shell: quoted unless it is made of harmless characters. */
static void add_word(struct buf *out, const char *s)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@:/+-";

	if (*s && s[strspn(s, harmless)] == '\0') {
		buf_addstr(out, s);
		return;
	}
	buf_addch(out, '\'');
	for (; *s; s++)
		if (*s == '\'')
			buf_addstr(out, "'\\''");
		else
			buf_addch(out, *s);
	buf_addch(out, '\'');
}

void header_flags(const struct header *h, struct buf *out)
{
	buf_addstr(out, "--env ");
	add_word(out, h->env);
	if (h->tenant) {
		buf_addstr(out, " --tenant ");
		add_word(out, h->tenant);
	}
	if (h->project) {
		buf_addstr(out, " --project ");
		add_word(out, h->project);
	}
	if (strcmp(h->env, "prod") == 0)
		buf_addstr(out, " --prod-override TICKET");
}
