/* docfile.c -- see docfile.h */
#include "docfile.h"

int docfile_read(struct docfile *f, const char *path, const char *missing, struct diag *d)
{
	if (io_read_file(path, &f->text, missing, d) < 0)
		return -1;
	if (f->text.len && doc_parse(&f->doc, f->text.s, f->text.len, DOC_MAX_DEPTH) == 0)
		return 0;
	return diag_add(d, MIG_INVALID, "bad_json", path, "line %zu, column %zu: %s", f->text.len ? f->doc.err.line : 1,
	                f->text.len ? f->doc.err.column : 1, f->text.len ? f->doc.err.reason : "nothing there");
}

void docfile_release(struct docfile *f)
{
	buf_release(&f->text);
	doc_release(&f->doc);
}
