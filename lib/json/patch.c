/* patch.c -- see patch.h; patch_diff is in diff.c */
#include "patch.h"

#include "canon.h"
#include "overlay.h"
#include "pointer.h"

enum verb { ADD, REMOVE, REPLACE, MOVE, COPY, TEST };

struct op {
	enum verb verb;
	struct text path, from;
	uint32_t value; /* token, or DOC_NONE */
};

/* What each operation has besides "op" and "path". */
static const struct {
	const char *name;
	bool value, from;
} verbs[] = {
	[ADD] = { "add", true, false },
	[REMOVE] = { "remove", false, false },
	[REPLACE] = { "replace", true, false },
	[MOVE] = { "move", false, true },
	[COPY] = { "copy", false, true },
	[TEST] = { "test", true, false },
};

/* ---- reading operations ---- */

static const char *read_verb(const struct doc *d, uint32_t t, struct op *op)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (doc_equals(d, t, verbs[i].name, strlen(verbs[i].name))) {
			op->verb = (enum verb)i;
			return NULL;
		}
	}
	return "\"op\" is not add, remove, replace, move, copy or test";
}

static const char *read_pointer(struct overlay *o, const struct doc *d, uint32_t t, struct text *p)
{
	if (d->tok[t].type != DOC_STRING)
		return "\"path\" and \"from\" must be strings";
	*p = overlay_string(o, d, t);
	return pointer_valid(p->s, p->n) ? NULL : "a path is not a JSON pointer";
}

/* NULL, or what is wrong with the operation. */
static const char *read_op(struct overlay *o, const struct doc *d, uint32_t t, struct op *op)
{
	uint32_t verb = DOC_NONE, path = DOC_NONE, from = DOC_NONE;
	const char *why;

	op->value = DOC_NONE;
	if (d->tok[t].type != DOC_OBJECT)
		return "it is not an object";
	for (uint32_t k = t + 1; k < d->tok[t].next; k = d->tok[k + 1].next) {
		if (doc_equals(d, k, "op", 2))
			verb = k + 1;
		else if (doc_equals(d, k, "path", 4))
			path = k + 1;
		else if (doc_equals(d, k, "from", 4))
			from = k + 1;
		else if (doc_equals(d, k, "value", 5))
			op->value = k + 1;
		else
			return "it has a member other than op, path, from and value";
	}
	if (verb == DOC_NONE || path == DOC_NONE)
		return "\"op\" or \"path\" is missing";
	if ((why = read_verb(d, verb, op)) || (why = read_pointer(o, d, path, &op->path)))
		return why;
	if ((op->value != DOC_NONE) != verbs[op->verb].value)
		return verbs[op->verb].value ? "\"value\" is missing" : "\"value\" does not belong to it";
	if ((from != DOC_NONE) != verbs[op->verb].from)
		return verbs[op->verb].from ? "\"from\" is missing" : "\"from\" does not belong to it";
	return from != DOC_NONE ? read_pointer(o, d, from, &op->from) : NULL;
}

int patch_facts(const struct doc *patch, uint32_t ops, struct patch_facts *f, const char *where,
                struct diag *d)
{
	struct overlay o; /* for its strings */
	const char *why = NULL;
	size_t n = 0;

	*f = (struct patch_facts){ 0 };
	if (patch->tok[ops].type != DOC_ARRAY)
		return diag_add(d, MIG_USAGE, "bad_patch", where, "a patch must be an array of operations");
	overlay_init(&o, patch);
	for (uint32_t t = ops + 1; !why && t < patch->tok[ops].next; t = patch->tok[t].next) {
		struct op op;

		n++;
		if ((why = read_op(&o, patch, t, &op)))
			break;
		f->nadd += op.verb == ADD || op.verb == COPY;
		f->nremove += op.verb == REMOVE;
		f->nreplace += op.verb == REPLACE;
		f->nmove += op.verb == MOVE;
	}
	overlay_release(&o);
	if (why)
		return diag_add(d, MIG_USAGE, "bad_patch", where, "operation %zu: %s", n, why);
	return 0;
}

