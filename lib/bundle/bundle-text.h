/*
 * bundle-text.h -- what a bundle holds, and how bundle.json says it.
 *
 * Floor 9.
 */
#ifndef MIG_BUNDLE_TEXT_H
#define MIG_BUNDLE_TEXT_H

#include "bundle-files.h"
#include "bundle-stage.h"

struct bundle_contents {
	enum bundle_kind kind;
	struct bundle_files files;
	struct bundle_facts facts[BUNDLE_STAGES]; /* of the kind's stages, in order */
};

/* The files below the folders of c's kind: 0, or -1 after findings. */
int bundle_contents_list(struct bundle_contents *c, int dir, struct diag *d);

/* What the streams among them say, and whether each is of the one before: 0, or -1 after findings. */
int bundle_contents_read(struct bundle_contents *c, int dir, struct diag *d);
void bundle_contents_release(struct bundle_contents *c);

/* The number of a stage's files that are not empty. */
size_t bundle_contents_has(const struct bundle_contents *c, const struct bundle_stage *s);

/* Append the text of bundle.json, without LF, and give its bundle_hash. */
void bundle_text(struct buf *out, const struct bundle_contents *c, char hash[HEX_SIZE]);

#endif
