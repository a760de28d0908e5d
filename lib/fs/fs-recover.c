/* fs-recover.c -- see fs-recover.h */
#include "fs-recover.h"

#include "fs-exchange.h"
#include "fs-inverse.h"
#include "fs-names.h"
#include "fs-stored.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PREFIX = 16 }; /* digits of the plan_hash that a temporary file's name begins with */

struct recovery {
	struct fs *fs;
	const struct apply_ctx *c;
	struct diag *d;
	/* the plan that the files at hand belong to */
	char prefix[PREFIX + 1];
	bool known;
	struct plan plan;
	struct doc doc;
	struct buf text, target;
	struct fs_inverse inverse; /* of that plan, once one of its files has FS_REDO */
	bool inverted;
	size_t dropped;
	bool noted; /* an entry was appended to the ledger */
};

/*
 * What was found wrong, as an answer or as trouble?  0: there is no such thing,
 * or another one.  -1: it could not be read, so nothing is known; the finding goes
 * to r->d, and whatever the question was about stays as it is.
 */
static int trouble(struct recovery *r, struct diag *unseen)
{
	static const char *const answers[] = { "foreign_state", "object_damaged", "not_undoable" };
	const struct finding *f = diag_first(unseen);
	int rc = 0;

	for (size_t i = 0; f && i < sizeof answers / sizeof *answers; i++)
		if (strcmp(f->rule, answers[i]) == 0)
			f = NULL;
	if (f)
		rc = diag_add(r->d, f->exit, f->rule, f->where, "%s", f->message);
	diag_release(unseen);
	return rc;
}

/* Load the stored plan whose hash begins with prefix; one that cannot be trusted is not known. */
static int load_plan(struct recovery *r, const char *prefix)
{
	struct diag unseen = DIAG_INIT, unread = DIAG_INIT;
	char hash[HEX_SIZE];

	if (strcmp(r->prefix, prefix) == 0)
		return 0;
	r->prefix[0] = '\0';
	r->known = r->inverted = false;
	buf_reset(&r->text);
	fs_inverse_release(&r->inverse);
	bool found = fs_stored_find_plan(&r->fs->state, prefix, hash, &unseen) == 1 &&
	             fs_stored_plan(&r->fs->state, hash, &r->text, &unseen) == 1;

	if (trouble(r, &unseen) < 0)
		return -1;
	r->known = found && r->text.s && doc_parse(&r->doc, r->text.s, r->text.len, RECORD_MAX_DEPTH) == 0 &&
	           plan_read(&r->plan, &r->doc, 0, prefix, &unread) == 0 && strcmp(r->plan.hash, hash) == 0;
	diag_release(&unread);
	memcpy(r->prefix, prefix, PREFIX + 1);
	return 0;
}

/* Replace b by the regular file at dir/path below the root: 1 and its hash, 0 if there is none, -1 after a finding. */
static int hash_of(struct recovery *r, int dir, const char *path, const char *shown, struct buf *b, char hex[HEX_SIZE])
{
	struct stat st;
	int fd = fs_open(&r->fs->root, dir, path, O_RDONLY, 0), rc = 1;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EISDIR || errno == ENXIO ||
	               errno == EXDEV))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		rc = fs_fault(r->d, shown, "read", errno, false);
	else if (!S_ISREG(st.st_mode))
		rc = 0;
	else if (fs_read_all(fd, b, (size_t)st.st_size) < 0)
		rc = fs_fault(r->d, shown, "read", errno, false);
	else
		digest_hex(b->s, b->len, hex);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int hash_of_temp(struct recovery *r, const char *name, char hex[HEX_SIZE])
{
	char *shown = xasprintf("%s/tmp/%s", FS_STATE, name);
	int rc = hash_of(r, r->fs->state.tmp, name, shown, &r->target, hex);

	free(shown);
	return rc;
}

/* Do the temporary file's bytes stand in the objects as well? */
static int is_kept(struct recovery *r, const char *name)
{
	struct diag unseen = DIAG_INIT;
	char hash[HEX_SIZE];
	int rc = hash_of_temp(r, name, hash);

	if (rc != 1)
		return rc;
	rc = fs_stored_object(&r->fs->state, hash, &r->target, &unseen);
	return trouble(r, &unseen) < 0 ? -1 : rc == 1;
}

/* The step that the temporary file was made for, or NULL. */
static const struct step *step_of(struct recovery *r, const char *index)
{
	unsigned long i = strtoul(index, NULL, 10);

	return r->known && i >= 1 && i <= r->plan.nstep ? &r->plan.step[i - 1] : NULL;
}

/* *s is the step of its undoing that the file was made for, or NULL. */
static int undoing_of(struct recovery *r, const char *index, const struct step **s)
{
	struct diag unseen = DIAG_INIT;

	if (r->known && !r->inverted) {
		fs_inverse_release(&r->inverse);
		fs_inverse_init(&r->inverse, r->fs, &r->plan, &unseen);
		if (trouble(r, &unseen) < 0)
			return -1;
		r->inverted = true;
	}
	*s = fs_inverse_step(&r->inverse, strtol(index, NULL, 10));
	return 0;
}

/* Are the temporary file's bytes what the step makes, or a torn part of that, but no other whole document? */
static int is_made(struct recovery *r, const char *name, const struct step *s, bool torn_too)
{
	char hash[HEX_SIZE];
	int rc = hash_of_temp(r, name, hash);

	if (rc != 1)
		return rc;
	return effect_content(&r->fs->effect, &r->target, s->without, hash) ? text_is(s->after, hash) : torn_too;
}

