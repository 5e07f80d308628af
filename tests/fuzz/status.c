/* The state of a hostile server, for libFuzzer: hubbub-ctl prints it without failing. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "master/ctl/picture.h"
#include "master/ctl/plain.h"
#include "master/ctl/view.h"
#include "tests/fuzz/mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *
read_right(void)
{
	static json_t *right;

	if (right == NULL)
		right = json_load_file(FUZZ_FOLDER "/status.json", 0, NULL);
	CHECK(right != NULL);
	return right;
}

/* Shows it as top does, which has an earlier state beside this one, on a screen of that size. */
static void
look(const json_t *state, const json_t *before, unsigned rows, int columns)
{
	static const char keys[] = "\0>r/a\n";
	static struct screen_line lines[100];
	struct picture picture = {0};

	for (size_t i = 0; i < sizeof keys; i++) {
		picture_key(&picture, keys[i]);
		picture_compose(&picture, lines, rows, columns, state, before, 1);
		for (unsigned row = 0; row < rows; row++) {
			size_t length = strnlen(lines[row].text, SCREEN_LINE_SIZE);

			CHECK(length < SCREEN_LINE_SIZE);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = {data, size};
	json_t *state = mutate_json(read_right(), &bytes);
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	CHECK(stream != NULL);
	view_print(stream, state);
	fclose(stream);
	plain(text);
	free(text);
	look(state, read_right(), 100, 200);
	look(read_right(), state, 100, 200);
	look(state, read_right(), size % 12, (int)size % 90);
	json_decref(state);
	return 0;
}
