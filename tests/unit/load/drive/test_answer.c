#include "tests/load/drive/answer.h"

#include <criterion/criterion.h>
#include <string.h>

static struct reply_form form;
static struct template template;
static struct answer_fault fault;

static void
end(void)
{
	template_free(&template);
}

TestSuite(answer, .fini = end);

/* Judges a reply that comes in pieces of so many bytes; the request's number is 42. */
static enum answer
judge(const char *kind, const char *expected, const char *bytes, size_t size)
{
	struct answer_rule rule = {&form, expected != NULL ? &template : NULL, 42};
	struct reply reply = {0};
	enum answer answer = ANSWER_GOES_ON;
	size_t length = strlen(bytes), at = 0, taken;

	template_setup(1);
	template_free(&template);
	cr_assert_null(reply_form_read(kind, &form));
	if (expected != NULL)
		cr_assert_null(template_read(&template, expected, strlen(expected)));
	memset(&fault, 0, sizeof fault);
	for (; at < length && answer == ANSWER_GOES_ON; at += taken)
		answer = answer_take(&rule, &reply, at, bytes + at,
			size < length - at ? size : length - at, &taken, &fault);
	return answer != ANSWER_GOES_ON ? answer : answer_end(&rule, &reply, &fault);
}

Test(answer, is_right_if_it_begins_as_expected)
{
	static const char *const right[][3] = {{"line", NULL, "any\n"}, {"line", "", "any\n"},
		{"line", "an", "any\n"}, {"line", "any\\n\\{end}", "any\n"},
		{"line", "\\{counter}", "42 is the number\n"}, {"resp", "-ERR", "-ERR no\r\n"},
		{"http", "200", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"},
		{"http", "2", "HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n"},
		{"http", "200 ab\\{end}",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
			"chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"},
		{"http", "404 ", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"},
		{"http", "200 to the end\\{end}", "HTTP/1.1 200 OK\r\n\r\nto the end"}};

	for (size_t i = 0; i < sizeof right / sizeof *right; i++)
		for (size_t size = 1; size < 100; size++)
			cr_assert_eq(judge(right[i][0], right[i][1], right[i][2], size),
				ANSWER_RIGHT, "%s: %s", right[i][2], fault.text);
}

Test(answer, is_named_if_it_is_wrong)
{
	static const struct {
		const char *kind, *expected, *bytes;
		enum message_fault fault;
		const char *text;
	} cases[] = {{"line", "abc", "abd\n", MESSAGE_CORRUPT,
			     "offset 2 of the reply: expected 63, got 64"},
		{"line", "abc", "ab\n", MESSAGE_CORRUPT,
			"offset 2 of the reply: expected 63, got 0a"},
		{"line", "ab\\{end}", "ab\n", MESSAGE_EXTRA,
			"offset 2 of the reply: expected the end, got 0a"},
		{"bytes:2", "abc", "ab", MESSAGE_TRUNCATED,
			"offset 2 of the reply: expected 63, got the end"},
		{"http", "200 hello", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
			MESSAGE_CORRUPT, "offset 5 of status, blank and body: expected 65"},
		{"http", "200", "HTTP/1.1 301 Moved\r\nContent-Length: 2\r\n\r\nhi",
			MESSAGE_CORRUPT,
			"offset 0 of status, blank and body: expected 32 30 30, got 33"},
		{"http", "200 hi!", "HTTP/1.1 200 OK\r\n\r\nhi", MESSAGE_TRUNCATED,
			"offset 6 of status, blank and body: expected 21, got the end"},
		{"resp", NULL, "$1\r\nab\r\n", MESSAGE_CORRUPT,
			"offset 5 of the reply: a carriage return should be here, got 62"}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t size = 1; size < 100; size++) {
			cr_assert_eq(judge(cases[i].kind, cases[i].expected, cases[i].bytes, size),
				ANSWER_WRONG, "%s", cases[i].bytes);
			cr_assert_eq(fault.kind, cases[i].fault, "%s", cases[i].bytes);
			cr_assert_eq(strncmp(fault.text, cases[i].text, strlen(cases[i].text)), 0,
				"%s", fault.text);
		}
}

Test(answer, is_refused_if_the_service_says_so_unexpectedly)
{
	static const char *const refused[][3] = {{"resp", NULL, "-ERR no\r\n"},
		{"resp", "+OK", "-ERR no\r\n"}, {"resp", "-WRONG", "-ERR no\r\n"},
		{"resp", "-ERR no\\r\\nmore", "-ERR no\r\n"},
		{"http", NULL, "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno"},
		{"http", "200 ok", "HTTP/1.1 429 No\r\nContent-Length: 2\r\n\r\nok"},
		{"http", "404 ok", "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno"}};

	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		for (size_t size = 1; size < 100; size++)
			cr_assert_eq(judge(refused[i][0], refused[i][1], refused[i][2], size),
				ANSWER_REFUSED, "%s: %s", refused[i][2], fault.text);
}

Test(answer, goes_on_while_something_is_missing)
{
	cr_assert_eq(judge("line", "a", "a", 1), ANSWER_GOES_ON);
	cr_assert_eq(judge("http", "200", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", 7),
		ANSWER_GOES_ON);
	cr_assert_eq(judge("resp", NULL, "*2\r\n:1\r\n", 3), ANSWER_GOES_ON);
}
