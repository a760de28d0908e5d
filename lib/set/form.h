/*
 * form.h -- a JSON file of a migration set, read member by member.
 *
 * Floor 6.  Each function says what is wrong with the file, as a finding of
 * MIG_INVALID "bad_set" with file and member, and goes on: bad tells at the end.
 */
#ifndef MIG_FORM_H
#define MIG_FORM_H

#include "diag.h"
#include "digest.h"
#include "doc.h"

struct form {
	const char *file; /* borrowed */
	struct buf text;
	struct doc doc;
	struct diag *d;
	char at[48]; /* the object that is read: "", or a pointer such as "/after/0" */
	bool bad;
};

/*
 * Append one file of a set to b and its name, without the dirlen bytes of the
 * set's folder, and hash to sum (NULL: to none).  A missing file is
 * MIG_PRECONDITION with rule.
 */
int form_part(const char *path, size_t dirlen, struct buf *b, struct digest *sum, const char *rule, struct diag *d);

/* Read and index the object in file; 0, or -1 after a finding.  In any case to be released. */
int form_open(struct form *f, const char *file, size_t dirlen, struct digest *sum, const char *rule, struct diag *d);
void form_release(struct form *f);

/* Say what is wrong with a member of the object that is read; returns -1. */
int form_wrong(struct form *f, const char *member, const char *what);

/* From now on the members read are those of the object at "/version", or of an element: "/after/%zu". */
void form_enter(struct form *f, const char *at, ...) __attribute__((format(printf, 2, 3)));
void form_leave(struct form *f);

/* Refuse members of obj that are not in the NULL-ended list. */
void form_only(struct form *f, uint32_t obj, const char *const *names);

/* The member's token if it has one of the types (bits over enum doc_type); DOC_NONE, with a finding where it must. */
uint32_t form_member(struct form *f, uint32_t obj, const char *name, int types, bool must);

/* New texts; NULL where absent. */
char *form_text(struct form *f, uint32_t obj, const char *name, bool must);
char *form_version(struct form *f, uint32_t obj, const char *name, bool must);
char *form_type(struct form *f, uint32_t obj); /* "type": one of the six of steps */
bool form_boolean(struct form *f, uint32_t obj, const char *name, bool otherwise, bool must);

/* New lists, ended by NULL; form_free_texts takes NULL, too. */
char **form_texts(struct form *f, uint32_t obj, const char *name, bool must);
char **form_pointers(struct form *f, uint32_t obj, const char *name);
void form_free_texts(char **list);

/* Returns p; wrong where it is no pointer to a member. */
char *form_check_pointer(struct form *f, const char *name, char *p);

#endif
