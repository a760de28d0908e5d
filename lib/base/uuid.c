/* uuid.c -- see uuid.h */
#include "uuid.h"

#include "digest.h"

/* Is a dash to stand in front of byte i?  6ba7b810-9dad-11d1-80b4-00c04fd430c8 */
static bool dashed(size_t i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

static int digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

bool uuid_read(struct text s, unsigned char id[UUID_BYTES])
{
	const char *p = s.s;

	if (s.n != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_BYTES; i++, p += 2) {
		if (dashed(i) && *p++ != '-')
			return false;
		int high = digit(p[0]), low = digit(p[1]);

		if (high < 0 || low < 0)
			return false;
		id[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

void uuid_write(const unsigned char id[UUID_BYTES], char out[UUID_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < UUID_BYTES; i++) {
		if (dashed(i))
			*out++ = '-';
		*out++ = digits[id[i] >> 4];
		*out++ = digits[id[i] & 15];
	}
	*out = '\0';
}

void uuid_v5(const unsigned char space[UUID_BYTES], struct text name, unsigned char id[UUID_BYTES])
{
	unsigned char sum[SHA1_BYTES];

	digest_sha1(space, UUID_BYTES, name.s, name.n, sum);
	memcpy(id, sum, UUID_BYTES);
	id[6] = (unsigned char)((id[6] & 0x0f) | 0x50);
	id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
}
