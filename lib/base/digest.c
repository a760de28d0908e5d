/* digest.c -- see digest.h */
#include "digest.h"

#include "base.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct digest {
	EVP_MD_CTX *ctx;
};

static OSSL_LIB_CTX *library; /* of its own: OpenSSL's common one crashes when there was no memory to make it */
static EVP_MD *sha256;
static EVP_MD *sha1; /* for names made from names (RFC 4122), never for trust */
static struct digest *once; /* digest_hex's own */

static void fetch(void)
{
	if (sha256)
		return;
	/* no configuration, no messages, no names of ciphers: all that was more than half of a filter's start */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
	                            OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS, NULL);
	/* makes the room for errors: made when memory has run out, OpenSSL 3.0 would wait for itself for ever */
	ERR_clear_error();
	if (!library && !(library = OSSL_LIB_CTX_new()))
		die(MIG_ERROR, "out of memory");
	if (!(sha256 = EVP_MD_fetch(library, "SHA256", NULL)))
		die(MIG_ERROR, "openssl has no SHA-256, or is out of memory");
}

void digest_open(void)
{
	fetch();
	if (!once)
		once = digest_new();
}

void digest_close(void)
{
	digest_free(once);
	EVP_MD_free(sha256);
	EVP_MD_free(sha1);
	OSSL_LIB_CTX_free(library);
	once = NULL;
	sha256 = NULL;
	sha1 = NULL;
	library = NULL;
}

struct digest *digest_new(void)
{
	fetch();
	struct digest *d = xmalloc(sizeof *d);

	if (!(d->ctx = EVP_MD_CTX_new()))
		die(MIG_ERROR, "out of memory");
	digest_begin(d);
	return d;
}

void digest_free(struct digest *d)
{
	if (d) {
		EVP_MD_CTX_free(d->ctx);
		free(d);
	}
}

void digest_begin(struct digest *d)
{
	if (!EVP_DigestInit_ex2(d->ctx, sha256, NULL))
		die(MIG_ERROR, "openssl cannot begin a digest");
}

void digest_add(struct digest *d, const void *p, size_t n)
{
	if (!EVP_DigestUpdate(d->ctx, p, n))
		die(MIG_ERROR, "openssl cannot go on with a digest");
}

static void end(struct digest *d, unsigned char sum[DIGEST_BYTES])
{
	unsigned int n;

	if (!EVP_DigestFinal_ex(d->ctx, sum, &n) || n != DIGEST_BYTES)
		die(MIG_ERROR, "openssl cannot end a digest");
}

void digest_final(struct digest *d, char hex[HEX_SIZE])
{
	unsigned char sum[DIGEST_BYTES];

	end(d, sum);
	digest_spell(sum, hex);
}

void digest_spell(const unsigned char sum[DIGEST_BYTES], char hex[HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		hex[2 * i] = digits[sum[i] >> 4];
		hex[2 * i + 1] = digits[sum[i] & 15];
	}
	hex[HEX_LEN] = '\0';
}

bool digest_spelled(const char *s)
{
	return strlen(s) == HEX_LEN && strspn(s, "0123456789abcdef") == HEX_LEN;
}

void digest_hex_of(const void *p, size_t np, const void *q, size_t nq, char hex[HEX_SIZE])
{
	digest_open();
	digest_begin(once);
	digest_add(once, p, np);
	if (nq)
		digest_add(once, q, nq);
	digest_final(once, hex);
}

void digest_hex(const void *p, size_t n, char hex[HEX_SIZE])
{
	digest_hex_of(p, n, NULL, 0, hex);
}

void digest_raw(const void *p, size_t n, unsigned char sum[DIGEST_BYTES])
{
	digest_open();
	digest_begin(once);
	digest_add(once, p, n);
	end(once, sum);
}

void digest_sha1(const void *p, size_t np, const void *q, size_t nq, unsigned char sum[SHA1_BYTES])
{
	digest_open();
	if (!sha1 && !(sha1 = EVP_MD_fetch(library, "SHA1", NULL)))
		die(MIG_ERROR, "openssl has no SHA-1, or is out of memory");
	if (!EVP_DigestInit_ex2(once->ctx, sha1, NULL) || !EVP_DigestUpdate(once->ctx, p, np) ||
	    !EVP_DigestUpdate(once->ctx, q, nq) || !EVP_DigestFinal_ex(once->ctx, sum, NULL))
		die(MIG_ERROR, "openssl cannot make a digest");
}
