/*
 * descriptor.h -- what a domain endpoint says its data are: entities with attributes, links, rooms.
 *
 * Floor 7.  Either the answer of the endpoint, whose "schema" counts, or that
 * schema by itself, as InstantDB writes it:
 *
 *	{"entities":{"notes":{"attrs":{"title":{"valueType":"string","required":true,
 *	                                        "config":{"indexed":true,"unique":false}}}}},
 *	 "links":{"notesAuthor":{"forward":{"on":"notes","has":"one","label":"author"},
 *	                         "reverse":{"on":"users","has":"many","label":"notes"}}},
 *	 "rooms":{}}
 */
#ifndef MIG_DESCRIPTOR_H
#define MIG_DESCRIPTOR_H

#include "record.h"

enum thing_kind { THING_ENTITY, THING_ROOM, THING_ATTR, THING_LINK };

struct thing {
	enum thing_kind kind;
	char *entity, *label; /* label: "" of an entity or a room, whose name is entity */
	char *type;           /* an attribute's value type, else NULL */
	char *shape;          /* a link's, for people: "one users, back as users.notes: many"; else NULL */
	char *rest;           /* all else that it says, to be compared; a link's ends are in here */
	char *text;           /* its definition, canonical */
	bool required, unique, indexed;
	bool implied;         /* the id that every entity has */
};

struct descriptor {
	struct thing *v;      /* by entity, label and kind */
	size_t n, cap;
	char hash[HEX_SIZE];  /* of its canonical schema */
};

#define DESCRIPTOR_INIT { .v = NULL }

/*
 * Read the value at token t; where names it in findings: 0, or -1 after MIG_INVALID "bad_descriptor".
 * What has not the shape above is refused, so that a descriptor that was not
 * understood is not taken for one that declares nothing.
 */
int descriptor_read(struct descriptor *x, const struct doc *doc, uint32_t t, const char *where, struct diag *d);
void descriptor_release(struct descriptor *x);

/* Which comes first, by entity, label and kind. */
int thing_compare(const struct thing *a, const struct thing *b);

#endif
