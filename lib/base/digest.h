/*
 * digest.h -- SHA-256 (FIPS 180-4), by OpenSSL's EVP; SHA-1 where a standard wants it.
 *
 * Floor 2.  With sign.c the only file that includes openssl headers.
 */
#ifndef MIG_DIGEST_H
#define MIG_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define HEX_LEN 64
#define HEX_SIZE (HEX_LEN + 1)

enum { DIGEST_BYTES = 32, SHA1_BYTES = 20 };

struct digest; /* one running sum */

/* Fetch the algorithm.  Called by the others when needed; call it before a sandbox closes the files. */
void digest_open(void);
void digest_close(void); /* free what digest_open and digest_hex keep */

/* The SHA-256 of n bytes as 64 lower-case hex digits and a NUL.  Uses one context again and again. */
void digest_hex(const void *p, size_t n, char hex[HEX_SIZE]);

/* The same of two runs of bytes, one behind the other. */
void digest_hex_of(const void *p, size_t np, const void *q, size_t nq, char hex[HEX_SIZE]);

/* The SHA-256 itself, and how it is spelled. */
void digest_raw(const void *p, size_t n, unsigned char sum[DIGEST_BYTES]);
void digest_spell(const unsigned char sum[DIGEST_BYTES], char hex[HEX_SIZE]);

/* Is it a sum so spelled? */
bool digest_spelled(const char *s);

/* The SHA-1 of two runs of bytes; only for what a standard makes with it (uuid.h). */
void digest_sha1(const void *p, size_t np, const void *q, size_t nq, unsigned char sum[SHA1_BYTES]);

/* An incremental sum: new, freed by digest_free.  digest_final may be called once per digest_begin. */
struct digest *digest_new(void);
void digest_free(struct digest *d);
void digest_begin(struct digest *d);
void digest_add(struct digest *d, const void *p, size_t n);
void digest_final(struct digest *d, char hex[HEX_SIZE]);

#endif
