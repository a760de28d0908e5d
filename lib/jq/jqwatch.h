/*
 * jqwatch.h -- run the programs of a stream's documents, and end the process over one that runs away.
 *
 * Floor 7.  What was written so far are whole lines; behind them stands a fault
 * "jq_died" (MIG_INVALID) with the document's ref, so that no plan depends on
 * the speed of a machine; standard error has the same.
 */
#ifndef MIG_JQWATCH_H
#define MIG_JQWATCH_H

#include "io.h"
#include "jqrun.h"

/* Begin; out, borrowed, is where the fault goes. */
void jqwatch_begin(struct out *out);

/* The document whose programs run from now on: its ref as it is spelled in the record, quotes included.  Borrowed. */
void jqwatch_document(const char *ref, size_t n);

/* jqrun_value over the whole of in, the result alone in out; name is what the fault calls the program. */
enum jqrun_result jqwatch_run(struct jqprog *prog, const char *name, const struct doc *in, struct buf *out,
                              struct jqrun_why *why);

#endif
