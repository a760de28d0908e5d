/* sign.c -- see sign.h */
#include "sign.h"

#include "buf.h"
#include "io.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

enum { RAW_SIZE = 64, PEM_MAX = 64 << 10 };

struct key {
	EVP_PKEY *pkey;
	char id[HEX_SIZE];
};

/* OpenSSL would ask the terminal for a passphrase; a filter must not. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* The key in n bytes of PEM, whatever its kind, or NULL.  What OpenSSL has to say about it is not kept. */
static EVP_PKEY *read_pem(const char *pem, size_t n, bool private)
{
	BIO *bio = n <= PEM_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	if (!pkey && !private && bio && BIO_reset(bio) == 1)
		pkey = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return pkey;
}

/* Who gives two keys in one file means both, and one of them would be passed over. */
static bool holds_several(const char *pem, size_t n)
{
	static const char begin[] = "-----BEGIN ";
	const size_t len = sizeof begin - 1;
	const char *first = memmem(pem, n, begin, len);

	return first && memmem(first + len, n - (size_t)(first + len - pem), begin, len);
}

struct key *key_parse(const char *pem, size_t n, const char *name, bool private, struct diag *d)
{
	unsigned char raw[RAW_SIZE];
	size_t len = sizeof raw;
	struct key *k;

	if (holds_several(pem, n)) {
		diag_add(d, MIG_INVALID, "bad_key", name, "holds more than one key: give each a file of its own");
		return NULL;
	}
	EVP_PKEY *pkey = read_pem(pem, n, private);

	if (!pkey || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519 || !EVP_PKEY_get_raw_public_key(pkey, raw, &len)) {
		EVP_PKEY_free(pkey);
		diag_add(d, MIG_INVALID, "bad_key", name, "holds no %s Ed25519 key in PEM without a passphrase",
		         private ? "private" : "public or private");
		return NULL;
	}
	k = xmalloc(sizeof *k);
	k->pkey = pkey;
	digest_hex(raw, len, k->id);
	return k;
}

struct key *key_read(const char *path, bool private, struct diag *d)
{
	struct buf pem = BUF_INIT;
	struct key *k = NULL;

	if (io_read_file(path, &pem, "missing_key", d) == 0)
		k = key_parse(pem.s ? pem.s : "", pem.len, path, private, d);
	if (pem.s)
		explicit_bzero(pem.s, pem.len);
	buf_release(&pem);
	return k;
}

void key_free(struct key *k)
{
	if (k) {
		EVP_PKEY_free(k->pkey);
		free(k);
	}
}

const char *key_id(const struct key *k)
{
	return k->id;
}

void key_sign(const struct key *k, const void *p, size_t n, char signature[SIGNATURE_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[RAW_SIZE];
	size_t len = sizeof raw;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ctx || !EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) || !EVP_DigestSign(ctx, raw, &len, p, n) ||
	    len != sizeof raw)
		die(MIG_ERROR, "openssl cannot sign");
	EVP_MD_CTX_free(ctx);
	for (size_t i = 0; i < sizeof raw; i++) {
		signature[2 * i] = digits[raw[i] >> 4];
		signature[2 * i + 1] = digits[raw[i] & 15];
	}
	signature[SIGNATURE_LEN] = '\0';
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool key_verify(const struct key *k, const void *p, size_t n, const char *signature, size_t slen)
{
	unsigned char raw[RAW_SIZE];
	EVP_MD_CTX *ctx;
	bool good;

	if (slen != SIGNATURE_LEN)
		return false;
	for (size_t i = 0; i < sizeof raw; i++) {
		int hi = hex_value(signature[2 * i]), lo = hex_value(signature[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		raw[i] = (unsigned char)(hi << 4 | lo);
	}
	if (!(ctx = EVP_MD_CTX_new()))
		die(MIG_ERROR, "out of memory");
	good = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
	       EVP_DigestVerify(ctx, raw, sizeof raw, p, n) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}
