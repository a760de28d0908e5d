/* fs-inverse.c -- see fs-inverse.h */
#include "fs-inverse.h"

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

/* The commit of the plan that p undoes: 0, or -1. */
static int read_commit(struct fs *fs, const struct plan *p, struct buf *line, struct doc *e, struct diag *d)
{
	char undoes[HEX_SIZE];

	if (p->undoes.n != HEX_LEN)
		return -1;
	memcpy(undoes, p->undoes.s, HEX_LEN);
	undoes[HEX_LEN] = '\0';
	const struct ledger_mark *m = ledger_find(&fs->ledger, undoes, "commit", d);

	if (!m || ledger_entry(&fs->ledger, m, line, d) < 0)
		return -1;
	return doc_parse(e, line->s, line->len, RECORD_MAX_DEPTH);
}

/* Are the document's bytes those that the rollback restores? */
static bool is_restored(struct fs *fs, const struct step *s)
{
	struct diag unseen = DIAG_INIT;
	struct buf path = BUF_INIT;
	char is[HEX_SIZE];
	struct stat st;
	int fd = fs_path(&path, s->ref, &unseen) == 0 ? fs_open(&fs->root, fs->root.fd, path.s, O_RDONLY, 0) : -1;
	bool same = false;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    fs_read_all(fd, &fs->bytes, (size_t)st.st_size) == 0) {
		digest_hex(fs->bytes.s, fs->bytes.len, is);
		same = text_is(s->raw, is);
	}
	if (fd >= 0)
		close(fd);
	buf_release(&path);
	diag_release(&unseen);
	return same;
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
	if (fs_state_object(&fs->state, raw, &fs->bytes, d) != 1 ||
	    !effect_content(&fs->effect, &fs->bytes, s->without, content))
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
	uint32_t list = read_commit(fs, p, &line, &e, d) == 0 ? doc_member(&e, 0, "written", 7) : DOC_NONE;
	uint32_t t = list + 1;
	bool known = list != DOC_NONE && e.tok[list].type == DOC_ARRAY && e.tok[list].n == p->nstep;
	int rc = 0;

	/* the plan that it undoes has the same documents, the other way round */
	v->plan.nstep = 0;
	for (size_t i = p->nstep; i-- > 0 && rc == 0; t = known ? e.tok[t].next : 0) {
		const struct step *s = &p->step[i];

		if (known && e.tok[t].type == DOC_STRING && e.tok[t].len == HEX_LEN + 2)
			rc = turn(v, fs, s, (struct text){ e.text + e.tok[t].off + 1, HEX_LEN }, d);
		else if (is_restored(fs, s))
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
