/*
 * fs-scan.h -- the documents of a folder, one after the other, or one by ref.
 *
 * Floor 11.  Follows no links, hangs on no fifo, keeps one folder's matching
 * names a level in memory.
 */
#ifndef MIG_FS_SCAN_H
#define MIG_FS_SCAN_H

#include "fs-root.h"
#include "store.h"

/* See the scan of store.h. */
int fs_scan(const struct fs_root *r, char *const *globs, int (*each)(void *arg, const struct store_doc *doc),
            void *arg, struct diag *d);

/* See the read of store.h; bytes is room that is kept from call to call. */
int fs_read(const struct fs_root *r, struct text ref, struct buf *bytes, struct store_doc *doc, struct diag *d);

#endif
