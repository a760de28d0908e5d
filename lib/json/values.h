/*
 * values.h -- JSON values one after the other from an fd, separated by white space.
 *
 * Floor 4.  Memory is that of the largest value.
 */
#ifndef MIG_VALUES_H
#define MIG_VALUES_H

#include "doc.h"
#include "io.h"

struct values {
	int fd;
	const char *name;  /* of the file, for findings; borrowed */
	struct doc doc;    /* the value handed out last */
	size_t line;       /* where it begins, from 1 */
	/* private */
	struct buf b;
	size_t pos, scan, depth;
	size_t before;     /* bytes of its line that stand before pos */
	size_t end;        /* of the value handed out last */
	bool eof, in_string, restore;
	char saved[BUF_PAD];
};

void values_init(struct values *v, int fd, const char *name);
void values_release(struct values *v);

/*
 * Index the next value in v->doc.  1: a value; 0: there is none left; -1: a
 * finding, MIG_USAGE "not_json" with file, line, column and pointer, or MIG_ERROR.
 */
int values_next(struct values *v, struct diag *d);

#endif
