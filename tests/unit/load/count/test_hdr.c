#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/ask/random.h"
#include "tests/load/count/hdr.h"

static struct histogram before, after;

static void
fill(int count, int64_t scale)
{
	uint64_t random = random_seed((uint64_t)count, 1);

	before = (struct histogram){0};
	for (int i = 0; i < count; i++)
		histogram_record(&before, (int64_t)(random_exponential(&random) * (double)scale));
}

Test(hdr, what_is_encoded_is_decoded_without_loss)
{
	static const int64_t scales[] = {1, 1000, 50000, 10000000, 1000000000000};

	for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
		char *text;

		fill(10000, scales[i]);
		text = hdr_encode(&before);
		cr_assert_not_null(text);
		cr_assert_eq(strncmp(text, "HISTFAA", 7), 0, "%.12s", text);
		cr_assert(hdr_decode(text, &after));
		cr_assert_eq(after.count, before.count);
		cr_assert_arr_eq(after.buckets, before.buckets, sizeof before.buckets);
		free(text);
	}
}

/* Written by the JavaScript library of HdrHistogram (hdr-histogram-js 3.0.1, three digits, up to
 * 2^42 - 1), from the values 1, 2, 1000, 1001, 5000 (a hundred times), 123456789. */
Test(hdr, what_another_library_encoded_is_decoded)
{
	static const char text[] =
		"HISTFAAAADF4nJNpmSzMwMDAz8DAwMjAwMDMAAGMDAzM/0EAzmdiOsnPxPRe+QTj+5eMTADn4Qrw";

	cr_assert(hdr_decode(text, &after));
	cr_assert_eq(after.count, 105);
	cr_assert_eq(after.buckets[histogram_bucket(1)], 1);
	cr_assert_eq(after.buckets[histogram_bucket(1000)], 1);
	cr_assert_eq(after.buckets[histogram_bucket(1001)], 1);
	cr_assert_eq(after.buckets[histogram_bucket(5000)], 100);
	cr_assert_eq(after.buckets[histogram_bucket(123456789)], 1);
}

Test(hdr, damaged_texts_are_refused)
{
	char *text, *copy;

	fill(1000, 100000);
	text = hdr_encode(&before);
	copy = strdup(text);
	cr_assert_not(hdr_decode("", &after));
	cr_assert_not(hdr_decode("HISTFAAAA", &after));
	cr_assert_not(hdr_decode("no base64!", &after));
	for (size_t i = 0; i < strlen(text); i += 7) {
		strcpy(copy, text);
		copy[i] = '\0';
		hdr_decode(copy, &after);
		strcpy(copy, text);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		/* It may be right by chance; it must not read or write beyond. */
		hdr_decode(copy, &after);
	}
	free(copy);
	free(text);
}

Test(hdr, the_spectrum_ends_at_the_maximum_with_all_values)
{
	char *text = NULL, *line, *last_number = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	double value, share, last_share = -1;
	unsigned long total;
	int lines = 0;

	fill(50000, 100000);
	cr_assert(hdr_write_spectrum(stream, &before));
	fclose(stream);
	for (line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		if (sscanf(line, "%lf %lf %lu", &value, &share, &total) == 3) {
			cr_assert_gt(share, last_share);
			last_share = share;
			last_number = line;
			lines++;
		}
	cr_assert_gt(lines, 40);
	cr_assert_not_null(last_number);
	cr_assert_eq(share, 1);
	cr_assert_eq(total, 50000);
	cr_assert_float_eq(value, (double)before.max / 1e6, 1e-6);
	free(text);
}
