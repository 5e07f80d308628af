#include <criterion/criterion.h>

#include "tests/unit/load/drive/replies.h"

Test(reply_resp, a_value_ends_with_the_last_one_in_it)
{
	static const struct reply_case cases[] = {{"resp", "+OK\r\n", NULL, NULL},
		{"resp", "+\r\n", NULL, NULL}, {"resp", ":-12\r\n", NULL, NULL},
		{"resp", "-ERR no\r\n", NULL, "e"}, {"resp", "$5\r\na\r\n-b\r\n", NULL, NULL},
		{"resp", "$0\r\n\r\n", NULL, NULL}, {"resp", "$-1\r\n", NULL, NULL},
		{"resp", "*0\r\n", NULL, NULL}, {"resp", "*-1\r\n", NULL, NULL},
		{"resp", "*2\r\n$1\r\na\r\n:7\r\n", NULL, NULL},
		/* An error within an array is a value. */
		{"resp", "*2\r\n-ERR\r\n+OK\r\n", NULL, NULL},
		{"resp", "*1\r\n-ERR\r\n", NULL, NULL},
		{"resp", "*3\r\n*2\r\n:1\r\n*0\r\n*1\r\n*1\r\n$-1\r\n*-1\r\n", NULL, NULL}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		replies_expect(&cases[i]);
}

Test(reply_resp, garbage_is_found_at_its_first_byte)
{
	replies_refuse("resp", "HTTP/1.1", 0);
	replies_refuse("resp", "\n", 0);
	replies_refuse("resp", "+OK\n", 3);
	replies_refuse("resp", "+OK\r+", 4);
	replies_refuse("resp", ":\r\n", 1);
	replies_refuse("resp", ":1x\r\n", 2);
	replies_refuse("resp", "$--1\r\n", 2);
	replies_refuse("resp", "$-2\r\n", 4);
	replies_refuse("resp", "*-12\r\n", 5);
	replies_refuse("resp", "$1\r\nab\r\n", 5);
	replies_refuse("resp", "$1\r\na\rb", 6);
	replies_refuse("resp", "*1\r\nx", 4);
	replies_refuse("resp", "*4000000000\r\n", 12);
	replies_refuse("resp", "$99999999999999999999\r\n", 14);
}
