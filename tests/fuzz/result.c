/* Results of the load generator with changed values, for libFuzzer: each is compared with an
 * unchanged one, and drawn. */
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "hub/base/check.h"
#include "tests/fuzz/mutate.h"
#include "tests/load/ask/load.h"
#include "tests/load/count/hdr.h"
#include "tests/load/run/compare.h"
#include "tests/load/show/json_read.h"
#include "tests/load/show/page.h"
#include "tests/load/show/plot.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Messages about wrong results go to /dev/null; the fuzzer has a descriptor of its own. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	stderr = fopen("/dev/null", "we");
	return stderr == NULL;
}

/* ---- in gnuplot's place, which would take longer than all else ---- */

bool
plot_is_possible(void)
{
	return true;
}

bool
plot_begin(struct plot *plot, const char *name)
{
	*plot = (struct plot){.name = name};
	plot->stream = open_memstream(&plot->script, &plot->length);
	return plot->stream != NULL;
}

void
plot_end(struct plot *plot, FILE *page, const char *caption, const char *alternative)
{
	fclose(plot->stream);
	fprintf(page, "%s %s %zu", caption, alternative, plot->length);
	free(plot->script);
}

void
plot_escape(FILE *page, const char *text)
{
	if (text != NULL)
		fputs(text, page);
}

void
plot_open_page(FILE *page, const char *title)
{
	fputs(title, page);
}

void
plot_close_page(FILE *page)
{
	fputs("\n", page);
}

/* ---- */

static json_t *
read_right(void)
{
	static json_t *right;

	if (right == NULL)
		right = json_read_result(FUZZ_FOLDER "/result.json");
	CHECK(right != NULL);
	return right;
}

/* Reads the result as from its file. */
static json_t *
read_again(const json_t *json)
{
	int fd = memfd_create("result", MFD_CLOEXEC);
	char path[32];
	json_t *again;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	CHECK(fd != -1);
	json_dumpfd(json, fd, 0);
	again = json_read_result(path);
	close(fd);
	return again;
}

static void
compare(const json_t *one, const json_t *other)
{
	static FILE *null;
	int code;

	if (null == NULL)
		null = fopen("/dev/null", "we");
	CHECK(null != NULL);
	code = compare_results(null, one, other, "one", "other", 0.05);
	CHECK(code == LOAD_DONE || code == LOAD_BREACHED || code == LOAD_INVALID);
}

/* Decodes a histogram: its text is made valid around the fuzzer's bytes, since only the decoder
 * understands the compressed ones. */
static void
decode(const uint8_t *data, size_t size)
{
	/* the head of an encoding, with the number of bytes of counts */
	unsigned char head[40] = {0x1c, 0x84, 0x93, 0x13, [15] = 3}, *plain, *packed;
	uLongf length = compressBound(sizeof head + size);
	struct histogram *histogram = calloc(1, sizeof *histogram);
	char *text;

	head[6] = (unsigned char)(size >> 8);
	head[7] = (unsigned char)size;
	plain = malloc(sizeof head + size);
	packed = malloc(8 + length);
	text = malloc((8 + length) / 3 * 4 + 8);
	CHECK(histogram != NULL && plain != NULL && packed != NULL && text != NULL);
	memcpy(plain, head, sizeof head);
	memcpy(plain + sizeof head, data, size);
	memcpy(packed, "\x1c\x84\x93\x14\0\0\0", 8);
	if (compress(packed + 8, &length, plain, sizeof head + size) == Z_OK) {
		EVP_EncodeBlock((unsigned char *)text, packed, (int)(8 + length));
		hdr_decode(text, histogram);
	}
	free(plain);
	free(packed);
	free(text);
	free(histogram);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = {data, size};
	unsigned what = bytes_next(&bytes) % 8;
	json_t *right = read_right(), *changed, *again;

	if (what == 0) {
		decode(bytes.at, bytes.left);
		return 0;
	}
	changed = mutate_json(right, &bytes);
	again = read_again(changed);
	/* One kind of check for each input: a comparison takes long. */
	if (again != NULL && what == 1)
		compare(right, again);
	else if (again != NULL && what == 2)
		compare(again, right);
	else if (again != NULL)
		page_write("/dev/null", what & 1 ? again : right, what & 1 ? right : again);
	json_decref(again);
	json_decref(changed);
	return 0;
}
