/* Encoding and decoding of HdrHistogram's V2 format, and its .hgrm text. The buckets of struct
 * histogram are HdrHistogram's own (lowest value 1, three significant digits: 2048 sub-buckets), so
 * encoding only writes their counts one after the other, as zig-zag LEB128 numbers; a negative
 * number stands for a run of empty buckets. Input is not trusted: decoding checks every length. */
#include "tests/load/count/hdr.h"

#include <endian.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define COOKIE UINT32_C(0x1c849313)            /* V2, 16-byte words */
#define COMPRESSED_COOKIE UINT32_C(0x1c849314) /* the same, compressed */
#define HEAD_SIZE 40
#define VARINT_MAX 9

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* ---- numbers ---- */

static void
put32(unsigned char *to, uint32_t value)
{
	value = htobe32(value);
	memcpy(to, &value, sizeof value);
}

static void
put64(unsigned char *to, uint64_t value)
{
	value = htobe64(value);
	memcpy(to, &value, sizeof value);
}

static uint32_t
get32(const unsigned char *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof value);
	return be32toh(value);
}

/* Writes at most VARINT_MAX bytes: the ninth byte holds eight bits. Returns how many it wrote. */
static size_t
put_varint(unsigned char *to, int64_t number)
{
	uint64_t value = ((uint64_t)number << 1) ^ (uint64_t)(number >> 63);
	size_t length = 0;

	while (value >= 0x80 && length < VARINT_MAX - 1) {
		to[length++] = (unsigned char)(value | 0x80);
		value >>= 7;
	}
	to[length++] = (unsigned char)value;
	return length;
}

/* Returns how many bytes the number takes, or 0 if the input ends inside it. */
static size_t
get_varint(const unsigned char *from, size_t length, int64_t *number)
{
	uint64_t value = 0;

	for (size_t i = 0; i < length && i < VARINT_MAX; i++) {
		uint64_t byte = from[i];

		if (i == VARINT_MAX - 1) {
			value |= byte << 56;
		} else {
			value |= (byte & 0x7f) << (7 * i);
			if (byte & 0x80)
				continue;
		}
		*number = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
		return i + 1;
	}
	return 0;
}

/* ---- base64 ---- */

/* Returns a text that the caller frees; NULL if there is no memory. */
static char *
to_base64(const unsigned char *bytes, size_t length)
{
	char *text = malloc((length + 2) / 3 * 4 + 1), *to = text;

	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < length; i += 3) {
		uint32_t three = (uint32_t)bytes[i] << 16;

		if (i + 1 < length)
			three |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < length)
			three |= bytes[i + 2];
		*to++ = base64[three >> 18];
		*to++ = base64[three >> 12 & 63];
		*to++ = i + 1 < length ? base64[three >> 6 & 63] : '=';
		*to++ = i + 2 < length ? base64[three & 63] : '=';
	}
	*to = '\0';
	return text;
}

/* Returns bytes that the caller frees; NULL if there is no memory, or a character is not
 * base64's. */
static unsigned char *
from_base64(const char *text, size_t *length)
{
	unsigned char *bytes = malloc(strlen(text) / 4 * 3 + 3);
	uint32_t bits = 0, count = 0;

	*length = 0;
	for (; bytes != NULL && *text != '\0' && *text != '='; text++) {
		const char *digit = strchr(base64, *text);

		if (digit == NULL) {
			free(bytes);
			return NULL;
		}
		bits = bits << 6 | (uint32_t)(digit - base64);
		if (++count % 4 != 1)
			bytes[(*length)++] = (unsigned char)(bits >> (6 - 2 * ((count - 1) % 4)));
	}
	return bytes;
}

/* ---- V2 ---- */