bool patch_is_diff(const struct doc *patch, uint32_t ops)
{
	struct op op = { .verb = COPY };
	uint32_t t = ops + 1;

	while (t < patch->tok[ops].next && !read_verb(patch, doc_member(patch, t, "op", 2), &op) && op.verb < COPY)
		t = patch->tok[t].next;
	return t == patch->tok[ops].next;
}

/* ---- finding the place ---- */

struct splice {
	struct overlay o;
	bool replay;         /* do nothing that patch_diff never writes */
	const char *why;     /* the first thing that went wrong */
};

/* Split the first reference token off a path. */
static struct text next_name(struct splice *s, struct text *path)
{
	const char *from = path->s + 1, *end = path->s + path->n;
	const char *slash = memchr(from, '/', (size_t)(end - from));
	struct text name = { from, (size_t)((slash ? slash : end) - from) };

	if (memchr(name.s, '~', name.n)) {
		buf_reset(&s->o.room);
		pointer_next(&path->s, &path->n, &s->o.room);
		return (struct text){ arena_copy(&s->o.mem, s->o.room.s, s->o.room.len), s->o.room.len };
	}
	path->s = name.s + name.n;
	path->n = (size_t)(end - path->s);
	return name;
}

static void *wrong(struct splice *s, const char *why)
{
	s->why = why;
	return NULL;
}

/* The element that name stands for, up to limit. */
static bool find_index(struct splice *s, struct text name, uint32_t limit, uint32_t *i)
{
	size_t at;

	if (!pointer_index(name.s, name.n, &at)) {
		wrong(s, "an array has no element of that name");
		return false;
	}
	if (at >= limit) {
		wrong(s, "the index is past the end of the array");
		return false;
	}
	*i = (uint32_t)at;
	return true;
}

static struct value *find_child(struct splice *s, struct value *v, struct text name)
{
	struct box *b = overlay_open(&s->o, v);
	uint32_t i;

	if (!b)
		return wrong(s, "the path leads through a value that is no object or array");
	if (!b->object)
		return find_index(s, name, b->n, &i) ? &box_element(b, i)->v : NULL;
	struct slot *m = box_member(&s->o, b, name);

	return m ? &m->v : wrong(s, "there is no such member");
}

/* The value that holds the last reference token of path, and that token's characters; NULL with s->why. */
static struct value *find_holder(struct splice *s, struct text path, struct text *last)
{
	struct value *v = &s->o.root;

	for (*last = next_name(s, &path); v && path.n > 0; *last = next_name(s, &path))
		v = find_child(s, v, *last);
	return v;
}

static struct value *find_value(struct splice *s, struct text path)
{
	struct text last;

	if (path.n == 0)
		return &s->o.root;
	struct value *holder = find_holder(s, path, &last);

	return holder ? find_child(s, holder, last) : NULL;
}

/* ---- the operations: each is 0, or -1 with s->why ---- */

static int add(struct splice *s, struct text path, struct value v)
{
	struct text last;
	uint32_t i;

	if (path.n == 0) {
		if (s->replay) {
			wrong(s, "the whole document would be replaced");
			return -1;
		}
		s->o.root = v;
		return 0;
	}
	struct value *holder = find_holder(s, path, &last);

	if (!holder)
		return -1;
	struct box *b = overlay_open(&s->o, holder);

	if (!b) {
		wrong(s, "the path leads through a value that is no object or array");
		return -1;
	}
	if (b->object) {
		if (s->replay && box_member(&s->o, b, last)) {
			wrong(s, "there is such a member already: it would be replaced unseen");
			return -1;
		}
		box_put(&s->o, b, last, v);
		return 0;
	}
	if (last.n == 1 && *last.s == '-')
		i = b->n;
	else if (!find_index(s, last, b->n + 1, &i))
		return -1;
	box_insert(&s->o, b, i, v);
	return 0;
}

