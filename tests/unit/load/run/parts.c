/* Results that were made up, each written to its file and read back. */
#include "tests/unit/load/run/parts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "hub/base/clock.h"
#include "tests/load/show/json.h"
#include "tests/support/folder.h"

static char folder[FOLDER_SIZE];
char parts_paths[PARTS_MAX + 4][FOLDER_SIZE + 32];
static struct requests requests;
struct load parts_load, parts_merged_load;
struct part parts_read[PARTS_MAX];
struct result *parts_merged;

void
parts_begin(void)
{
	cr_assert(folder_make(folder));
	for (int i = 0; i < PARTS_MAX + 4; i++)
		snprintf(parts_paths[i], sizeof parts_paths[i], "%s/%d.json", folder, i);
	parts_load = (struct load){.target_count = 1,
		.target_text = {"10.0.0.1:9090"},
		.is_open = true,
		.rate = {.from = 100},
		.rate_text = "100",
		.arrivals_text = "uniform",
		.connections = 4,
		.processes = 1,
		.threads = 1,
		.repeat = 1,
		.requests = &requests,
		.sizes_text = "64",
		.reply_text = "echo",
		.churn = -1,
		.interval = CLOCK_SECOND,
		.max_lag_share = 0.1,
		.timeout = CLOCK_SECOND};
}

void
parts_end(void)
{
	result_free(parts_merged);
	for (int i = 0; i < PARTS_MAX; i++)
		part_free(&parts_read[i]);
	folder_remove(folder);
}

/* ---- results that were made up ---- */

struct result *
parts_make(void)
{
	struct result *result = result_new(&parts_load);

	cr_assert_not_null(result);
	result->run_count = 1;
	result->runs[0] = (struct run){.began = PARTS_BEGAN, .seconds = 10};
	result->total.seconds = 10;
	result->total.tally.opened = result->total.tally.alive_end = parts_load.connections;
	result->cpu_count = 1;
	return result;
}

void
parts_answer(struct result *result, int64_t time)
{
	struct tally *tally = &result->total.tally;

	result->planned++;
	tally->due++, tally->received++, tally->checked++;
	tally->bytes_sent += 64, tally->bytes_received += 64;
	histogram_record(&result->total.response, time);
	histogram_record(&result->total.service, time / 2);
	histogram_record(&result->total.lag, time % 1000);
}

void
parts_store(struct result *result, int number)
{
	json_t *json;

	result_judge(result);
	json = json_result(result);
	cr_assert(json_write(json, parts_paths[number]));
	json_decref(json);
	result_free(result);
}

void
parts_store_good(int number, void (*spoil)(struct result *result))
{
	struct result *result = parts_make();

	for (int i = 0; i < 1000; i++)
		parts_answer(result, CLOCK_MILLISECOND + i);
	if (spoil != NULL)
		spoil(result);
	parts_store(result, number);
}

void
parts_merge(const int *numbers)
{
	unsigned count = 0;

	result_free(parts_merged);
	for (int i = 0; i < PARTS_MAX; i++) {
		part_free(&parts_read[i]);
		parts_read[i] = (struct part){0};
	}
	for (; numbers[count] != -1; count++)
		cr_assert(part_read(&parts_read[count], parts_paths[numbers[count]]), "%d",
			numbers[count]);
	parts_merged_load = (struct load){0};
	parts_merged = merge_parts(parts_read, count, &parts_merged_load);
	cr_assert_not_null(parts_merged);
}

void
parts_keep(int number)
{
	json_t *json = json_result(parts_merged);

	cr_assert(json_write(json, parts_paths[number]));
	json_decref(json);
}

bool
parts_noted(const char *text)
{
	for (unsigned i = 0; i < parts_merged->note_count; i++)
		if (strstr(parts_merged->notes[i], text) != NULL)
			return true;
	return false;
}
