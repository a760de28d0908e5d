/* backups.c -- see backups.h */
#include "backups.h"

#include "fs-root.h"

#include <stdlib.h>
#include <string.h>

/* Can what the glob matches end with the suffix?  Not where its own end is another text: manifest.json, .bak */
static bool may_end_with(const char *glob, const char *suffix)
{
	const char *end = glob + strlen(glob), *s = suffix + strlen(suffix);

	while (end > glob && s > suffix && end[-1] != '*' && end[-1] != '?')
		if (*--end != *--s)
			return false;
	return true;
}

static bool any_ends_with(char *const *globs, const char *suffix)
{
	while (*globs && !may_end_with(*globs, suffix))
		globs++;
	return *globs != NULL;
}

void backups_init(struct backups *b, const struct set *s)
{
	bool any = s->backup_suffix && any_ends_with(s->match, s->backup_suffix);

	*b = (struct backups){ .suffix = any ? s->backup_suffix : NULL, .path = BUF_INIT };
	if (!b->suffix)
		return;
	glob_init(&b->glob, s->match);
	b->on = xmalloc(b->glob.n);
	b->next = xmalloc(b->glob.n);
}

void backups_release(struct backups *b)
{
	if (b->suffix)
		glob_release(&b->glob);
	free(b->on);
	free(b->next);
	buf_release(&b->path);
}

int backups_check(struct backups *b, struct text ref, struct diag *d)
{
	if (!b->suffix)
		return 0;
	buf_reset(&b->path);
	if (fs_path(&b->path, ref, d) < 0)
		return -1;
	buf_addstr(&b->path, b->suffix);
	glob_start(&b->glob, b->on);
	if (!glob_step(&b->glob, b->on, b->path.s, b->path.len, b->next) || !glob_accepts(&b->glob, b->next))
		return 0;
	char *where = xasprintf("%.*s", (int)ref.n, ref.s);

	diag_add(d, MIG_INVALID, "bad_set", where,
	         "its backup, %s%s, would be a document of the set, too: change backup_suffix or match", where,
	         b->suffix);
	free(where);
	return -1;
}
