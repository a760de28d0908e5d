/* entry.c -- an entry's text, of ledger.h: its members, its hash, who and when */
#include "ledger.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void entry_init(struct entry *e, const char *event, const struct plan *p, const struct grant *g, const char *user,
                const char *time)
{
	*e = (struct entry){
		.event = event,
		.actor = g->actor,
		.env = p->env,
		.migration_id = p->migration_id,
		.nonce = g->nonce,
		.plan_hash = { p->hash, HEX_LEN },
		.project = p->project,
		.reason = p->reason,
		.target_version = p->target_version,
		.tenant = p->tenant,
		.ticket = g->ticket,
		.user = { user, strlen(user) },
		.time = time,
	};
	if (p->rollback_mode)
		e->undoes = p->undoes;
}

static void write_hashes(struct rec *w, const char *name, const char *const *hash, size_t n)
{
	rec_name(w, name);
	buf_addch(w->b, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addch(w->b, ',');
		if (hash[i])
			canon_string(w->b, hash[i], HEX_LEN);
		else
			buf_add(w->b, "null", 4);
	}
	buf_addch(w->b, ']');
}

/* With hash NULL: the text that the hash is taken of. */
static void write_members(struct buf *out, const struct entry *e, int64_t seq, const char *prev, const char *hash)
{
	struct rec w;

	rec_open(&w, out);
	rec_str(&w, "actor", e->actor);
	if (e->backups)
		rec_raw(&w, "backups", e->backups, strlen(e->backups));
	if (e->before) {
		rec_cstr(&w, "before", e->before);
		rec_int(&w, "bytes", e->bytes);
	}
	if (e->code)
		rec_cstr(&w, "code", e->code);
	if (e->written)
		rec_int(&w, "duration_ms", e->duration_ms);
	rec_str(&w, "env", e->env);
	rec_cstr(&w, "event", e->event);
	if (e->code)
		rec_int(&w, "findings", e->findings);
	if (hash)
		rec_cstr(&w, "hash", hash);
	if (e->kept)
		rec_cstr(&w, "kept", e->kept);
	rec_cstr(&w, "kind", "entry");
	rec_str(&w, "migration_id", e->migration_id);
	rec_str(&w, "nonce", e->nonce);
	if (e->before)
		rec_int(&w, "objects", e->objects);
	rec_str(&w, "plan_hash", e->plan_hash);
	if (e->before)
		write_hashes(&w, "plans", (const char *const *)e->plans, e->nplans);
	rec_cstr(&w, "prev", prev);
	rec_str(&w, "project", e->project);
	rec_str(&w, "reason", e->reason);
	if (e->ref.s)
		rec_str(&w, "ref", e->ref);
	rec_int(&w, "seq", seq);
	rec_str(&w, "target_version", e->target_version);
	rec_str(&w, "tenant", e->tenant);
	rec_str(&w, "ticket", e->ticket);
	rec_cstr(&w, "time", e->time);
	if (e->undoes.s)
		rec_str(&w, "undoes", e->undoes);
	rec_str(&w, "user", e->user);
	if (e->written)
		write_hashes(&w, "written", e->written, e->nwritten);
	rec_close(&w);
}

void entry_write(struct buf *out, const struct entry *e, int64_t seq, const char *prev, char hash[HEX_SIZE])
{
	struct buf bare = BUF_INIT;

	write_members(&bare, e, seq, prev, NULL);
	digest_hex(bare.s, bare.len, hash);
	buf_release(&bare);
	write_members(out, e, seq, prev, hash);
}

/*
 * Read /etc/passwd, not the name services behind getpwuid: they load libraries,
 * and glibc aborts in them where memory is short.
 */
char *ledger_user(void)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *pw = NULL;
	char *name = NULL;

	while (f && (pw = fgetpwent(f)) && pw->pw_uid != getuid())
		;
	/* a name that JSON cannot hold is as good as none */
	for (const char *s = pw ? pw->pw_name : NULL; s && !name; s++) {
		if (*s == '\0')
			name = xstrdup(pw->pw_name);
		else if (*s < 0x20 || *s > 0x7e)
			break;
	}
	if (f)
		fclose(f);
	return name ? name : xasprintf("%lu", (unsigned long)getuid());
}

void ledger_time(const char *fixed, char out[LEDGER_TIME_SIZE])
{
	time_t now = time(NULL);
	struct tm tm;

	if (fixed)
		snprintf(out, LEDGER_TIME_SIZE, "%s", fixed);
	else if (!gmtime_r(&now, &tm) || !strftime(out, LEDGER_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(out, LEDGER_TIME_SIZE, "1970-01-01T00:00:00Z");
}
