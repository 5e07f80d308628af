/* Clients that show certificates: who is served, what the service learns of them, and what changes
 * by reloads and upgrades. */
#include <criterion/criterion.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/certificate.h"
#include "tests/support/loader.h"
#include "tests/support/server.h"
#include "tests/support/session.h"
#include "tests/support/visit.h"

static struct server server;
static struct loader loader;
static struct certificate certificate, authority, client;
static struct session sessions[2] = {{.version = TLS1_2_VERSION}, {.version = TLS1_3_VERSION}};
static char ca_option[sizeof authority.file + 32], output[1024];

static void
begin(void)
{
	cr_assert(certificate_make(&certificate) && certificate_make(&authority));
	cr_assert(certificate_issue(&client, &authority, "client 7", 8, 3600));
	snprintf(ca_option, sizeof ca_option, "--tls-client-ca=%s", authority.file);
	for (int i = 0; i < 2; i++)
		sessions[i].certificate = &client;
}

static void
end(void)
{
	loader_clean(&loader);
	server_clean(&server);
	certificate_clean(&certificate);
	certificate_clean(&authority);
	certificate_clean(&client);
	for (int i = 0; i < 2; i++)
		session_clean(&sessions[i]);
}

TestSuite(tls_clients, .init = begin, .fini = end, .timeout = 300);

static void
start(const char *name, const char *mode)
{
	cr_assert(server_start(&server, name, "1", "2", certificate.cert_option,
			  certificate.key_option, mode, ca_option, NULL),
		"%s", server.program.text);
}

/* What example-peer tells about the certificate; "" if it tells nothing, NULL if the client is
 * refused. */
static const char *
told(const struct certificate *shown)
{
	static struct visit visit;

	visit = (struct visit){.port = server.program.port, .certificate = shown};
	if (!visit_make(&visit))
		return NULL;
	cr_assert_not_null(strchr(visit.text, '\n'), "%s", visit.text);
	return strchr(visit.text, '\n') + 1;
}

/* The client changes its authority, and the server is told to. */
static void
change_authority(const char *how)
{
	cr_assert(certificate_make(&authority));
	cr_assert_eq(server_ctl(&server, how, NULL, output, sizeof output), 0, "%s", output);
}

static bool
two_are_refused(void *unused)
{
	(void)unused;
	return server_number(&server, "totals.refused") == 2;
}

Test(tls_clients, those_without_a_trusted_one_are_refused_if_it_is_required)
{
	struct certificate other = {.folder = ""};

	cr_assert(certificate_make(&other));
	start("example-peer", "--tls-client=require");
	cr_assert_str_eq(told(&client), "CN=client 7, verified\n");
	cr_assert_eq(server_number(&server, "totals.refused"), 0);
	cr_assert_null(told(NULL));
	cr_assert(program_expect(&server.program, "peer did not return a certificate", 5), "%s",
		server.program.text);
	cr_assert_null(told(&other));
	cr_assert(wait_until(two_are_refused, NULL, 10));
	cr_assert_eq(server_end(&server, 20), 0);
	certificate_clean(&other);
}

Test(tls_clients, all_are_served_if_it_is_only_asked_for)
{
	struct certificate other = {.folder = ""};

	cr_assert(certificate_make(&other));
	start("example-peer", "--tls-client=ask");
	cr_assert_str_eq(told(&client), "CN=client 7, verified\n");
	cr_assert_str_eq(told(&other), "CN=localhost, not verified\n");
	cr_assert_str_eq(told(NULL), "");
	cr_assert_eq(server_number(&server, "totals.refused"), 0);
	certificate_clean(&other);
}

Test(tls_clients, hubbub_load_can_be_one)
{
	start("hubbub-echo", "--tls-client=require");
	cr_assert_eq(loader_run(&loader, server.program.port, "--tls", certificate.ca_option,
			     client.cert_option, client.key_option, "-n2000", "--churn=50", NULL),
		0, "%s", loader.program.text);
	cr_assert_eq(loader_number(&loader, "errors.total"), 0);
	cr_assert_neq(loader_run(&loader, server.program.port, "--tls", certificate.ca_option,
			      "-n10", NULL),
		0);
	cr_assert_eq(loader_run(&loader, server.program.port, "--tls", certificate.ca_option,
			     client.cert_option, "-n10", NULL),
		2);
	cr_assert_not_null(
		strstr(loader.program.text, "needs --tls-key"), "%s", loader.program.text);
}

/* Open connections go on; new ones are judged by the new authority, and a file that is none changes
 * nothing. */
Test(tls_clients, the_authority_is_read_again)
{
	FILE *file;

	start("example-peer", "--tls-client=require");
	cr_assert_str_eq(told(&client), "CN=client 7, verified\n");
	change_authority("reload");
	cr_assert_null(told(&client));
	cr_assert(certificate_issue(&client, &authority, "client 8", 8, 3600));
	cr_assert_str_eq(told(&client), "CN=client 8, verified\n");
	file = fopen(authority.file, "w");
	cr_assert_not_null(file);
	fputs("-----BEGIN CERTIFICATE-----\nMIIB\n", file);
	fclose(file);
	cr_assert_eq(server_ctl(&server, "reload", NULL, output, sizeof output), 1);
	cr_assert_not_null(strstr(output, "--tls-client-ca"), "%s", output);
	cr_assert_not_null(strstr(output, "has no certificates of authorities"), "%s", output);
	cr_assert_str_eq(told(&client), "CN=client 8, verified\n");
	cr_assert_eq(server_number(&server, "totals.reloads"), 1);
}

/* ---- sessions ---- */

static void
visit(enum session_visit expected, bool is_once, const char *when)
{
	for (int i = 0; i < 2; i++)
		cr_assert_eq(session_visit(&sessions[i], server.program.port, is_once), expected,
			"%s, version %x", when, sessions[i].version);
}

Test(tls_clients, sessions_last_as_long_as_their_authority)
{
	start("hubbub-echo", "--tls-client=require");
	visit(SESSION_NEW, false, "at first");
	visit(SESSION_RESUMED, true, "again");
	cr_assert_eq(server_ctl(&server, "reload", NULL, output, sizeof output), 0, "%s", output);
	visit(SESSION_RESUMED, true, "after a reload");
	cr_assert_eq(server_ctl(&server, "upgrade", NULL, output, sizeof output), 0, "%s", output);
	visit(SESSION_RESUMED, true, "after an upgrade");
	/* A ticket does not stand for a certificate that is not trusted any more. */
	change_authority("reload");
	visit(SESSION_FAILED, true, "with another authority");
	cr_assert(certificate_issue(&client, &authority, "client 7", 8, 3600));
	visit(SESSION_NEW, false, "of the new authority");
	visit(SESSION_RESUMED, true, "of the new authority, again");
	change_authority("upgrade");
	visit(SESSION_FAILED, true, "with a third one, after an upgrade");
}
