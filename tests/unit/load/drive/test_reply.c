#include "tests/load/drive/reply.h"

#include <criterion/criterion.h>

#include "tests/unit/load/drive/replies.h"

Test(reply, ends_where_its_kind_says)
{
	static const struct reply_case cases[] = {{"line", "\n", NULL, NULL},
		{"line", "hello\r\n", NULL, NULL}, {"len32", "0000", "", NULL},
		{"len32", "0005hello", "hello", NULL}, {"bytes:1", "x", NULL, NULL},
		{"bytes:7", "a\nb\nc\nd", NULL, NULL}, {"until:\\r\\n", "\n\r\r\n", NULL, NULL},
		{"until:aab", "aaaab", NULL, NULL}, {"until:abcabd", "abcabcabd", NULL, NULL},
		{"until:abab", "abaabab", NULL, NULL}, {"until:x", "x", NULL, NULL},
		{"until:\\n.\\n", "..\n.\n", NULL, NULL}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		replies_expect(&cases[i]);
}
