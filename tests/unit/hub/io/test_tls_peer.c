/* What a server learns of its client's certificate: who it is, and whether to believe that. */
#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"
#include "tests/unit/hub/io/encrypted.h"

#define LONG_NAME 20000

static struct certificate client, stranger;

static void
begin(void)
{
	encrypted_begin();
	cr_assert(certificate_make(&stranger));
}

static void
end(void)
{
	encrypted_end();
	certificate_clean(&client);
	certificate_clean(&stranger);
}

TestSuite(tls_peer, .init = begin, .fini = end, .timeout = 60);

/* What hub_tls_subject tells of the client, in the coroutine that serves it. */
static struct {
	char subject[3 * LONG_NAME], cut[8];
	ssize_t length, cut_length, no_length, blind;
	bool is_verified;
	int error, blind_error;
} told;

static void *
ask_body(void *argument)
{
	encrypted_shake_hands();
	told.length = hub_tls_subject(
		encrypted.server, told.subject, sizeof told.subject, &told.is_verified);
	told.error = errno;
	told.cut_length =
		hub_tls_subject(encrypted.server, told.cut, sizeof told.cut, &told.is_verified);
	told.no_length = hub_tls_subject(encrypted.server, NULL, 0, &told.is_verified);
	told.blind = hub_tls_subject(encrypted.server, told.cut, sizeof told.cut, NULL);
	told.blind_error = errno;
	encrypted_close();
	return argument;
}

/* Makes a client with that common name, issued by that authority. */
static void
be(const struct certificate *authority, const char *name, size_t length)
{
	cr_assert(certificate_issue(&client, authority, name, length, 3600));
	cr_assert_eq(hub_tls_use_certificate(encrypted.client_tls, client.file, client.key), 0,
		"%s", hub_tls_why());
}

static void
ask_for(bool is_required)
{
	cr_assert_eq(
		hub_tls_ask_clients(encrypted.server_tls, encrypted.certificate.file, is_required),
		0, "%s", hub_tls_why());
}

Test(tls_peer, is_told_by_name_if_it_is_trusted)
{
	ask_for(true);
	be(&encrypted.certificate, "client 7", 8);
	in_hub(ask_body, NULL);
	cr_assert_eq(encrypted.accept_error, 0);
	cr_assert_str_eq(told.subject, "CN=client 7");
	cr_assert_eq(told.length, 11);
	cr_assert(told.is_verified);
	cr_assert_str_eq(told.cut, "CN=clie");
	cr_assert_eq(told.cut_length, 11);
	cr_assert_eq(told.no_length, 11);
	cr_assert_eq(told.blind, 11);
}

/* The name of a client contains what its owner likes. */
Test(tls_peer, no_name_can_look_like_another)
{
	static const char odd[] = "root\0,O=us\n2026 refused\r\x1b[2J\x7f\xc3\xa9\\\"<+>;= ";
	char name[LONG_NAME];

	ask_for(true);
	be(&encrypted.certificate, odd, sizeof odd - 1);
	in_hub(ask_body, NULL);
	cr_assert_str_eq(told.subject,
		"CN=root\\00\\,O=us\\0A2026 refused\\0D\\1B[2J\\7F\\C3\\A9\\\\\\\""
		"\\<\\+\\>\\;=\\ ");
	cr_assert_eq((size_t)told.length, strlen(told.subject));
	memset(name, 'x', sizeof name);
	name[LONG_NAME - 1] = '!';
	be(&encrypted.certificate, name, sizeof name);
	in_hub(ask_body, NULL);
	cr_assert_eq(told.length, LONG_NAME + 3);
	cr_assert_eq(told.subject[told.length - 1], '!');
}

Test(tls_peer, nobody_is_told_without_a_certificate)
{
	ask_for(false);
	in_hub(ask_body, NULL);
	cr_assert_eq(encrypted.accept_error, 0);
	cr_assert_eq(told.length, -1);
	cr_assert_eq(told.error, ENODATA);
	cr_assert_eq(hub_tls_subject(0, NULL, 0, NULL), -1);
	cr_assert_eq(errno, ENODATA, "not encrypted");
}

