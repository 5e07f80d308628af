/* The fixture of test_reload, test_upgrade and test_change. */
#include "tests/system/changing.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/client.h"

struct server server;
char output[PROGRAM_OUTPUT_SIZE];
char folder[FOLDER_SIZE], arguments[96], argument[100];

void
changing_begin(void)
{
	cr_assert(folder_make(folder));
	snprintf(arguments, sizeof arguments, "%s/arguments", folder);
	snprintf(argument, sizeof argument, "@%s", arguments);
}

void
changing_end(void)
{
	server_clean(&server);
	folder_remove(folder);
}

void
changing_write(const char *text)
{
	FILE *file = fopen(arguments, "w");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

int
changing_ctl(const char *command)
{
	return server_ctl(&server, command, NULL, output, sizeof output);
}

unsigned
changing_count(const char *text)
{
	unsigned found = 0;

	for (const char *at = server.program.text; (at = strstr(at, text)) != NULL; at++)
		found++;
	return found;
}

bool
changing_is_before(const char *one, const char *other)
{
	const char *first = strstr(server.program.text, one);
	const char *second = strstr(server.program.text, other);

	return first != NULL && second != NULL && first < second;
}

struct wish {
	const char *text;
	unsigned times;
};

static bool
is_printed(void *context)
{
	const struct wish *wish = context;

	program_expect(&server.program, "no such text", 0.01);
	return changing_count(wish->text) >= wish->times;
}

bool
changing_expect(const char *text, unsigned times)
{
	struct wish wish = {text, times};

	return changing_count(text) >= times || wait_until(is_printed, &wish, 20);
}

bool
changing_answers(const char *text, const char *expected)
{
	return client_is_answered(client_connect(server.program.port), text, expected);
}

bool
changing_is_as_before(void *master)
{
	json_t *state = server_stats(&server);
	bool is_so = json_integer_value(json_object_get(state, "pid")) == *(pid_t *)master &&
		     json_is_true(json_object_get(state, "ready")) &&
		     json_is_false(json_object_get(state, "changing"));

	json_decref(state);
	return is_so && changing_answers("still", "STILL");
}
