/* sign_test.c -- Ed25519: the vectors of RFC 8032 section 7.1, keys, and signatures that must not hold. */
#include "buf.h"
#include "keyring.h"

#include "test.h"

#include <stdlib.h>

/* TEST 1, 2, 3 and SHA(abc): the secret keys are wrapped as PKCS #8 (RFC 8410), whose prefix is always the same. */
static const struct vector {
	const char *secret, *public, *message, *signature;
} vectors[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
	  "d25bf5f0595bbe24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
	  "387b2eaeb4302aeeb00d291612bb0c00" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
	  "4a7c15e9716ed28dc027beceea1ec40a" },
	{ "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
	  "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
	  "454d4423643ce80e2a9ac94fa54ca49f",
	  "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
	  "3dca179c138ac17ad9bef1177331a704" },
};

enum { NVECTORS = sizeof vectors / sizeof *vectors };

static size_t unhex(const char *hex, unsigned char *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		char two[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		out[i] = (unsigned char)strtoul(two, NULL, 16);
	}
	return n;
}

static void base64(struct buf *out, const unsigned char *p, size_t n)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);

		buf_addch(out, set[v >> 18]);
		buf_addch(out, set[v >> 12 & 63]);
		buf_addch(out, i + 1 < n ? set[v >> 6 & 63] : '=');
		buf_addch(out, i + 2 < n ? set[v & 63] : '=');
	}
}

/* The PEM of a raw key behind the DER that says what it is. */
static void make_pem(struct buf *out, const char *label, const char *der, const char *raw)
{
	unsigned char bytes[80];
	size_t n = unhex(der, bytes);

	n += unhex(raw, bytes + n);
	buf_reset(out);
	buf_addf(out, "-----BEGIN %s-----\n", label);
	base64(out, bytes, n);
	buf_addf(out, "\n-----END %s-----\n", label);
}

static void private_pem(struct buf *out, const char *raw)
{
	make_pem(out, "PRIVATE KEY", "302e020100300506032b657004220420", raw);
}

static void public_pem(struct buf *out, const char *raw)
{
	make_pem(out, "PUBLIC KEY", "302a300506032b6570032100", raw);
}

static struct key *parse(const struct buf *pem, bool private)
{
	struct diag d = DIAG_INIT;
	struct key *k = key_parse(pem->s, pem->len, "k.pem", private, &d);

	CHECK((k != NULL) == (d.n == 0));
	diag_release(&d);
	return k;
}

static void test_vectors(void)
{
	struct buf pem = BUF_INIT;
	unsigned char message[80], public[32];
	char signature[SIGNATURE_SIZE], id[HEX_SIZE];

	for (int i = 0; i < NVECTORS; i++) {
		const struct vector *v = &vectors[i];
		size_t n = unhex(v->message, message);

		test("vector %d of RFC 8032: the signature, and both halves of the key verify it", i + 1);
		private_pem(&pem, v->secret);
		struct key *secret = parse(&pem, true);
		public_pem(&pem, v->public);
		struct key *public_key = parse(&pem, false);

		if (CHECK(secret && public_key)) {
			key_sign(secret, message, n, signature);
			CHECK_STR(signature, v->signature);
			CHECK(key_verify(secret, message, n, signature, SIGNATURE_LEN));
			CHECK(key_verify(public_key, message, n, signature, SIGNATURE_LEN));
			digest_hex(public, unhex(v->public, public), id);
			CHECK_STR(key_id(secret), id);
			CHECK_STR(key_id(public_key), id);
		}
		key_free(secret);
		key_free(public_key);
	}
	buf_release(&pem);
}

