/* TLS: who trusts whom, certificates that are read again, drains, and clients that begin no
 * handshake. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "tests/support/certificate.h"
#include "tests/support/client.h"
#include "tests/support/loader.h"
#include "tests/support/server.h"
#include "tests/support/visit.h"
#include "tests/support/witness.h"

static struct server server;
static struct loader loader;
static struct witness witness;
static struct certificate certificate;

static void
end(void)
{
	loader_clean(&loader);
	server_clean(&server);
	certificate_clean(&certificate);
}

TestSuite(tls, .fini = end, .timeout = 600);

static void
start_tls(const char *name)
{
	cr_assert(certificate_make(&certificate));
	cr_assert(server_start(&server, name, "2", "2", certificate.cert_option,
			  certificate.key_option, NULL),
		"%s", server.program.text);
}

/* Loads the server over TLS, trusting the certificate that is there now. */
static int
load_tls(const char *more)
{
	return loader_run(&loader, server.program.port, "--tls", certificate.ca_option, "-c", "16",
		more, NULL);
}

Test(tls, is_checked_by_both_sides)
{
	start_tls("hubbub-echo");
	cr_assert_eq(load_tls("-n5000"), 0, "%s", loader.program.text);
	cr_assert_eq(loader_run(&loader, server.program.port, "--tls", certificate.ca_option, "-n",
			     "2000", "--size=1-200Ki", NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(loader_run(&loader, server.program.port, "--tls", certificate.ca_option, "-n",
			     "1000", "--churn=5", "--close=half", NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "errors.total"), 0);
	/* hubbub-load does not trust a certificate that the system does not trust. */
	cr_assert_eq(loader_run(&loader, server.program.port, "--tls", "-n", "10", NULL), 1);
	cr_assert_not_null(strstr(loader.program.text, "certificate is not trusted"), "%s",
		loader.program.text);
	cr_assert_eq(loader_run(&loader, server.program.port, "--tls", "--tls-insecure", "-n", "10",
			     NULL),
		0, "%s", loader.program.text);
	/* A client without TLS is refused, and counted. */
	cr_assert_neq(loader_run(&loader, server.program.port, "-n", "10", "-c", "1", NULL), 0);
	cr_assert_gt(server_number(&server, "totals.refused"), 0);
	cr_assert(program_expect(&server.program, "refused a client at 127.0.0.1", 5));
	cr_assert_eq(server_end(&server, 20), 0);
}

static void
begin_witness(void)
{
	witness = (struct witness){.target = {TRANSPORT_TLS, server.program.port, NULL},
		.lasting = 20,
		.pause = 0.05,
		.rate = 20,
		.limit = 10 * CLOCK_SECOND};
	witness_start(&witness);
}

/* Former workers go on draining when a change is done. */
static void
expect_no_loss(void)
{
	poll(NULL, 0, 2000);
	witness_stop(&witness);
	cr_assert_eq(witness_failures(&witness), 0, "%s", witness_text(&witness));
}

Test(tls, certificates_are_read_again)
{
	char output[1024];
	FILE *file;

	start_tls("hubbub-echo");
	begin_witness();
	cr_assert(certificate_make(&certificate));
	cr_assert_eq(server_ctl(&server, "reload", NULL, output, sizeof output), 0, "%s", output);
	expect_no_loss();
	cr_assert_eq(load_tls("-n100"), 0, "the new one is used: %s", loader.program.text);
	/* A key that is none changes nothing. */
	file = fopen(certificate.key, "w");
	cr_assert_not_null(file);
	fputs("no key\n", file);
	fclose(file);
	cr_assert_eq(server_ctl(&server, "reload", NULL, output, sizeof output), 1);
	cr_assert_not_null(strstr(output, "no private key"), "%s", output);
	cr_assert_eq(load_tls("-n100"), 0, "%s", loader.program.text);
	cr_assert_eq(server_number(&server, "totals.reloads"), 1);
}

Test(tls, drains_without_a_loss)
{
	start_tls("hubbub-echo");
	begin_witness();
	cr_assert_eq(server_ctl(&server, "reload", NULL, NULL, 0), 0);
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, NULL, 0), 0);
	expect_no_loss();
}

Test(tls, files_that_are_none_are_named)
{
	struct program other;
	char *argv[] = {program_path("hubbub-echo"), "--listen=127.0.0.1:0", "--tls-cert=/dev/null",
		"--tls-key=/dev/null", "--check", NULL};

	cr_assert(program_start(&other, argv, 0));
	cr_assert_eq(program_wait(&other, 20), 2);
	cr_assert_not_null(strstr(other.text, "/dev/null has no certificate"), "%s", other.text);
	program_end(&other);
	argv[3] = "--check";
	argv[4] = NULL;
	cr_assert(program_start(&other, argv, 0));
	cr_assert_eq(program_wait(&other, 20), 2);
	cr_assert_not_null(strstr(other.text, "needs --tls-key"), "%s", other.text);
	program_end(&other);
}

static bool
one_has_ended(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.closed") == 1;
}

/* A client that connects and sends nothing is ended by the idle timeout, and does not hold up the
 * others. */
Test(tls, ends_handshakes_that_do_not_begin)
{
	int fd;

	cr_assert(certificate_make(&certificate));
	/* The timeout is long enough that the load's own connections are not idle on a slow machine
	 * either. */
	cr_assert(server_start(&server, "hubbub-echo", "1", "1",
		program_is_sanitized() ? "--idle-timeout=20" : "--idle-timeout=10",
		certificate.cert_option, certificate.key_option, NULL));
	fd = client_connect(server.program.port);
	cr_assert(wait_until(one_has_ended, NULL, 30));
	cr_assert_eq(load_tls("-n100"), 0, "%s", loader.program.text);
	cr_assert_eq(server_number(&server, "totals.hangs"), 0);
	close(fd);
}

/* What example-peer, which speaks peer/2 and peer/1, says to a client that offers these. */
static const char *
told_of(const char *protocols)
{
	static struct visit visit;

	visit = (struct visit){.port = server.program.port, .protocols = protocols};
	cr_assert(visit_make(&visit), "%s", visit.why);
	return strchr(visit.text, '\n') + 1;
}

Test(tls, tells_services_the_protocol)
{
	start_tls("example-peer");
	for (int i = 0; i < 3; i++) {
		cr_assert_str_eq(told_of("\6peer/1\2h2\6peer/2"), "protocol peer/2\n");
		cr_assert_str_eq(told_of("\2h2\6peer/1"), "protocol peer/1\n");
		cr_assert_str_eq(told_of("\2h2\7peer/11"), "");
		cr_assert_str_eq(told_of(NULL), "");
		if (i < 2)
			cr_assert_eq(
				server_ctl(&server, i == 0 ? "reload" : "upgrade", NULL, NULL, 0),
				0);
	}
	cr_assert_eq(server_number(&server, "totals.refused"), 0);
}
