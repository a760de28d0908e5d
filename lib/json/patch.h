/*
 * patch.h -- the difference of two documents, and its application.
 *
 * Floor 5.  Patches are RFC 6902 in canonical JSON.  They are applied by
 * splicing new text into the source's bytes, so that whatever a patch does not
 * touch keeps its order, spelling, escapes and white space to the byte.
 */
#ifndef MIG_PATCH_H
#define MIG_PATCH_H

#include "diag.h"
#include "doc.h"

/* What the operations of a patch do, for those who judge it. */
struct patch_facts {
	size_t nadd, nremove, nreplace, nmove;
};

/*
 * Append to patch the RFC 6902 operations (a canonical JSON array) that turn
 * before into after, and to undo those that turn it back, in reverse order:
 * splicing patch into before gives after to the byte, splicing undo into after
 * gives before.  Both documents must be canonical (d->canonical); their root
 * values are compared.  Equal documents give "[]" twice.  Deterministic.
 *
 * Order: members in document order, then removed objects that something was
 * moved out of, then the elements of each array, from its last index to its first.
 *
 * Moves: a member that is removed and one that is added with an equal value,
 * also as a member of objects inside a removed or added one, longest values
 * first; each once, in order of occurrence, those of the same object first,
 * then those of the same name, then any.  A value of fewer than 6 bytes is not
 * recognised under another name in another object, nor if both ends are inside
 * larger ones.  Array elements never move.
 *
 * Arrays: by longest common subsequence; where elements go and others come,
 * they are compared pair by pair.  One replace of the array past 4096 differing
 * elements, or if the subsequence leaves out more than that of both sides together.
 */
void patch_diff(const struct doc *before, const struct doc *after, struct buf *patch, struct buf *undo);

/*
 * Append to out the text of src after the operations of the array token ops of
 * patch, in their order (RFC 6902 section 4: add, remove, replace, move, copy,
 * test).  What is added follows the style around it: indentation, white space
 * after colons and commas, sorted members; in a canonical src the result is canonical.
 * A moved value keeps its spelling, whatever it is moved into; a member renamed
 * in an object whose members are in no order keeps its place.
 * With more than one list of operations, the second goes on where the first
 * ended: n lists in order.  0, or -1 after a finding of MIG_INVALID
 * "patch_failed" at where that names the operation; out is then as it was.
 */
struct patch_list {
	const struct doc *doc;
	uint32_t ops; /* the array token */
};
int patch_splice(const struct doc *src, const struct patch_list *lists, size_t n, struct buf *out,
                 const char *where, struct diag *d);

/*
 * As patch_splice, for patches that patch_diff wrote: also fails where an
 * operation does what those never do, so that content would go which nobody
 * sees in the patch: an add or a move onto a member that is there or onto the
 * root, an object in the place of another, a copy, a test.
 */
int patch_replay(const struct doc *src, const struct patch_list *lists, size_t n, struct buf *out,
                 const char *where, struct diag *d);

/* Are all operations of the array token ops of the kinds that patch_diff writes: add, remove, replace, move? */
bool patch_is_diff(const struct doc *patch, uint32_t ops);

/*
 * Count the operations of the array token ops (a copy adds, a test is not
 * counted): 0, or -1 after a finding of MIG_USAGE "bad_patch" at where if it is
 * no RFC 6902 patch: each operation has exactly the members that belong to it.
 */
int patch_facts(const struct doc *patch, uint32_t ops, struct patch_facts *f, const char *where,
                struct diag *d);

#endif