/* Does the document still meet the step's precondition, so that the temporary file was never used? */
static int precondition_holds(struct recovery *r, const struct step *s)
{
	struct diag unseen = DIAG_INIT;
	struct buf path = BUF_INIT;
	char hash[HEX_SIZE], *ref = xmemdup(s->ref.s, s->ref.n);
	int rc = fs_path(&path, s->ref, &unseen) == 0 ? hash_of(r, r->fs->root.fd, path.s, ref, &r->target, hash) : 0;

	if (rc == 1 && s->restore)
		rc = !text_is(s->raw, hash) && effect_content(&r->fs->effect, &r->target, s->without, hash) &&
		     text_is(s->after, hash);
	else if (rc == 1)
		rc = text_is(s->raw, hash);
	buf_release(&path);
	free(ref);
	diag_release(&unseen);
	return rc;
}

static void note_conflict(struct recovery *r, const struct step *s, const char *kept)
{
	struct entry e;
	char time[LEDGER_TIME_SIZE];

	if (!r->known)
		return;
	ledger_time(r->c->now, time);
	entry_init(&e, "conflict", &r->plan, r->c->grant, r->fs->user, time);
	e.ref = s ? s->ref : (struct text){ NULL, 0 };
	e.kept = kept;
	ledger_append(&r->fs->ledger, &e);
	r->noted = true;
}

/* Neither an original that is kept nor a file that was never used: it may be somebody's. */
static int keep(struct recovery *r, const char *name, const struct step *s)
{
	char *kept;
	char *ref = s ? xmemdup(s->ref.s, s->ref.n) : NULL;

	if (fs_state_keep(&r->fs->state, name, &kept, r->d) == 0) {
		note_conflict(r, s, kept);
		diag_add(r->d, MIG_INVALID, "conflict", ref ? ref : name,
		         "a killed run left a file that may be somebody's: it is now %s", kept);
		free(kept);
	}
	free(ref);
	return -1;
}

static int drop(struct recovery *r, const char *name)
{
	if (unlinkat(r->fs->state.tmp, name, 0) == 0) {
		r->dropped++;
		return 0;
	}
	return fs_fault(r->d, FS_STATE "/tmp", "remove a leftover", errno, false);
}

/* Is name the 16 digits of a plan's hash and a dot?  *rest is what follows: 3, 3.undo, 3.copy, plan. */
static bool is_ours(const char *name, const char **rest)
{
	if (strspn(name, "0123456789abcdef") != PREFIX || name[PREFIX] != '.' || !name[PREFIX + 1])
		return false;
	*rest = name + PREFIX + 1;
	return true;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/*
 * Is the file, of step *s if it is known, one that nothing is lost with?  Exchanged
 * back or not, a file of ours is an original that is kept, or what the step made.
 */
static int explains(struct recovery *r, const char *name, const char *rest, const struct step **s)
{
	bool undone = ends_with(name, FS_UNDO), redo = ends_with(name, FS_REDO) || ends_with(name, FS_REDO FS_UNDO);
	int rc;

	if (redo && undoing_of(r, rest, s) < 0)
		return -1;
	if (!redo)
		*s = step_of(r, rest);
	if ((rc = is_kept(r, name)) != 0 || !*s)
		return rc;
	if (undone)
		return is_made(r, name, *s, false);
	rc = precondition_holds(r, *s);
	return rc == 1 ? is_made(r, name, *s, true) : rc;
}

static int recover_one(struct recovery *r, const char *name)
{
	char prefix[PREFIX + 1];
	const char *rest;
	const struct step *s = NULL;

	if (!is_ours(name, &rest)) {
		diag_warn(r->d, "foreign_temp", name, "not one of ours in %s/tmp: left alone", FS_STATE);
		return 0;
	}
	/* copies of what stands elsewhere */
	if (strcmp(rest, "plan") == 0 || ends_with(rest, ".copy"))
		return drop(r, name);
	memcpy(prefix, name, PREFIX);
	prefix[PREFIX] = '\0';
	int rc = load_plan(r, prefix) < 0 ? -1 : explains(r, name, rest, &s);

	return rc < 0 ? -1 : rc ? drop(r, name) : keep(r, name, s);
}

int fs_recover(struct fs *fs, const struct apply_ctx *c, struct diag *d)
{
	struct recovery r = { .fs = fs, .c = c, .d = d, .plan = PLAN_INIT, .doc = DOC_INIT };
	struct fs_names names;
	int rc = 0;

	if (fs_names(fs->state.tmp, &names) < 0)
		return fs_fault(d, FS_STATE "/tmp", "read", errno, false);
	for (size_t i = 0; i < names.n; i++)
		if (recover_one(&r, names.name[i]) < 0)
			rc = -1;
	bool unsure;

	if (r.noted && ledger_sync(&fs->ledger, false, &unsure, d) < 0)
		rc = -1;
	if (r.dropped)
		diag_warn(d, "recovered", NULL, "a killed run left %zu temporary file%s: removed, nothing is lost",
		          r.dropped, r.dropped == 1 ? "" : "s");
	fs_names_release(&names);
	fs_inverse_release(&r.inverse);
	plan_release(&r.plan);
	doc_release(&r.doc);
	buf_release(&r.text);
	buf_release(&r.target);
	return rc;
}
