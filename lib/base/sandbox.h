/*
 * sandbox.h -- give up what a filter has no more use for.
 *
 * Floor 2.  Holds for the whole process and cannot be taken back.  What is open
 * stays usable, so that everything a filter needs is opened first.  By Landlock
 * where the kernel has it; a kernel without it is no finding, one that has it
 * and fails is MIG_ERROR "sandbox_failed".  Builds with MIG_SAN do nothing here:
 * the leak checker reads /proc.
 *
 * What can still be opened, or otherwise reached by its name:
 *
 *	sandbox_pure     nothing
 *	sandbox_reading  every file, for reading
 *	sandbox_tree     what is below one folder, or some, for reading or for writing, too
 *	sandbox_root     what is below one folder
 *	sandbox_client   every file, for reading, one folder for writing, and servers by TCP
 *
 * By none of the others can TCP be spoken, by none at all a port be opened, nor a process outside be sent a signal.
 * Who writes below a folder may still do there what its user may, but make devices.
 */
#ifndef MIG_SANDBOX_H
#define MIG_SANDBOX_H

#include "diag.h"

#include <stdbool.h>

/* No new descriptor of any kind, no change to a file system by name. */
int sandbox_pure(struct diag *d);

/* Files may still be opened, for reading only. */
int sandbox_reading(struct diag *d);

/* Only what is below the folder dir, and that for reading only unless writes. */
int sandbox_tree(int dir, bool writes, struct diag *d);

/* The same for at most three folders. */
int sandbox_trees(const int *dirs, size_t n, bool writes, struct diag *d);

/*
 * As sandbox_tree for who writes.  Where the process may, dir becomes the root of
 * all names and the working folder, and of root's capabilities those over files
 * are left: the kernel then has nothing to look for in each call.  A link leads
 * elsewhere then, so that this is for who follows none.
 */
int sandbox_root(int dir, struct diag *d);

/*
 * Servers may be spoken to, files read (who resolves a name does), and what is below the folder dir
 * written; dir -1: nothing.  sandbox_pure can follow.
 */
int sandbox_client(int dir, struct diag *d);

#endif
