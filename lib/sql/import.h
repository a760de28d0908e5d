/*
 * import.h -- folders of other tools' migrations, read as they are.
 *
 * Floor 9.
 */
#ifndef MIG_IMPORT_H
#define MIG_IMPORT_H

#include "import-name.h"
#include "split.h"

/* One of them, with the texts of the scripts that it becomes. */
struct import_hop {
	char *file;    /* where its way up comes from, or else its way down */
	char *from, *to;
	char *title;
	struct buf up, down;
	bool has_up, has_down;
	bool repeatable;
};

struct import {
	struct import_hop *hop; /* in order; each from where the last one led */
	size_t n, cap;
};

#define IMPORT_INIT { NULL, 0, 0 }

/*
 * Read the folder dir.  dialect, if not NULL, is the one that the scripts must
 * split by.  0, or -1 after findings, which name the file: MIG_PRECONDITION
 * "missing_source", MIG_INVALID "bad_name", "duplicate_version", "missing_up",
 * "bad_script", "placeholder", "no_migrations".  Warnings: "gap",
 * "repeatable", "folder".
 */
int import_read(struct import *im, enum import_tool tool, const char *dir, const enum dialect *dialect, struct diag *d);
void import_release(struct import *im);

#endif
