/*
 * bundle-files.h -- the files below some folders, with their hashes.
 *
 * Floor 3.  No link is followed.
 */
#ifndef MIG_BUNDLE_FILES_H
#define MIG_BUNDLE_FILES_H

#include "diag.h"
#include "digest.h"

struct bundle_file {
	char *path; /* "datasets/documents.ndjson" */
	int64_t size;
	char sha256[HEX_SIZE];
	bool listed; /* for whoever compares */
};

struct bundle_files {
	struct bundle_file *v; /* by path, bytewise */
	size_t n, cap;
};

/*
 * Read all files below the folder name of dir, which need not be there, and add
 * them: 0, or -1 after findings: MIG_INVALID "bundle_not_regular" for whatever is
 * neither file nor folder, "bundle_name" for a name that is no plain UTF-8.
 */
int bundle_files_read(struct bundle_files *f, int dir, const char *name, struct diag *d);
void bundle_files_release(struct bundle_files *f);

/* Put them in order, once all are there; find one, or NULL. */
void bundle_files_sort(struct bundle_files *f);
struct bundle_file *bundle_files_find(const struct bundle_files *f, const char *path);

/* Open a regular file below dir, not through a link at its end: a descriptor, or -1 and errno (ELOOP for a link). */
int bundle_open(int dir, const char *path);

#endif
