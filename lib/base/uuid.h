/*
 * uuid.h -- universally unique ids (RFC 4122): read, spelled, made from names.
 *
 * Floor 3.
 */
#ifndef MIG_UUID_H
#define MIG_UUID_H

#include "text.h"

enum { UUID_LEN = 36, UUID_SIZE = UUID_LEN + 1, UUID_BYTES = 16 };

/* Read 8-4-4-4-12 hex digits of either case (section 3): true and the bytes. */
bool uuid_read(struct text s, unsigned char id[UUID_BYTES]);

/* Spell it in lower case. */
void uuid_write(const unsigned char id[UUID_BYTES], char out[UUID_SIZE]);

/* The version 5 UUID of a name in a name space (section 4.3): SHA-1 over both, the same always and everywhere. */
void uuid_v5(const unsigned char space[UUID_BYTES], struct text name, unsigned char id[UUID_BYTES]);

#endif
