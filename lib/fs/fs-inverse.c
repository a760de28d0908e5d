/* fs-inverse.c -- see fs-inverse.h */
#include "fs-inverse.h"

#include "fs-stored.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A plan's own rollback entries, with the numbers of its steps. */
static void of_forward(struct fs_inverse *v, const struct plan *p)
{
	v->plan.nstep = p->nundo;
	for (size_t i = 0; i < p->nundo; i++) {
		v->step[i] = p->undo[i];
		v->step[i].index = p->step[p->nstep - 1 - i].index;
	}
}

/* The commit of the plan that p undoes: 1, 0 if the ledger has none, -1 after a finding. */
static int read_commit(struct fs *fs, const struct plan *p, struct buf *line, struct doc *e, struct diag *d)
{
	char undoes[HEX_SIZE];

	if (p->undoes.n != HEX_LEN)
		return 0;
	size_t before = d->n;

	memcpy(undoes, p->undoes.s, HEX_LEN);
	undoes[HEX_LEN] = '\0';
	const struct ledger_mark *m = ledger_find(&fs->ledger, undoes, "commit", d);

	if (!m)
		return d->n > before ? -1 : 0;
	if (ledger_entry(&fs->ledger, m, line, d) < 0)
		return -1;
	return doc_parse(e, line->s, line->len, RECORD_MAX_DEPTH) == 0;
}

/* Are the document's bytes those that the rollback restores?  1, 0, or -1 after a finding: it cannot be read. */
static int is_restored(struct fs *fs, const struct step *s, struct diag *d)
{
	struct buf path = BUF_INIT;
	char is[HEX_SIZE], *ref = xmemdup(s->ref.s, s->ref.n);
	struct stat st;
	int fd = -1, rc = fs_path(&path, s->ref, d);

	if (rc == 0 && (fd = fs_open(&fs->root, fs->root.fd, path.s, O_RDONLY, 0)) < 0)
		rc = errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV || errno == ENXIO
		             ? 0
		             : fs_fault(d, ref, "read", errno, false);
	else if (rc == 0 && (fstat(fd, &st) < 0 ||
	                     (S_ISREG(st.st_mode) && fs_read_all(fd, &fs->bytes, (size_t)st.st_size) < 0)))
		rc = fs_fault(d, ref, "read", errno, false);
	else if (rc == 0 && S_ISREG(st.st_mode)) {
		digest_hex(fs->bytes.s, fs->bytes.len, is);
		rc = text_is(s->raw, is);
	}
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	free(ref);
	return rc;
}

static int not_undoable(const struct step *s, struct diag *d)
{
	char *ref = xmemdup(s->ref.s, s->ref.n);

	diag_add(d, MIG_PRECONDITION, "not_undoable", ref,
	         "the ledger does not know the bytes that the rollback replaced: apply the rollback again");
	free(ref);
	return -1;
}

/* Turn a step of a rollback around: the bytes of its object lead back to those that have the hash written. */
static int turn(struct fs_inverse *v, struct fs *fs, const struct step *s, struct text written, struct diag *d)
{
	size_t k = v->plan.nstep;
	struct step *to = &v->step[k];
	char *raw = v->hex[k][0], *content = v->hex[k][1];

	memcpy(raw, s->raw.s, HEX_LEN);
	raw[HEX_LEN] = '\0';
	int rc = fs_stored_object(&fs->state, raw, &fs->bytes, d);

	if (rc < 0)
		return -1;
	if (rc == 0 || !effect_content(&fs->effect, &fs->bytes, s->without, content))
		return not_undoable(s, d);
	memcpy(raw, written.s, HEX_LEN);
	*to = *s;
	to->raw = (struct text){ raw, HEX_LEN };
	to->after = (struct text){ content, HEX_LEN };
	to->backup_suffix.n = 0; /* it stays until the rollback has ended */
	v->plan.nstep++;
	return 0;
}

static int of_rollback(struct fs_inverse *v, struct fs *fs, const struct plan *p, struct diag *d)
{
	struct buf line = BUF_INIT;
	struct doc e = DOC_INIT;
	int found = read_commit(fs, p, &line, &e, d), rc = found < 0 ? -1 : 0;
	uint32_t list = found == 1 ? doc_member(&e, 0, "written", 7) : DOC_NONE;
	uint32_t t = list + 1;
	bool known = list != DOC_NONE && e.tok[list].type == DOC_ARRAY && e.tok[list].n == p->nstep;

	/* the plan that it undoes has the same documents, the other way round */
	v->plan.nstep = 0;
	for (size_t i = p->nstep; i-- > 0 && rc == 0; t = known ? e.tok[t].next : 0) {
		const struct step *s = &p->step[i];

		if (known && e.tok[t].type == DOC_STRING && e.tok[t].len == HEX_LEN + 2)
			rc = turn(v, fs, s, (struct text){ e.text + e.tok[t].off + 1, HEX_LEN }, d);
		else if ((rc = is_restored(fs, s, d)) == 1)
			rc = not_undoable(s, d);
	}
	doc_release(&e);
	buf_release(&line);
	return rc;
}

int fs_inverse_init(struct fs_inverse *v, struct fs *fs, const struct plan *p, struct diag *d)
{
	*v = (struct fs_inverse){ .plan = *p };
	v->step = xcalloc(p->nstep, sizeof *v->step);
	v->hex = xcalloc(p->nstep, sizeof *v->hex);
	v->plan.step = v->step;
	if (p->rollback_mode)
		return of_rollback(v, fs, p, d);
	of_forward(v, p);
	return 0;
}

void fs_inverse_release(struct fs_inverse *v)
{
	free(v->step);
	free(v->hex);
	*v = (struct fs_inverse)FS_INVERSE_INIT;
}

const struct step *fs_inverse_step(const struct fs_inverse *v, int64_t index)
{
	for (size_t i = 0; i < v->plan.nstep; i++)
		if (v->step[i].index == index)
			return &v->step[i];
	return NULL;
}
