/* Each row of the table tells how its option can be changed (enum hubbub_change); only --listen and
 * --tls-cert need more than that. An upgrade compares with JSON, because the former master's
 * program may have other rows. */
#include "master/start/options_compare.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "master/start/row.h"

#define MORE ", ..."

/* Returns a table of both parts that is only read. */
static struct table
table_of(const struct options *options, const struct hubbub_service *service)
{
	return (struct table){.parts = {{options_rows, (void *)(uintptr_t)options},
				      {service->options, options->context}}};
}

/* A reload may replace the certificate, but may not turn TLS on or off: a truncated @FILE must not
 * make the server send plain text. */
static bool
is_tls(const struct hubbub_option *row)
{
	return row->offset == offsetof(struct options, tls_certificate) &&
	       strcmp(row->name, "tls-cert") == 0;
}

/* How an option that differs can be changed. An upgrade accepts --listen only if it means the same
 * addresses in another spelling, so for new addresses it is fixed. */
static enum hubbub_change
change_of(const struct hubbub_option *row)
{
	if (strcmp(row->name, "listen") == 0)
		return HUBBUB_FIXED;
	return is_tls(row) ? HUBBUB_UPGRADABLE : row->change;
}

/* Whether a reload would have to change an option that it cannot change. */
static bool
differs(const struct hubbub_option *row, const void *was, const void *is)
{
	if (is_tls(row))
		return (((const struct options *)was)->tls_certificate == NULL) !=
		       (((const struct options *)is)->tls_certificate == NULL);
	return row->change != HUBBUB_RELOADABLE && row->change != HUBBUB_ACTION &&
	       !row_is_same(row, was, is);
}

static void
add_difference(struct options_difference *difference, const struct hubbub_option *row)
{
	size_t used = strlen(difference->names);
	const char *separator = used == 0 ? "--" : ", --";

	if (change_of(row) > difference->change)
		difference->change = change_of(row);
	/* Room for MORE stays reserved until MORE is appended. */
	if (used + strlen(separator) + strlen(row->name) + sizeof MORE <= OPTIONS_NAMES_SIZE) {
		strcat(difference->names, separator);
		strcat(difference->names, row->name);
	} else if (strstr(difference->names, MORE) == NULL) {
		strcat(difference->names, MORE);
	}
}

struct options_difference
options_compare(
	const struct options *now, const struct options *next, const struct hubbub_service *service)
{
	const struct table former = table_of(now, service), latter = table_of(next, service);
	struct options_difference difference = {.change = HUBBUB_RELOADABLE};
	const struct hubbub_option *row;
	void *was, *is;

	for (size_t i = 0; (row = table_row(&former, i, &was)) != NULL; i++) {
		table_row(&latter, i, &is);
		if (differs(row, was, is))
			add_difference(&difference, row);
	}
	return difference;
}

json_t *
options_fixed_json(const struct options *options, const struct hubbub_service *service)
{
	const struct table table = table_of(options, service);
	json_t *object = json_object();
	const struct hubbub_option *row;
	void *fields;

	for (size_t i = 0; (row = table_row(&table, i, &fields)) != NULL; i++)
		if (row->change == HUBBUB_FIXED)
			json_object_set_new(object, row->name, row_json(row, fields));
	return object;
}

/* Whether an option is what it was; was is NULL if the former program did not have the option. */
static bool
is_as_former(const struct hubbub_option *row, const void *fields, const json_t *was, bool is_given)
{
	json_t *own = row_json(row, fields);
	bool is_same = was != NULL ? json_equal(own, was) : !is_given;

	json_decref(own);
	return is_same;
}

struct options_difference
options_compare_former(
	const struct options *options, const struct hubbub_service *service, const json_t *former)
{
	const struct table table = table_of(options, service);
	struct options_difference difference = {.change = HUBBUB_RELOADABLE};
	const struct hubbub_option *row;
	void *fields;

	for (size_t i = 0; (row = table_row(&table, i, &fields)) != NULL; i++)
		if (row->change == HUBBUB_FIXED &&
			!is_as_former(row, fields, json_object_get(former, row->name),
				table_last_given(&options->givens, i) != NULL))
			add_difference(&difference, row);
	return difference;
}
