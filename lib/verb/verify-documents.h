/*
 * verify-documents.h -- are the documents of a plan in a store as it left them?
 *
 * Floor 12.  Reads the store, never writes.
 */
#ifndef MIG_VERIFY_DOCUMENTS_H
#define MIG_VERIFY_DOCUMENTS_H

#include "complaint.h"
#include "effect.h"
#include "store.h"

/* What is the same for all plans of a stream; s, found and d are borrowed. */
struct documents_verify {
	struct store *s;
	struct complaints *found;
	struct diag *d;
	/* reused */
	struct effect effect;
	struct doc doc, other, ledger_doc;
	struct buf line, diff, scratch, expected, actual, entry;
	uint32_t written; /* in ledger_doc: the bytes that the ledger saw, or DOC_NONE */
};

#define DOCUMENTS_VERIFY_INIT \
	{ .effect = EFFECT_INIT, .doc = DOC_INIT, .other = DOC_INIT, .ledger_doc = DOC_INIT }

void documents_verify_release(struct documents_verify *v);

/*
 * Complaints about the steps of the plan, in order: "not_applied", of a rollback plan
 * where its document is still as the plan to be undone left it; "drift", with the first
 * 20 operations from what was expected to what is there, or the reason why the document
 * cannot be read; "history"; the warning "rewritten".  The values of secrets are left
 * out.  0, or -1 after a finding of the ledger.
 */
int verify_documents_plan(struct documents_verify *v, const struct plan *p);

#endif