static int take(struct splice *s, struct text path, struct value *v)
{
	struct text last;
	uint32_t i;

	if (path.n == 0) {
		wrong(s, "the whole document cannot be taken away");
		return -1;
	}
	struct value *holder = find_holder(s, path, &last);
	struct value *child = holder ? find_child(s, holder, last) : NULL;

	if (!child)
		return -1;
	*v = *child;
	if (holder->box->object)
		box_drop(holder->box, box_member(&s->o, holder->box, last));
	else if (find_index(s, last, holder->box->n, &i))
		box_remove(holder->box, i);
	return 0;
}

static int replace(struct splice *s, struct text path, struct value v)
{
	struct value *old = find_value(s, path);

	if (!old)
		return -1;
	if (s->replay && old->d->tok[old->t].type == DOC_OBJECT && v.d->tok[v.t].type == DOC_OBJECT) {
		wrong(s, "an object would be replaced as a whole, not member by member");
		return -1;
	}
	*old = v;
	return 0;
}

/* A move inside one object, where the member may stay in its place. */
static bool rename_member(struct splice *s, struct text from, struct text path)
{
	const char *slash = memrchr(from.s, '/', from.n);
	size_t n = slash ? (size_t)(slash - from.s) : 0;
	struct text last, tail = { path.s + n, path.n - n };

	if (!slash || path.n <= n || path.s[n] != '/' || memcmp(path.s, from.s, n) != 0 ||
	    memchr(tail.s + 1, '/', tail.n - 1))
		return false;
	struct value *holder = find_holder(s, from, &last);
	struct box *b = holder ? overlay_open(&s->o, holder) : NULL;
	struct slot *m = b && b->object ? box_member(&s->o, b, last) : NULL;

	return m && box_rename(&s->o, b, m, next_name(s, &tail));
}

static int move(struct splice *s, struct text from, struct text path)
{
	struct value v;

	if (path.n == from.n && memcmp(path.s, from.s, from.n) == 0)
		return find_value(s, from) ? 0 : -1;
	if (path.n > from.n && memcmp(path.s, from.s, from.n) == 0 && path.s[from.n] == '/') {
		wrong(s, "a value cannot move into itself");
		return -1;
	}
	if (rename_member(s, from, path))
		return 0;
	return take(s, from, &v) < 0 ? -1 : add(s, path, v);
}

static int copy(struct splice *s, struct text from, struct text path)
{
	const struct value *old = find_value(s, from);
	struct value v;

	if (!old)
		return -1;
	if (overlay_copy(&s->o, old, &v) < 0) {
		wrong(s, "the copy would be too large");
		return -1;
	}
	return add(s, path, v);
}

/* The canonical text of a value that may be anywhere. */
static int canonical_text(struct splice *s, const struct value *v, struct buf *out)
{
	struct doc d = DOC_INIT;
	struct buf text = BUF_INIT;
	int e = 0;

	if (!v->box) {
		canon_value(out, v->d, v->t, DOC_NONE);
		return 0;
	}
	if (overlay_write_value(&s->o, v, &text) < 0 || doc_parse(&d, text.s, text.len, RECORD_MAX_DEPTH) < 0)
		e = -1;
	else
		canon_value(out, &d, 0, DOC_NONE);
	doc_release(&d);
	buf_release(&text);
	return e;
}

static int test(struct splice *s, struct text path, struct value expected)
{
	const struct value *v = find_value(s, path);
	struct buf a = BUF_INIT, b = BUF_INIT;

	if (!v)
		return -1;
	if (canonical_text(s, v, &a) < 0 || canonical_text(s, &expected, &b) < 0)
		wrong(s, "the value is too large to compare");
	else if (a.len != b.len || memcmp(a.s, b.s, a.len) != 0)
		wrong(s, "the value is another one");
	buf_release(&a);
	buf_release(&b);
	return s->why ? -1 : 0;
}

