/* Which options of TLS go together. What their files do, system/test_tls and test_tls_clients
 * show. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "master/start/options.h"
#include "tests/support/certificate.h"

static struct options options;
static char error[512];
static struct certificate certificate;
static char ca[sizeof certificate.file + 32];

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

static const struct hubbub_service plain = {
	.name = "test", .version = "1", .listen = "127.0.0.1:9090", .serve = serve};

static void
begin(void)
{
	cr_assert(certificate_make(&certificate));
	snprintf(ca, sizeof ca, "--tls-client-ca=%s", certificate.file);
}

static void
end(void)
{
	options_free(&options);
	certificate_clean(&certificate);
}

TestSuite(options_tls, .init = begin, .fini = end, .timeout = 60);

/* Reads up to five options; NULL: fewer. Returns what is wrong with them, or "". */
static const char *
read_options(char *one, char *two, char *three, char *four, char *five)
{
	char *argv[] = {"test", one, two, three, four, five, NULL};
	int count = 1;

	while (argv[count] != NULL)
		count++;
	options_free(&options);
	options_read(&options, count, argv, &plain, false, error, sizeof error);
	return error;
}

Test(options_tls, none_is_ignored)
{
	char *cert = certificate.cert_option, *key = certificate.key_option;

	cr_assert_str_eq(read_options(cert, key, NULL, NULL, NULL), "");
	cr_assert_not_null(options.worker.tls);
	cr_assert_str_eq(read_options(cert, key, "--tls-client=ask", ca, NULL), "");
	cr_assert_str_eq(
		read_options(cert, key, "--tls-unix=on", "--listen=unix:/tmp/x", NULL), "");
	cr_assert_str_eq(read_options(cert, NULL, NULL, NULL, NULL), "--tls-cert: needs --tls-key");
	cr_assert_str_eq(read_options(key, NULL, NULL, NULL, NULL), "--tls-key: needs --tls-cert");
	cr_assert_str_eq(read_options("--tls-client=require", ca, NULL, NULL, NULL),
		"--tls-client: needs --tls-cert");
	cr_assert_str_eq(read_options(cert, key, "--tls-client=require", NULL, NULL),
		"--tls-client: needs --tls-client-ca");
	cr_assert_str_eq(read_options(cert, key, ca, NULL, NULL),
		"--tls-client-ca: needs --tls-client=ask or require");
	cr_assert_str_eq(read_options(cert, key, "--tls-unix=on", NULL, NULL),
		"--tls-unix: needs --listen for unix:");
	cr_assert_str_eq(read_options("--listen=unix:/tmp/x", "--tls-unix=on", NULL, NULL, NULL),
		"--tls-unix: needs --tls-cert");
	cr_assert_str_eq(read_options(cert, key, "--listen=unix:/tmp/x", NULL, NULL),
		"--tls-cert: needs --listen for TCP, or --tls-unix=on");
}

Test(options_tls, a_file_that_is_none_is_named)
{
	const char *said = read_options(certificate.cert_option, certificate.key_option,
		"--tls-client=require", "--tls-client-ca=/dev/null", NULL);

	cr_assert_not_null(
		strstr(said, "--tls-client-ca: /dev/null has no certificates of authorities"), "%s",
		said);
}
