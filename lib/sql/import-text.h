/*
 * import-text.h -- the two directions that dbmate and goose keep in one file.
 *
 * Floor 3.
 *
 *	-- migrate:up transaction:false		-- +goose NO TRANSACTION
 *	CREATE ..;				-- +goose Up
 *	-- migrate:down				CREATE ..;
 *	DROP ..;				-- +goose Down
 */
#ifndef MIG_IMPORT_TEXT_H
#define MIG_IMPORT_TEXT_H

#include "buf.h"
#include "diag.h"
#include "import-name.h"

struct import_text {
	struct buf up, down;
	bool has_down;
};

/*
 * Part the n bytes at s, of the file where, into t, which is empty.  Each part
 * begins with "-- mig:transaction=none" if the file says so.  0, or -1 after a
 * finding of MIG_INVALID "bad_script" with the line.
 */
int import_text_read(struct import_text *t, enum import_tool tool, const char *s, size_t n, const char *where,
                     struct diag *d);

#endif