static int run_op(struct splice *s, const struct doc *d, const struct op *op)
{
	struct value v = { .d = d, .t = op->value };

	if (s->replay && op->verb >= COPY) {
		wrong(s, "it is not of the kinds that a difference is made of");
		return -1;
	}
	switch (op->verb) {
	case ADD:
		return add(s, op->path, v);
	case REMOVE:
		return take(s, op->path, &v);
	case REPLACE:
		return replace(s, op->path, v);
	case MOVE:
		return move(s, op->from, op->path);
	case COPY:
		return copy(s, op->from, op->path);
	case TEST:
		return test(s, op->path, v);
	}
	return -1;
}

/* A path for people: on one line, and not too long. */
static void add_path(struct buf *out, struct text path)
{
	struct buf quoted = BUF_INIT;
	size_t n;

	if (path.n == 0) {
		buf_addstr(out, "the root");
		return;
	}
	canon_string(&quoted, path.s, path.n);
	for (n = quoted.len - 2; n > 200 || ((unsigned char)quoted.s[n + 1] & 0xC0) == 0x80; n--)
		; /* not inside a character */
	buf_add(out, quoted.s + 1, n);
	if (n < quoted.len - 2)
		buf_addstr(out, "...");
	buf_release(&quoted);
}

/* "operation 3, remove /a/b: there is no such member" */
static int failed(struct splice *s, size_t n, const struct op *op, const char *where, struct diag *d)
{
	struct buf what = BUF_INIT;

	if (verbs[op->verb].from) {
		add_path(&what, op->from);
		buf_addstr(&what, " to ");
	}
	add_path(&what, op->path);
	diag_add(d, MIG_INVALID, "patch_failed", where, "operation %zu, %s %s: %s", n, verbs[op->verb].name,
	         what.s, s->why);
	buf_release(&what);
	return -1;
}

static int run_list(struct splice *s, const struct patch_list *l, size_t *n, const char *where,
                    struct diag *d)
{
	const struct doc *p = l->doc;
	const char *why;

	if (p->tok[l->ops].type != DOC_ARRAY)
		return diag_add(d, MIG_INVALID, "patch_failed", where,
		                "a patch must be an array of operations");
	for (uint32_t t = l->ops + 1; t < p->tok[l->ops].next; t = p->tok[t].next) {
		struct op op;

		++*n;
		if ((why = read_op(&s->o, p, t, &op)))
			return diag_add(d, MIG_INVALID, "patch_failed", where, "operation %zu: %s", *n, why);
		if (run_op(s, p, &op) < 0)
			return failed(s, *n, &op, where, d);
	}
	return 0;
}

static int splice(const struct doc *src, const struct patch_list *lists, size_t n, bool replay, struct buf *out,
                  const char *where, struct diag *d)
{
	struct splice s; /* overlay_init leaves its arena's 16 KB alone: zeroing them costs more than the splice */
	size_t start = out->len, nops = 0;
	int e = 0;

	s.why = NULL;
	s.replay = replay;
	overlay_init(&s.o, src);
	for (size_t i = 0; i < n && e == 0; i++)
		e = run_list(&s, &lists[i], &nops, where, d);
	if (e == 0 && overlay_write(&s.o, out) < 0) {
		e = diag_add(d, MIG_INVALID, "patch_failed", where, "the result is too deep or too long");
		buf_setlen(out, start);
	}
	overlay_release(&s.o);
	return e;
}

int patch_splice(const struct doc *src, const struct patch_list *lists, size_t n, struct buf *out,
                 const char *where, struct diag *d)
{
	return splice(src, lists, n, false, out, where, d);
}

int patch_replay(const struct doc *src, const struct patch_list *lists, size_t n, struct buf *out,
                 const char *where, struct diag *d)
{
	return splice(src, lists, n, true, out, where, d);
}
