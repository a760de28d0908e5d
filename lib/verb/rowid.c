/* rowid.c -- see rowid.h */
#include "rowid.h"

#include "rowref.h"

bool rowid_read(const struct doc *d, uint32_t t, struct buf *b)
{
	size_t n;
	const char *s = doc_span(d, t, &n);

	if (d->tok[t].type == DOC_STRING)
		doc_string(d, t, b);
	else if (d->tok[t].type == DOC_NUMBER && d->tok[t].flags & DOC_INTEGER)
		buf_add(b, s, n);
	else
		return false;
	return true;
}

static void name_uuid(const struct targets *all, const struct target *to, struct text id,
                      unsigned char uuid[UUID_BYTES])
{
	struct buf name = BUF_INIT;

	buf_addf(&name, "%s/", to->entity);
	buf_add(&name, id.s, id.n);
	uuid_v5(all->space, (struct text){ name.s, name.len }, uuid);
	buf_release(&name);
}

bool rowid_fit(const struct targets *all, const struct target *to, struct buf *b, size_t at)
{
	unsigned char uuid[UUID_BYTES];
	char spelled[UUID_SIZE];
	struct text id = { b->s + at, b->len - at };

	if (!rowref_id_valid(id))
		return false;
	if (!to || !to->uuid)
		return true;
	if (!uuid_read(id, uuid)) {
		if (!to->named)
			return false;
		name_uuid(all, to, id, uuid);
	}
	uuid_write(uuid, spelled);
	buf_setlen(b, at);
	buf_addstr(b, spelled);
	return true;
}
