/*
 * sign.h -- Ed25519 signatures (RFC 8032), by OpenSSL's EVP.
 *
 * Floor 3.  Keys are PEM files as openssl writes them:
 *
 *	openssl genpkey -algorithm ed25519 -out key.pem
 *	openssl pkey -in key.pem -pubout -out key.pub
 */
#ifndef MIG_SIGN_H
#define MIG_SIGN_H

#include "diag.h"
#include "digest.h"

struct key; /* a private or a public one */

enum { SIGNATURE_LEN = 128, SIGNATURE_SIZE = SIGNATURE_LEN + 1 }; /* lower-case hex of 64 bytes */

/*
 * Read the PEM file at path (a private key, or only a public one).  Returns a
 * new key, or NULL: MIG_PRECONDITION "missing_key" when it cannot be read,
 * MIG_INVALID "bad_key" when it holds no Ed25519 key, more than one, or a public
 * one where a private one is wanted.
 */
struct key *key_read(const char *path, bool private, struct diag *d);

/* The same from n bytes of PEM text, which messages call name. */
struct key *key_parse(const char *pem, size_t n, const char *name, bool private, struct diag *d);
void key_free(struct key *k);

/* The SHA-256 of the raw public key: what a key is called where nobody gave it a name.  Borrowed. */
const char *key_id(const struct key *k);

/* Sign n bytes.  The key must be private. */
void key_sign(const struct key *k, const void *p, size_t n, char signature[SIGNATURE_SIZE]);

/* Does the signature (hex, of slen characters) belong to these bytes and this key? */
bool key_verify(const struct key *k, const void *p, size_t n, const char *signature, size_t slen);

#endif