static void test_changed(void)
{
	const struct vector *v = &vectors[2];
	struct buf pem = BUF_INIT;
	unsigned char message[80];
	size_t n = unhex(v->message, message);
	char s[SIGNATURE_SIZE];

	public_pem(&pem, v->public);
	struct key *k = parse(&pem, false);

	test("one digit of the signature changed anywhere, and it does not hold");
	for (size_t i = 0; i < SIGNATURE_LEN; i++) {
		memcpy(s, v->signature, SIGNATURE_SIZE);
		s[i] = s[i] == '0' ? '1' : '0';
		CHECK(!key_verify(k, message, n, s, SIGNATURE_LEN));
	}
	test("another spelling or length of the signature does not hold");
	memcpy(s, v->signature, SIGNATURE_SIZE);
	CHECK(!key_verify(k, message, n, s, SIGNATURE_LEN - 1));
	CHECK(!key_verify(k, message, n, s, 0));
	CHECK(!key_verify(k, message, n, NULL, 0));
	for (char *c = s; *c; c++)
		if (*c >= 'a')
			*c = (char)(*c - 'a' + 'A');
	CHECK(!key_verify(k, message, n, s, SIGNATURE_LEN));
	test("the order of the curve added to its second half does not hold either");
	/* RFC 8032 section 5.1.7: S must be below the order */
	static const unsigned char order[] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
		                               0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
		                               0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10 };
	unsigned char raw[64];
	unsigned carry = 0;

	unhex(v->signature, raw);
	for (size_t i = 0; i < 32; i++) {
		carry += raw[32 + i] + order[i];
		raw[32 + i] = (unsigned char)carry;
		carry >>= 8;
	}
	for (size_t i = 0; i < 64; i++)
		snprintf(s + 2 * i, 3, "%02x", raw[i]);
	CHECK(carry == 0 && !key_verify(k, message, n, s, SIGNATURE_LEN));
	test("another message or key does not hold");
	CHECK(!key_verify(k, message, n - 1, v->signature, SIGNATURE_LEN));
	message[0] ^= 1;
	CHECK(!key_verify(k, message, n, v->signature, SIGNATURE_LEN));
	message[0] ^= 1;
	public_pem(&pem, vectors[1].public);
	struct key *other = parse(&pem, false);

	CHECK(!key_verify(other, message, n, v->signature, SIGNATURE_LEN));
	test("a ring finds the key that signed, and knows its keys by their ids");
	struct keyring ring = KEYRING_INIT;
	struct text signature = { v->signature, SIGNATURE_LEN };

	CHECK(!keyring_find(&ring, message, n, signature));
	keyring_add(&ring, other);
	CHECK(!keyring_find(&ring, message, n, signature));
	keyring_add(&ring, k);
	CHECK(keyring_find(&ring, message, n, signature) == k);
	CHECK(keyring_knows(&ring, (struct text){ key_id(k), HEX_LEN }) && !keyring_knows(&ring, TEXT("k")));
	keyring_release(&ring);
	buf_release(&pem);
}

/* A finding of bad_key, and no key. */
static void refused(const char *pem, size_t n, bool private)
{
	struct diag d = DIAG_INIT;
	struct key *k = key_parse(pem, n, "k.pem", private, &d);

	CHECK(!k && d.n == 1 && d.list[0].exit == MIG_INVALID && strcmp(d.list[0].rule, "bad_key") == 0);
	key_free(k);
	diag_release(&d);
}

static void test_no_keys(void)
{
	static const char rsa_like[] = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
	struct buf pem = BUF_INIT;

	test("what is no key, or a public one where a private one is wanted, is refused");
	refused("", 0, false);
	refused("", 0, true);
	refused("hello", 5, false);
	refused(rsa_like, sizeof rsa_like - 1, false);
	public_pem(&pem, vectors[0].public);
	refused(pem.s, pem.len, true);
	refused(pem.s, pem.len - 30, false);
	test("an X25519 key is refused");
	make_pem(&pem, "PUBLIC KEY", "302a300506032b656e032100", vectors[0].public);
	refused(pem.s, pem.len, false);
	test("more than a key can be is refused");
	private_pem(&pem, vectors[0].secret);
	buf_reserve(&pem, 1 << 17);
	while (pem.len < 1 << 17)
		buf_addch(&pem, '\n');
	refused(pem.s, pem.len, true);
	test("a key file that is not there is a precondition");
	struct diag d = DIAG_INIT;

	CHECK(!key_read("/nonexistent/k.pem", false, &d));
	CHECK(d.n == 1 && d.list[0].exit == MIG_PRECONDITION && strcmp(d.list[0].rule, "missing_key") == 0);
	diag_release(&d);
	buf_release(&pem);
}

int main(void)
{
	test_vectors();
	test_changed();
	test_no_keys();
	digest_close();
	return test_end();
}
