/*
 * crew-talk.h -- messages between the processes of a crew, through pipes.
 *
 * Floor 3.
 */
#ifndef MIG_CREW_TALK_H
#define MIG_CREW_TALK_H

#include "buf.h"
#include "diag.h"

/* Ahead of n bytes of text.  Both ends are the same program: no byte order, no version. */
struct message {
	uint32_t what;
	uint32_t flag;
	uint64_t n;
};

/* 0, or -1 and errno. */
int message_send(int fd, uint32_t what, uint32_t flag, const struct buf *text);

/* Replace text: 1, 0 if the other end has gone, -1 and errno. */
int message_receive(int fd, struct message *m, struct buf *text);

/* Append n bytes with their number, and take them back; NULL comes back as NULL. */
void message_add(struct buf *b, const void *p, size_t n);
const char *message_take(const struct buf *b, size_t *at, size_t *n);

/* Append the findings from index first on, and the hint; add them to another list. */
void message_add_findings(struct buf *b, const struct diag *d, size_t first);
void message_take_findings(const struct buf *b, size_t *at, struct diag *d);

#endif
