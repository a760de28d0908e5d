/*
 * redact-doc.h -- what a program says of a document, without the document's secrets.
 *
 * Floor 5.
 */
#ifndef MIG_REDACT_DOC_H
#define MIG_REDACT_DOC_H

#include "doc.h"

/*
 * Hide in text what stands in d below the name of a secret, also where jq cut
 * it short ("hunter2-an..."): texts and numbers of at least four characters.
 */
void redact_doc(struct buf *text, const struct doc *d);

/* Is what stands under the member's name at token key a secret? */
bool redact_member(const struct doc *d, uint32_t key);

#endif
