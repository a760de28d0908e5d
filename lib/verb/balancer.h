/*
 * balancer.h -- the balance of the rows in streams of records.
 *
 * Floor 12.  Pure.
 */
#ifndef MIG_BALANCER_H
#define MIG_BALANCER_H

#include "balance.h"
#include "io.h"

/*
 * Add the rows in the records of fd, which findings call name: documents,
 * changes that put, and the puts of plans and permits; other records have none.
 * 0, or -1 after a finding: MIG_USAGE for what is no record, MIG_INVALID
 * "no_row" for a change to a document.
 */
int balancer_add(struct balance *b, int fd, const char *name, struct diag *d);

/* Write a line an entity, in their order: "HASH  225  posts", or as JSON. */
int balancer_put(const struct balance *b, bool json, struct out *out);

#endif
