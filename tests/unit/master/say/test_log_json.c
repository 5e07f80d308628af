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

/* The entry as an object; NULL if it is no JSON. */
static json_t *
object_of(const struct log_entry *entry, size_t most)
{
	char line[LOG_LINE_MAX];
	size_t length = log_json_line(line, sizeof line, most, "now", "name", entry);

	cr_assert(length > 0 && line[length - 1] == '\n');
	cr_assert_null(memchr(line, '\n', length - 1));
	return json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
}

#define FIELD(name, value, is_number)                                                              \
	{                                                                                          \
		name, sizeof name - 1, value, sizeof value - 1, is_number                          \
	}

Test(log_json, fields_cannot_take_the_place_of_other_keys)
{
	struct log_field fields[] = {
		FIELD("level", "x\"}\n\0\xff", false), FIELD("worker", "9", true)};
	struct log_field context[] = {FIELD("worker", "3", true), FIELD("client", "unix", false)};
	struct log_entry entry = {LOG_ERROR, 0, "said", 4, fields, 2, context, 2, false};
	json_t *object = object_of(&entry, 100);
	json_t *inner = json_object_get(object, "fields");

	cr_assert_not_null(object);
	cr_assert_str_eq(text_of(object, "message"), "said");
	cr_assert_str_eq(text_of(object, "level"), "error");
	cr_assert_str_eq(text_of(object, "client"), "unix");
	cr_assert_eq(json_integer_value(json_object_get(object, "worker")), 3);
	cr_assert_str_eq(text_of(inner, "level"), "x\"}\n\\x00\\xff");
	cr_assert_eq(json_integer_value(json_object_get(inner, "worker")), 9);
	json_decref(object);
}

/* The value of a field that was printed as a number. */
static const char *
number_as(const char *value)
{
	static char text[64];
	struct log_field field = {"n", 1, value, strlen(value), true};
	json_t *object =
		object_of(&(struct log_entry){LOG_INFO, 0, "", 0, &field, 1, NULL, 0, false}, 100);
	json_t *number = json_object_get(json_object_get(object, "fields"), "n");
	size_t length = json_dumpb(
		number, text, sizeof text - 1, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

	text[length] = '\0';
	json_decref(object);
	return text;
}

Test(log_json, a_number_is_one_if_json_has_it)
{
	cr_expect_str_eq(number_as("-12"), "-12");
	cr_expect_str_eq(number_as("0.1"), "0.1");
	cr_expect_str_eq(number_as("9223372036854775807"), "9223372036854775807");
	cr_expect_str_eq(number_as("18446744073709551615"), "\"18446744073709551615\"");
	cr_expect_str_eq(number_as("007"), "\"007\"");
	cr_expect_str_eq(number_as("inf"), "\"inf\"");
	cr_expect_str_eq(number_as("3,5"), "\"3,5\"");
	cr_expect_str_eq(number_as(""), "\"\"");
}

Test(log_json, a_text_is_cut_where_it_is_too_long)
{
	struct log_field field = FIELD("key", "123456", false);
	struct log_entry entry = {LOG_INFO, 0, "1234\xc3\xa4", 6, &field, 1, NULL, 0, false};
	json_t *object = object_of(&entry, 5);

	cr_assert_str_eq(text_of(object, "message"), "1234...");
	cr_assert_str_eq(text_of(json_object_get(object, "fields"), "key"), "12345...");
	json_decref(object);
}

Test(log_json, a_line_without_room_is_none)
{
	struct log_entry entry = {.level = LOG_INFO, .message = "longer", .length = 6};
	char line[64];

	cr_assert_eq(log_json_line(line, sizeof line, 100, "now", "name", &entry), 0);
}

/* Six bytes for each. */
Test(log_json, a_long_message_is_cut_until_the_line_has_room)
{
	static char long_message[LOG_LINE_MAX];
	struct log_entry entry = {
		LOG_INFO, 0, long_message, sizeof long_message, NULL, 0, NULL, 0, false};
	json_t *object;

	memset(long_message, 1, sizeof long_message);
	log_json_by(log_json_line);
	log_setup("name", LOG_INFO, LOG_JSON);
	complaint_listen();
	log_put(&entry);
	object = json_loads(complaint_heard(), 0, NULL);
	cr_assert_gt(strlen(text_of(object, "message")), 100);
	json_decref(object);
}
