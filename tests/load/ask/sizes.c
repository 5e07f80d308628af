/* Parses the forms of --size, and draws lengths. A mix is stored as cumulative shares, so drawing
 * one length takes one random number. */
#include "tests/load/ask/sizes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "master/base/values.h"
#include "tests/load/ask/random.h"

#define LINES_MAX 1000 /* lines of a file of sizes */

static bool
read_size(const char *text, uint32_t *size)
{
	double value;

	if (!values_read_number(text, &value) || value < 1 || value > SIZES_LIMIT ||
		value != (uint32_t)value)
		return false;
	*size = (uint32_t)value;
	return true;
}

static const char *
add_to_mix(struct sizes *sizes, const char *size, const char *weight)
{
	double share = 1;

	if (sizes->mix_count == SIZES_MIX_MAX)
		return "a mix has at most 64 sizes";
	if (!read_size(size, &sizes->mix[sizes->mix_count].size) ||
		(weight != NULL && !values_read_number(weight, &share)))
		return "a mix is SIZE:WEIGHT,SIZE:WEIGHT,... with sizes from 1 to 16Mi";
	if (sizes->mix_count > 0)
		share += sizes->mix[sizes->mix_count - 1].up_to;
	sizes->mix[sizes->mix_count++].up_to = share;
	return NULL;
}

static const char *
finish_mix(struct sizes *sizes)
{
	double all = sizes->mix_count > 0 ? sizes->mix[sizes->mix_count - 1].up_to : 0;

	if (!(all > 0))
		return "a mix needs a size with a weight above 0";
	for (unsigned i = 0; i < sizes->mix_count; i++)
		sizes->mix[i].up_to /= all;
	sizes->kind = SIZES_MIX;
	return NULL;
}

static const char *
read_mix(char *text, struct sizes *sizes)
{
	const char *why = NULL;
	char *rest = NULL;

	for (char *item = strtok_r(text, ",", &rest); item != NULL && why == NULL;
		item = strtok_r(NULL, ",", &rest)) {
		char *colon = strchr(item, ':');

		if (colon != NULL)
			*colon++ = '\0';
		why = add_to_mix(sizes, item, colon);
	}
	return why != NULL ? why : finish_mix(sizes);
}

static const char *
add_line(struct sizes *sizes, char *line)
{
	char *rest = NULL, *size = strtok_r(line, " \t\n", &rest);

	return size == NULL || *size == '#'
		       ? NULL
		       : add_to_mix(sizes, size, strtok_r(NULL, " \t\n", &rest));
}

static const char *
read_file(const char *path, struct sizes *sizes)
{
	FILE *file = fopen(path, "re");
	const char *why = NULL;
	char line[128];

	if (file == NULL)
		return "the file cannot be opened";
	for (int i = 0; why == NULL && fgets(line, sizeof line, file) != NULL; i++) {
		if (i == LINES_MAX || strlen(line) == sizeof line - 1 || *line == '\0')
			why = "it is no list of sizes: SIZE [WEIGHT], one a line";
		else
			why = add_line(sizes, line);
	}
	fclose(file);
	return why != NULL ? why : finish_mix(sizes);
}

const char *
sizes_read(const char *text, struct sizes *sizes)
{
	char copy[1024], *dash;

	memset(sizes, 0, sizeof *sizes);
	if (*text == '@')
		return read_file(text + 1, sizes);
	if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
		return "too long; write a mix into a file and pass @FILE";
	if (strncmp(copy, "exp:", 4) == 0) {
		sizes->kind = SIZES_EXPONENTIAL;
		return read_size(copy + 4, &sizes->low) ? NULL : "exp:MEAN takes 1 to 16Mi";
	}
	if (strpbrk(copy, ":,") != NULL)
		return read_mix(copy, sizes);
	dash = strchr(copy, '-');
	if (dash != NULL)
		*dash = '\0';
	if (!read_size(copy, &sizes->low) || (dash != NULL && !read_size(dash + 1, &sizes->high)))
		return "sizes are bytes from 1 to 16Mi: 64, 16-4096, exp:512, 64:90,1024:10 or "
		       "@FILE";
	if (dash == NULL)
		return NULL;
	sizes->kind = SIZES_RANGE;
	return sizes->low <= sizes->high ? NULL : "a range is written from low to high";
}

uint32_t
sizes_draw(const struct sizes *sizes, uint64_t *random)
{
	double value;

	switch (sizes->kind) {
	case SIZES_FIXED:
		return sizes->low;
	case SIZES_RANGE:
		return sizes->low +
		       (uint32_t)(random_unit(random) * (sizes->high - sizes->low + 1));
	case SIZES_EXPONENTIAL:
		value = 1 + random_exponential(random) * (sizes->low - 1);
		return value < SIZES_LIMIT ? (uint32_t)value : SIZES_LIMIT;
	case SIZES_MIX:
		value = random_unit(random);
		for (unsigned i = 0; i + 1 < sizes->mix_count; i++)
			if (value < sizes->mix[i].up_to)
				return sizes->mix[i].size;
		return sizes->mix[sizes->mix_count - 1].size;
	}
	return sizes->low;
}

double
sizes_mean(const struct sizes *sizes)
{
	double mean = 0, before = 0;

	if (sizes->kind == SIZES_RANGE)
		return ((double)sizes->low + sizes->high) / 2;
	if (sizes->kind != SIZES_MIX)
		return sizes->low;
	for (unsigned i = 0; i < sizes->mix_count; i++) {
		mean += sizes->mix[i].size * (sizes->mix[i].up_to - before);
		before = sizes->mix[i].up_to;
	}
	return mean;
}

uint32_t
sizes_least(const struct sizes *sizes)
{
	uint32_t least = sizes->kind == SIZES_MIX ? SIZES_LIMIT : sizes->low;

	if (sizes->kind == SIZES_EXPONENTIAL)
		return 1;
	for (unsigned i = 0; i < sizes->mix_count; i++)
		if (sizes->mix[i].size < least)
			least = sizes->mix[i].size;
	return least;
}

uint32_t
sizes_most(const struct sizes *sizes)
{
	uint32_t most = sizes->kind == SIZES_RANGE ? sizes->high : sizes->low;

	if (sizes->kind == SIZES_EXPONENTIAL)
		return SIZES_LIMIT;
	for (unsigned i = 0; i < sizes->mix_count; i++)
		if (sizes->mix[i].size > most)
			most = sizes->mix[i].size;
	return most;
}
