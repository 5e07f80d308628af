/* How hubbub-load begins its connections: as a balancer does, by a PROXY header, and with protocols
 * over TLS. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/certificate.h"
#include "tests/support/loader.h"
#include "tests/support/server.h"

static struct loader loader;
static struct server server;
static struct certificate certificate;

static void
clean(void)
{
	loader_clean(&loader);
	server_clean(&server);
	certificate_clean(&certificate);
}

TestSuite(load_beginnings, .fini = clean, .timeout = 600);

/* Loads the server, and expects the exit code. */
#define expect(code, ...)                                                                          \
	cr_assert_eq(loader_run(&loader, server.program.port, "-c", "20", __VA_ARGS__, NULL),      \
		code, "%s", loader.program.text)

/* Each peer may have one connection only, so all are of different peers. */
Test(load_beginnings, each_connection_names_another_client)
{
	cr_assert(server_start(
		&server, "hubbub-echo", "1", "2", "--proxy-protocol=on", "--max-per-peer=1", NULL));
	expect(0, "-n", "400", "--proxy-header=v1", "--idle=10", "-t", "2");
	expect(0, "-n", "400", "--proxy-header=v2", "--churn=3", "-t", "2");
	cr_assert_str_eq(json_string_value(json_object_get(
				 json_object_get(loader.result, "config"), "proxy_header")),
		"v2");
	expect(0, "-n", "100", "--proxy-header=v2", "--churn=0");
	cr_assert_eq(server_number(&server, "totals.refused"), 0);
	expect(3, "-n", "100", "--timeout=1s");
}

Test(load_beginnings, a_proxy_header_is_before_tls)
{
	cr_assert(certificate_make(&certificate));
	cr_assert(server_start(&server, "hubbub-echo", "1", "2", "--proxy-protocol=on",
		"--max-per-peer=1", certificate.cert_option, certificate.key_option, NULL));
	expect(0, "-n", "100", "--proxy-header=v1", "--tls", certificate.ca_option);
	cr_assert_eq(server_number(&server, "totals.refused"), 0);
}

/* A service of lines (waits.c). */
Test(load_beginnings, a_proxy_header_is_before_requests)
{
	cr_assert(server_start(
		&server, "waits", "1", "2", "--proxy-protocol=on", "--max-per-peer=1", NULL));
	expect(0, "-n", "400", "--proxy-header=v1", "--request=hello \\{counter}\\n",
		"--expect=HELLO \\{counter}\\n\\{end}", "--reply=line", "--idle=10");
	expect(0, "-n", "400", "--proxy-header=v2", "--request=hello\\n", "--expect=HELLO",
		"--reply=line", "--churn=3");
	cr_assert_eq(server_number(&server, "totals.refused"), 0);
}

Test(load_beginnings, a_check_begins_as_a_run_does)
{
	struct program *program = &loader.program;
	char target[32];
	char *argv[] = {
		NULL, "check", target, "--request=a\\n", "--reply=line", "--proxy-header=v1", NULL};

	cr_assert(server_start(&server, "waits", "1", "2", "--proxy-protocol=on", NULL));
	snprintf(target, sizeof target, "127.0.0.1:%d", server.program.port);
	argv[0] = program_path("hubbub-load");
	cr_assert(program_start(program, argv, 0));
	cr_assert_eq(program_wait(program, 60), 0, "%s", program->text);
	cr_assert_not_null(strstr(program->text, "one message answered and verified"));
	program_end(program);
	argv[5] = NULL;
	cr_assert(program_start(program, argv, 0));
	cr_assert_eq(program_wait(program, 60), 1, "%s", program->text);
	cr_assert_not_null(strstr(program->text, "not ready"), "%s", program->text);
}

Test(load_beginnings, a_unix_socket_takes_one_too)
{
	char path[FOLDER_SIZE + 32], listen[FOLDER_SIZE + 48];

	cr_assert(folder_make(certificate.folder));
	snprintf(path, sizeof path, "unix:%s/echo.sock", certificate.folder);
	snprintf(listen, sizeof listen, "--listen=%s", path);
	cr_assert(server_start(
		&server, "hubbub-echo", "1", "1", "--proxy-protocol=on", listen, NULL));
	for (int i = 0; i < 2; i++)
		cr_assert_eq(
			loader_run(&loader, 0, "-n", "100",
				i == 0 ? "--proxy-header=v1" : "--proxy-header=v2", path, NULL),
			0, "%s", loader.program.text);
	cr_assert_eq(server_number(&server, "totals.refused"), 0);
}

/* How many handshakes agreed on the protocol; "" is none. */
static int
agreed(const char *protocol)
{
	const json_t *connections = json_object_get(loader.result, "connections");

	return (int)json_integer_value(
		json_object_get(json_object_get(connections, "alpn"), protocol));
}

Test(load_beginnings, the_result_says_on_which_protocol_tls_agreed)
{
	cr_assert(certificate_make(&certificate));
	cr_assert(server_start(&server, "example-peer", "1", "1", certificate.cert_option,
		certificate.key_option, NULL));
	expect(0, "-n", "50", "--churn=0", "--tls", certificate.ca_option,
		"--alpn=http/1.1,peer/1");
	cr_assert_eq(agreed("http/1.1"), 0);
	cr_assert_eq(agreed(""), 0);
	cr_assert_geq(agreed("peer/1"), 50);
	/* The server's choice, of which it prefers peer/2. */
	expect(0, "-n", "50", "--churn=0", "--tls", certificate.ca_option, "--alpn=peer/1,peer/2");
	cr_assert_geq(agreed("peer/2"), 50);
	cr_assert_eq(agreed("peer/1"), 0);
	expect(0, "-n", "50", "--churn=0", "--tls", certificate.ca_option, "--alpn=http/1.1");
	cr_assert_geq(agreed(""), 50);
	cr_assert_not_null(strstr(loader.program.text, "agreed on none of --alpn=http/1.1"), "%s",
		loader.program.text);
}

Test(load_beginnings, what_they_do_not_go_with_is_refused)
{
	cr_assert_eq(loader_run(&loader, 9, "--alpn=h2", NULL), 2);
	cr_assert_not_null(strstr(loader.program.text, "needs --tls"), "%s", loader.program.text);
	cr_assert_eq(loader_run(&loader, 9, "--tls", "--alpn=h2,,h3", NULL), 2);
	cr_assert_not_null(
		strstr(loader.program.text, "as in h2,http/1.1"), "%s", loader.program.text);
	cr_assert_eq(loader_run(&loader, 9, "--proxy-header=v3", NULL), 2);
	cr_assert_eq(loader_run(&loader, 0, "--proxy-header=v1", "udp:127.0.0.1:9", NULL), 2);
	cr_assert_not_null(
		strstr(loader.program.text, "--proxy-header"), "%s", loader.program.text);
}
