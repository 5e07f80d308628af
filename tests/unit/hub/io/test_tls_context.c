#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/io/tls.h"
#include "tests/support/certificate.h"

static struct certificate certificate, other;

static void
begin(void)
{
	cr_assert(certificate_make(&certificate) && certificate_make(&other));
}

static void
end(void)
{
	certificate_clean(&certificate);
	certificate_clean(&other);
}

TestSuite(tls_context, .init = begin, .fini = end, .timeout = 60);

/* No configuration is made; errno and the reason tell why. */
static void
assert_refused(struct hub_tls *tls, int error, const char *reason)
{
	cr_assert_null(tls);
	cr_assert_eq(errno, error);
	cr_assert_not_null(strstr(hub_tls_why(), reason), "%s", hub_tls_why());
}

Test(tls_context, names_the_file_that_cannot_be_read)
{
	assert_refused(hub_tls_server_new("/nowhere/cert.pem", certificate.key), ENOENT,
		"cannot read /nowhere/cert.pem: No such file");
	assert_refused(hub_tls_server_new(certificate.file, "/nowhere/key.pem"), ENOENT,
		"cannot read /nowhere/key.pem: No such file");
	assert_refused(hub_tls_client_new("/nowhere/all.pem"), ENOENT,
		"cannot read /nowhere/all.pem: No such file");
}

Test(tls_context, refuses_files_that_are_something_else)
{
	assert_refused(hub_tls_server_new(certificate.key, certificate.key), EINVAL,
		"has no certificate in PEM form");
	assert_refused(hub_tls_server_new(certificate.file, certificate.file), EINVAL,
		"has no private key that fits");
	assert_refused(
		hub_tls_client_new("/dev/null"), EINVAL, "has no certificates of authorities");
}

Test(tls_context, refuses_the_key_of_another_certificate)
{
	assert_refused(hub_tls_server_new(certificate.file, other.key), EINVAL,
		"has no private key that fits");
}

Test(tls_context, names_the_file_by_which_no_client_can_be_verified)
{
	struct hub_tls *tls = hub_tls_server_new(certificate.file, certificate.key);

	cr_assert_eq(hub_tls_ask_clients(tls, "/nowhere/ca.pem", true), -1);
	assert_refused(NULL, ENOENT, "cannot read /nowhere/ca.pem: No such file");
	cr_assert_eq(hub_tls_ask_clients(tls, "/dev/null", true), -1);
	assert_refused(NULL, EINVAL, "has no certificates of authorities");
	cr_assert_eq(hub_tls_ask_clients(tls, certificate.key, true), -1);
	assert_refused(NULL, EINVAL, "has no certificates of authorities");
	hub_tls_free(tls);
	tls = hub_tls_client_new(certificate.file);
	cr_assert_eq(hub_tls_ask_clients(tls, certificate.file, true), -1);
	assert_refused(NULL, EINVAL, "only a server");
	cr_assert_eq(hub_tls_use_certificate(tls, certificate.file, other.key), -1);
	assert_refused(NULL, EINVAL, "has no private key that fits");
	cr_assert_eq(hub_tls_use_certificate(tls, certificate.file, certificate.key), 0);
	hub_tls_free(tls);
}
