/*
 * report-tree.h -- what documents there are, and what their migration changes.
 *
 * Floor 8.
 */
#ifndef MIG_REPORT_TREE_H
#define MIG_REPORT_TREE_H

#include "kinds.h"
#include "rejects.h"

/* Of document, change, current and reject records. */
struct tree_view {
	struct counts kinds, versions, hops; /* kinds of records; versions now; FROM " -> " TO */
	struct kinds changes;
};

void tree_view_init(struct tree_view *v);
void tree_view_release(struct tree_view *v);
void tree_view_add(struct tree_view *v, const struct record *r);
void tree_view_page(struct tree_view *v, struct rejects *rejects, struct page *p);
void tree_view_json(struct tree_view *v, struct buf *out);

/* Of a versions record. */
struct version_view {
	bool any;
	char *entity, *set_id, *set_hash, *latest; /* latest: NULL if the set has none */
	int64_t records, rejects, pending;
	struct version_count {
		char *version;
		int64_t count;
	} *list;                                   /* by precedence */
	size_t n;
};

void version_view_release(struct version_view *v);

/* 0, or -1 after a finding of MIG_USAGE "bad_record" at where. */
int version_view_add(struct version_view *v, const struct record *r, const char *where, struct diag *d);
void version_view_page(const struct version_view *v, struct page *p);
void version_view_json(const struct version_view *v, struct buf *out);

#endif
