#include <criterion/criterion.h>

#include "tests/unit/load/drive/replies.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define LENGTH(n) "Content-Length: " #n "\r\n"
#define CHUNKED "transfer-encoding: gzip, Chunked\r\n"

Test(reply_http, a_body_ends_where_its_headers_say)
{
	static const struct reply_case cases[] = {
		{"http", OK LENGTH(5) "\r\nhello", "200 hello", NULL},
		{"http", OK "Server: a:b, close\r\nCONTENT-LENGTH:3 \r\nX: y\r\n\r\nabc", "200 abc",
			NULL},
		{"http", OK LENGTH(0) "\r\n", "200 ", NULL},
		{"http", "HTTP/1.1 404\r\nContent-Length: 2\r\n\r\nno", "404 no", "e"},
		{"http", "HTTP/1.1 503 Busy\nContent-Length: 1\n\nx", "503 x", "e"},
		{"http", "HTTP/1.1 204 None\r\n" CHUNKED "\r\n", "204 ", NULL},
		{"http", "HTTP/1.1 304 Same\r\n" LENGTH(9) "\r\n", "304 ", NULL},
		{"http", OK LENGTH(9) "\r\n", "200 ", "h"}, {"http", OK "\r\n", "200 ", "h"},
		/* Content-Length is no part of a name, nor are other names that begin like it. */
		{"http", OK "X-Content-Length: 1\r\nContent-Lengths: 1\r\n" LENGTH(2) "\r\nab",
			"200 ab", NULL},
		{"http",
			"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" OK
				LENGTH(1) "\r\nx",
			"200 x", NULL}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		replies_expect(&cases[i]);
}

Test(reply_http, a_chunked_body_is_without_its_chunks)
{
	static const struct reply_case cases[] = {
		{"http", OK CHUNKED "\r\n0\r\n\r\n", "200 ", NULL},
		{"http", OK CHUNKED "\r\n5\r\nhel\r\n\r\n00A;x=1\r\n0123456789\r\n0\r\n\r\n",
			"200 hel\r\n0123456789", NULL},
		{"http", OK CHUNKED "\r\n1\r\nx\r\n0\r\nTrailer: 1\r\nY:\r\n\r\n", "200 x", NULL},
		{"http", OK CHUNKED "\r\n1\nx\n0\n\n", "200 x", NULL}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		replies_expect(&cases[i]);
}

Test(reply_http, whether_a_connection_goes_on_is_known)
{
	static const struct reply_case cases[] = {
		{"http", OK "Connection: close\r\n" LENGTH(1) "\r\nx", "200 x", "c"},
		{"http", OK "connection: Upgrade , Close\r\n" LENGTH(1) "\r\nx", "200 x", "c"},
		{"http", OK "Connection: keep-alive\r\n" LENGTH(1) "\r\nx", "200 x", NULL},
		{"http", "HTTP/1.0 200 OK\r\n" LENGTH(1) "\r\nx", "200 x", "c"},
		{"http", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" LENGTH(1) "\r\nx", "200 x",
			NULL},
		{"http", OK "\r\nto the end", "200 to the end", "co"},
		{"http", OK "Transfer-Encoding: chunked, gzip\r\n\r\n", "200 ", "co"}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		replies_expect(&cases[i]);
}

Test(reply_http, garbage_is_found_at_its_first_byte)
{
	replies_refuse("http", "-ERR unknown command\r\n", 0);
	replies_refuse("http", "HTTP/2 200\r\n", 5);
	replies_refuse("http", "HTTP/1.1 20x\r\n", 11);
	replies_refuse("http", "HTTP/1.1 999 No\r\n", 9);
	replies_refuse("http", "HTTP/1.1 2000\r\n", 12);
	replies_refuse("http", OK "no header\r\n", 27);
	replies_refuse("http", OK "Content-Length: \r\n", 34);
	replies_refuse("http", OK "Content-Length: 1x\r\n", 34);
	replies_refuse("http", OK "Content-Length: -1\r\n", 33);
	replies_refuse("http", OK LENGTH(1) LENGTH(1) "\r\n", 50);
	replies_refuse("http", OK "Content-Length: 99999999999999999999\r\n", 48);
	replies_refuse("http", OK "Content-Length: 1 2\r\n", 35);
	replies_refuse("http", OK CHUNKED LENGTH(1) "\r\n", 72);
	replies_refuse("http", OK LENGTH(1) CHUNKED "\r\n", 72);
	replies_refuse("http", OK CHUNKED "\r\nx\r\n", 53);
	replies_refuse("http", OK CHUNKED "\r\n\r\n", 53);
	replies_refuse("http", OK CHUNKED "\r\n1\r\nab\r\n", 57);
	replies_refuse("http", OK CHUNKED "\r\nffffffffffffffff\r\n", 65);
}