Test(tls_peer, whoever_is_not_trusted_is_told_as_such_if_it_is_served)
{
	ask_for(false);
	be(&stranger, "client 7", 8);
	in_hub(ask_body, NULL);
	cr_assert_eq(encrypted.accept_error, 0);
	cr_assert_str_eq(told.subject, "CN=client 7");
	cr_assert_not(told.is_verified);
	cr_assert_eq(told.blind, -1);
	cr_assert_eq(told.blind_error, EACCES);
}

/* ---- refused ---- */

static struct {
	char why[256];
} refused;

static void *
accept_and_ask_why(void *argument)
{
	encrypted_accept(argument);
	strncpy(refused.why, hub_tls_why(), sizeof refused.why - 1);
	return argument;
}

static void *
refused_body(void *argument)
{
	struct hub_coroutine *server;

	encrypted_pair();
	server = hub_spawn(accept_and_ask_why, argument);
	hub_tls_connect(encrypted.client, encrypted.client_tls, encrypted.name);
	hub_join(server, NULL);
	encrypted_close();
	return argument;
}

static void
expect_refused(const char *why)
{
	in_hub(refused_body, NULL);
	cr_assert_eq(encrypted.accept_error, EPROTO);
	cr_assert_not_null(strstr(refused.why, why), "%s", refused.why);
}

Test(tls_peer, is_refused_if_it_must_be_trusted_and_is_not)
{
	ask_for(true);
	expect_refused("peer did not return a certificate");
	be(&stranger, "client 7", 8);
	expect_refused("the certificate is not trusted: ");
	cr_assert(certificate_issue(&client, &encrypted.certificate, "late", 4, -5));
	cr_assert_eq(hub_tls_use_certificate(encrypted.client_tls, client.file, client.key), 0);
	expect_refused("certificate has expired");
}

/* ---- resumed ---- */

/* A client that blocks, in a thread of its own. */
static struct {
	SSL_SESSION *session;
	bool is_resumed, was_answered;
} visit;

static void *
make_visit(void *argument)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	char byte;

	SSL_use_certificate_file(ssl, client.file, SSL_FILETYPE_PEM);
	SSL_use_PrivateKey_file(ssl, client.key, SSL_FILETYPE_PEM);
	SSL_set_fd(ssl, encrypted.client);
	if (visit.session != NULL)
		SSL_set_session(ssl, visit.session);
	SSL_SESSION_free(visit.session);
	/* Tickets come with the first bytes. */
	visit.was_answered = SSL_connect(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1;
	visit.is_resumed = SSL_session_reused(ssl);
	visit.session = SSL_get1_session(ssl);
	/* Without this OpenSSL would not resume the session. */
	SSL_shutdown(ssl);
	SSL_free(ssl);
	SSL_CTX_free(context);
	return argument;
}

static void *
answer(void *argument)
{
	encrypted_accept(argument);
	told.length = hub_tls_subject(
		encrypted.server, told.subject, sizeof told.subject, &told.is_verified);
	hub_send(encrypted.server, "x", 1, 0);
	return argument;
}

static void *
visit_body(void *argument)
{
	struct hub_coroutine *server;

	memset(&told, 0, sizeof told);
	encrypted_pair();
	server = hub_spawn(answer, argument);
	hub_offload(make_visit, argument, NULL);
	hub_join(server, NULL);
	encrypted_close();
	return argument;
}

Test(tls_peer, is_the_same_when_its_session_is_resumed)
{
	ask_for(true);
	be(&encrypted.certificate, "client 7", 8);
	for (int i = 0; i < 3; i++) {
		in_hub(visit_body, NULL);
		cr_assert(visit.was_answered);
		cr_assert_eq(visit.is_resumed, i > 0, "visit %d", i);
		cr_assert_str_eq(told.subject, "CN=client 7");
		cr_assert(told.is_verified);
	}
	SSL_SESSION_free(visit.session);
}

static bool has_expired;

/* Stands before OpenSSL's, which OpenSSL itself does not ask. */
int
X509_cmp_current_time(const ASN1_TIME *end)
{
	(void)end;
	return has_expired ? -1 : 1;
}

Test(tls_peer, is_verified_again_once_its_certificate_has_expired)
{
	ask_for(true);
	be(&encrypted.certificate, "client 7", 8);
	in_hub(visit_body, NULL);
	has_expired = true;
	in_hub(visit_body, NULL);
	cr_assert(visit.was_answered);
	cr_assert_not(visit.is_resumed);
	cr_assert(told.is_verified);
	SSL_SESSION_free(visit.session);
}