char *
hdr_encode(const struct histogram *histogram)
{
	size_t room = HEAD_SIZE + (size_t)HISTOGRAM_BUCKETS * VARINT_MAX, length = HEAD_SIZE;
	uLongf packed_length = compressBound(room);
	unsigned char *plain = calloc(1, room), *packed = malloc(8 + packed_length);
	unsigned last = HISTOGRAM_BUCKETS;
	double ratio = 1;
	uint64_t ratio_bits;
	char *text = NULL;

	if (plain == NULL || packed == NULL)
		goto out;
	while (last > 0 && histogram->buckets[last - 1] == 0)
		last--;
	for (unsigned i = 0; i < last;) {
		int64_t number = (int64_t)histogram->buckets[i++];

		if (number == 0) {
			number = -1;
			for (; i < last && histogram->buckets[i] == 0; i++)
				number--;
		}
		length += put_varint(plain + length, number);
	}
	memcpy(&ratio_bits, &ratio, sizeof ratio_bits);
	put32(plain, COOKIE);
	put32(plain + 4, (uint32_t)(length - HEAD_SIZE));
	put32(plain + 8, 0); /* normalizing index offset */
	put32(plain + 12, 3);
	put64(plain + 16, 1);
	put64(plain + 24, HISTOGRAM_VALUE_MAX);
	put64(plain + 32, ratio_bits);
	if (compress(packed + 8, &packed_length, plain, length) == Z_OK) {
		put32(packed, COMPRESSED_COOKIE);
		put32(packed + 4, (uint32_t)packed_length);
		text = to_base64(packed, 8 + packed_length);
	}
out:
	free(plain);
	free(packed);
	return text;
}

static bool
read_counts(const unsigned char *from, size_t length, struct histogram *histogram)
{
	unsigned at = 0;

	for (size_t used = 0; used < length;) {
		int64_t number;
		size_t step = get_varint(from + used, length - used, &number);

		if (step == 0 || number < -(int64_t)HISTOGRAM_BUCKETS)
			return false;
		used += step;
		if (number < 0) {
			at += (unsigned)-number;
			continue;
		}
		if (at >= HISTOGRAM_BUCKETS)
			return false;
		if (number > 0) {
			double middle =
				((double)histogram_low(at) + (double)histogram_high(at)) / 2;

			if (histogram->count == 0)
				histogram->min = histogram_low(at);
			histogram->max = histogram_high(at);
			histogram->sum += middle * (double)number;
		}
		histogram->buckets[at++] = (uint64_t)number;
		histogram->count += (uint64_t)number;
	}
	return true;
}

bool
hdr_decode(const char *text, struct histogram *histogram)
{
	size_t packed_length;
	uLongf room = HEAD_SIZE + (uLongf)HISTOGRAM_BUCKETS * VARINT_MAX;
	unsigned char *packed = from_base64(text, &packed_length), *plain = malloc(room);
	bool is_good = false;

	memset(histogram, 0, sizeof *histogram);
	if (packed != NULL && plain != NULL && packed_length > 8 &&
		get32(packed) == COMPRESSED_COOKIE &&
		uncompress(plain, &room, packed + 8, packed_length - 8) == Z_OK &&
		room >= HEAD_SIZE && get32(plain) == COOKIE && get32(plain + 12) == 3 &&
		get32(plain + 4) <= room - HEAD_SIZE)
		is_good = read_counts(plain + HEAD_SIZE, get32(plain + 4), histogram);
	free(packed);
	free(plain);
	return is_good;
}

/* ---- .hgrm ---- */

bool
hdr_write_spectrum(FILE *stream, const struct histogram *histogram)
{
	/* Five steps for each halving of the distance to 100 %, as HdrHistogram prints them. */
	double share = 0;
	uint64_t below = 0;
	unsigned bucket = 0;

	fprintf(stream, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
		"1/(1-Percentile)");
	while (histogram->count > 0) {
		int64_t value = histogram_quantile(histogram, share);
		double halvings;

		for (; bucket < HISTOGRAM_BUCKETS && histogram_low(bucket) <= value; bucket++)
			below += histogram->buckets[bucket];
		if (below >= histogram->count) {
			fprintf(stream, "%12.6f %2.12f %10llu\n", (double)histogram->max / 1e6, 1.0,
				(unsigned long long)histogram->count);
			break;
		}
		fprintf(stream, "%12.6f %2.12f %10llu %14.2f\n", (double)value / 1e6, share,
			(unsigned long long)below, 1 / (1 - share));
		halvings = floor(log2(1 / (1 - share))) + 1;
		share += 1 / (5 * exp2(halvings));
	}
	fprintf(stream, "#[Mean    = %12.6f, StdDeviation   = %12.6f]\n",
		histogram_mean(histogram) / 1e6, histogram_deviation(histogram) / 1e6);
	fprintf(stream, "#[Max     = %12.6f, Total count    = %12llu]\n",
		(double)histogram->max / 1e6, (unsigned long long)histogram->count);
	fprintf(stream, "#[Buckets = %12d, SubBuckets     = %12d]\n", 32, HISTOGRAM_LINEAR);
	return ferror(stream) == 0;
}
