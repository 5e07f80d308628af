#include "hub/base/log.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

static int saved, pipes[2];

/* What was written to stderr since capture, as a string. */
static void
capture(void)
{
	saved = dup(STDERR_FILENO);
	cr_assert_eq(pipe(pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
}

static void
release(char *text, size_t size)
{
	ssize_t length;

	dup2(saved, STDERR_FILENO);
	close(saved);
	close(pipes[1]);
	length = read(pipes[0], text, size - 1);
	text[length > 0 ? length : 0] = '\0';
	close(pipes[0]);
}

Test(log, a_text_line_has_time_level_program_and_message)
{
	char text[512];

	log_setup("name", LOG_INFO, LOG_TEXT);
	capture();
	log_warning("%d of %s\nhere", 3, "them");
	release(text, sizeof text);
	cr_assert_not_null(strstr(text, "Z warning name["));
	cr_assert_not_null(strstr(text, "]: 3 of them here\n"));
}

Test(log, a_json_line_is_json_whatever_the_message)
{
	char text[4096];
	json_t *object;

	log_setup("name", LOG_INFO, LOG_JSON);
	capture();
	log_info("a \"quoted\"\tthing\\");
	release(text, sizeof text);
	object = json_loads(text, 0, NULL);
	cr_assert_not_null(object);
	cr_assert_str_eq(
		json_string_value(json_object_get(object, "message")), "a \"quoted\" thing\\");
	cr_assert_str_eq(json_string_value(json_object_get(object, "level")), "info");
	json_decref(object);
	capture();
	log_info("not utf-8: \xff");
	release(text, sizeof text);
	object = json_loads(text, 0, NULL);
	cr_assert_not_null(object, "%s", text);
	cr_assert_str_eq(json_string_value(json_object_get(object, "message")), "not utf-8: \\xff");
	json_decref(object);
}

Test(log, what_is_below_the_level_is_not_written)
{
	char text[64];

	log_setup("name", LOG_ERROR, LOG_TEXT);
	capture();
	log_info("nobody wants this");
	release(text, sizeof text);
	cr_assert_str_empty(text);
}
