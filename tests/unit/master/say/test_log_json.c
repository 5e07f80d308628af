#include "master/say/log_json.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "hub/base/log.h"
#include "tests/support/complaint.h"

static json_t *
said(const char *message)
{
	json_t *object;

	complaint_listen();
	log_info("%s", message);
	object = json_loads(complaint_heard(), 0, NULL);
	cr_assert_not_null(object);
	return object;
}

static const char *
text_of(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

Test(log_json, a_line_is_json_whatever_the_message)
{
	json_t *object;

	log_json_by(log_json_line);
	log_setup("name", LOG_INFO, LOG_JSON);
	object = said("a \"quoted\"\tthing\\");
	cr_assert_str_eq(text_of(object, "message"), "a \"quoted\" thing\\");
	cr_assert_str_eq(text_of(object, "level"), "info");
	cr_assert_str_eq(text_of(object, "program"), "name");
	json_decref(object);
	object = said("not utf-8: \xff");
	cr_assert_str_eq(text_of(object, "message"), "not utf-8: \\xff");
	json_decref(object);
}

Test(log_json, a_message_without_room_is_still_json)
{
	char line[64];
	int length = log_json_line(
		line, sizeof line, "now", "info", "name", "longer than there is room for, by far");

	cr_assert_eq(line[length - 1], '\n');
	cr_assert_leq(length, (int)sizeof line);
	cr_assert(strncmp(line, "{\"level\":\"info\"", 15) == 0);
}
