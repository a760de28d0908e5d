/*
 * record.h -- one line of a stream: its kind, its members, its text.
 *
 * Floor 5.  Records are read by index and written as text, members in canonical
 * order; bodies and patches stay spans.  mig-stream(5) describes every kind.
 */
#ifndef MIG_RECORD_H
#define MIG_RECORD_H

#include "canon.h"
#include "diag.h"
#include "doc.h"
#include "text.h"

enum kind {
	KIND_OTHER, /* not ours: forwarded, or refused by gate and apply */
	KIND_DOCUMENT,
	KIND_CHANGE,
	KIND_CURRENT,
	KIND_REJECT,
	KIND_VERSIONS,
	KIND_PLAN,
	KIND_PERMIT,
	KIND_OUTCOME,
	KIND_VERDICT,
	KIND_ENTRY,
	KIND_STEP,
	KIND_SCHEMA,
	KIND_SNAPSHOT,
	KIND_END,
	KIND_FAULT
};

/* The members of a change, in the order of its table. */
enum change_member {
	CHANGE_AFTER, CHANGE_BACKUP_SUFFIX, CHANGE_BEFORE, CHANGE_CHANGES, CHANGE_DATA, CHANGE_DATA_SAFETY,
	CHANGE_DESTRUCTIVE, CHANGE_DUPLICATES, CHANGE_ENTITY, CHANGE_FROM, CHANGE_FROM_VERSION, CHANGE_HISTORY,
	CHANGE_HOPS, CHANGE_INVARIANTS, CHANGE_KIND, CHANGE_LEVERS, CHANGE_LINKS, CHANGE_OP, CHANGE_PATCH,
	CHANGE_RAW, CHANGE_REF, CHANGE_REVERSIBLE, CHANGE_SET, CHANGE_SUM, CHANGE_TO_VERSION, CHANGE_TYPE,
	CHANGE_UNDO, CHANGE_MEMBERS
};

enum { RECORD_MEMBERS = 32 }; /* no kind has more */

struct record {
	enum kind kind;
	const char *line; /* canonical, without LF; borrowed from the stream until the next record */
	size_t len;
	struct doc *doc;  /* its index; the record is the root */
	uint32_t at[RECORD_MEMBERS]; /* its members' values, in the order of their table; DOC_NONE: lacking */
};

/* What a member may hold: a set of bits over enum doc_type. */
enum {
	IS_NULL = 1 << DOC_NULL,
	IS_BOOL = 1 << DOC_FALSE | 1 << DOC_TRUE,
	IS_NUM = 1 << DOC_NUMBER,
	IS_STR = 1 << DOC_STRING,
	IS_ARR = 1 << DOC_ARRAY,
	IS_OBJ = 1 << DOC_OBJECT,
	IS_ANY = IS_NULL | IS_BOOL | IS_NUM | IS_STR | IS_ARR | IS_OBJ,
	MAY_LACK = 1 << 7
};

/*
 * The members of an object, in canonical order, ended by a name of NULL:
 *
 *	{ "digest", IS_STR }, { "ref", IS_STR | MAY_LACK }, { NULL, 0 }
 */
struct member {
	const char *name;
	int is;
};

/*
 * Check the object at token obj against its members: anything unknown, missing
 * or of another type is a finding of MIG_USAGE "bad_record" at where that calls
 * the object what.  tok, if not NULL, gets each member's value, DOC_NONE where lacking.
 */
int shape_check(const struct doc *doc, uint32_t obj, const struct member *m, uint32_t *tok, const char *what,
                const char *where, struct diag *d);

/* The name of a kind, or NULL for KIND_OTHER. */
const char *kind_name(enum kind k);

/*
 * Classify the indexed line and check it against the table of its kind: unknown,
 * missing or wrongly typed members are a finding of MIG_USAGE "bad_record" at
 * where, as is a value that is not an object with a string "kind".
 */
int record_check(struct record *r, const char *where, struct diag *d);

/* The value of a member, or DOC_NONE. */
static inline uint32_t record_get(const struct record *r, const char *name)
{
	return doc_member(r->doc, 0, name, strlen(name));
}

/*
 * The characters of a string token: borrowed from the text where nothing is
 * escaped, else decoded into *arena (appended, which may move what was decoded
 * there before: decode what you keep into one arena each, or copy).
 */
struct text record_text(const struct doc *d, uint32_t t, struct buf *arena);

/* Is the token a string of 64 lower-case hex digits? */
bool record_is_hash(const struct doc *d, uint32_t t);

/* As record_text, as a new NUL-ended string; NULL for a null or absent token. */
char *record_dup(const struct doc *d, uint32_t t);

/*
 * SHA-256 of the record without its own member name ("sum", "plan_hash",
 * "signature"), as canonical text.
 */
void record_sum(const struct doc *d, uint32_t root, const char *name, char hex[HEX_SIZE]);

/* Is the member name of root a string equal to record_sum?  Puts both in expected and actual. */
bool record_sum_holds(const struct doc *d, uint32_t root, const char *name, char want[HEX_SIZE], char is[HEX_SIZE]);

/*
 * Writing.  Members are given in canonical order, which a DEV build asserts:
 *
 *	rec_open(&w, b); rec_str(&w, "kind", TEXT("end")); rec_int(&w, "records", 3); rec_close(&w);
 *
 * appends {"kind":"end","records":3}.  No LF is added.
 */
struct rec {
	struct buf *b;
	bool any;
	const char *last;
};

void rec_open(struct rec *w, struct buf *b);
void rec_name(struct rec *w, const char *name); /* the caller appends the value to w->b */
void rec_str(struct rec *w, const char *name, struct text v);
void rec_cstr(struct rec *w, const char *name, const char *v); /* NULL writes null */
void rec_raw(struct rec *w, const char *name, const char *json, size_t n);
void rec_int(struct rec *w, const char *name, int64_t v);
void rec_bool(struct rec *w, const char *name, bool v);
void rec_null(struct rec *w, const char *name);
void rec_close(struct rec *w);

/*
 * Give the record in b, which has no "sum" yet, the SHA-256 of its text as that
 * member, in front of the member that begins at offset at.
 */
void rec_sum(struct buf *b, size_t at);

/*
 * The object of mig-extract's stream that a document, change, current or reject
 * is about: the tokens of its ref and of its hash (which may be null).  False
 * for a change that is not the first of its row: the row has been counted.
 */
bool record_source(const struct record *r, uint32_t *ref, uint32_t *hash);

/* What a reject says; entity, hash and ref are borrowed. */
struct reject {
	const char *tool, *code, *reason;
	struct text entity, hash, ref;
};

/* Append the reject record, with its sum; the reason is redacted. */
void reject_write(struct buf *out, const struct reject *r);

#endif
