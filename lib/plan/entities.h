/*
 * entities.h -- the entities of a stream of rows, and which must be there before which.
 *
 * Floor 2.  A row that leads to another comes after it, as far as its entity's
 * links go round in no circle.
 */
#ifndef MIG_ENTITIES_H
#define MIG_ENTITIES_H

#include "base.h"
#include "text.h"

struct entity {
	char *name;
	size_t *to; /* the entities that its rows lead to */
	size_t nto;
};

struct entities {
	struct entity *v; /* in the order in which they came */
	size_t n, cap, last;
};

void entities_release(struct entities *e);

/* The place of a name, which is added where it is new. */
size_t entities_find(struct entities *e, struct text name);

/* Rows of entity from lead to rows of entity to. */
void entities_link(struct entities *e, size_t from, size_t to);

/*
 * The places of all entities in their order, a new array: what others lead to
 * comes first, among equals the smaller name.  Where they lead round in a
 * circle, the smallest name in it is taken first.
 */
size_t *entities_order(const struct entities *e);

#endif
