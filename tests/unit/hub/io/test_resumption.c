/* Whose keys a server's tickets have. That sessions are resumed, system/test_sessions shows. */
#include "hub/io/resumption.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/io/tls.h"
#include "tests/support/certificate.h"
#include "tests/support/descriptors.h"

static struct certificate certificate;
static struct hub_tls *former, *next;

static struct hub_tls *
load(int64_t lifetime)
{
	struct hub_tls *tls = hub_tls_server_new(certificate.file, certificate.key);

	cr_assert_not_null(tls, "%s", hub_tls_why());
	cr_assert_eq(resumption_begin(tls, lifetime), 0);
	return tls;
}

/* A server that has its clients verified by that authority, with the keys of the former one if it
 * may have them. */
static struct hub_tls *
load_asking(const struct certificate *authority, bool is_required)
{
	struct hub_tls *tls = hub_tls_server_new(certificate.file, certificate.key);

	cr_assert_eq(hub_tls_ask_clients(tls, authority->file, is_required), 0);
	cr_assert_eq(resumption_begin(tls, CLOCK_SECOND), 0);
	resumption_keep(tls, former);
	return tls;
}

static void
begin(void)
{
	cr_assert(certificate_make(&certificate));
	former = load(CLOCK_SECOND);
}

static void
end(void)
{
	hub_tls_free(former);
	hub_tls_free(next);
	certificate_clean(&certificate);
}

TestSuite(resumption, .init = begin, .fini = end, .timeout = 60);

Test(resumption, the_same_certificate_keeps_its_keys)
{
	int file = resumption_file(former), own;

	next = load(2 * CLOCK_SECOND);
	own = resumption_file(next);
	cr_assert_neq(own, file);
	resumption_keep(next, former);
	cr_assert_eq(resumption_file(next), file);
	cr_assert_eq(fcntl(own, F_GETFD), -1, "its own are freed");
	/* They are as good without the former one. */
	hub_tls_free(former);
	former = NULL;
	cr_assert_neq(fcntl(file, F_GETFD), -1);
	resumption_rotate(next);
}

Test(resumption, another_certificate_does_not_get_them)
{
	int file = resumption_file(former), passed = dup(file);

	cr_assert(certificate_make(&certificate));
	next = load(CLOCK_SECOND);
	resumption_keep(next, former);
	cr_assert_neq(resumption_file(next), file);
	resumption_inherit(next, passed);
	cr_assert_neq(resumption_file(next), passed);
	cr_assert_eq(fcntl(passed, F_GETFD), -1, "it is closed");
}

/* Sessions that began under other rules for clients are not resumed. */
Test(resumption, other_authorities_of_clients_do_not_get_them)
{
	struct certificate authority = {.folder = ""};
	int file = resumption_file(former);

	cr_assert(certificate_make(&authority));
	next = load_asking(&authority, true);
	cr_assert_neq(resumption_file(next), file, "the former one asked nobody");
	hub_tls_free(former);
	former = next;
	file = resumption_file(former);
	next = load_asking(&authority, true);
	cr_assert_eq(resumption_file(next), file, "the same rules");
	hub_tls_free(next);
	next = load_asking(&authority, false);
	cr_assert_neq(resumption_file(next), file, "not required any more");
	hub_tls_free(next);
	cr_assert(certificate_make(&authority));
	next = load_asking(&authority, true);
	cr_assert_neq(resumption_file(next), file, "another authority");
	certificate_clean(&authority);
}

Test(resumption, a_new_process_gets_them_by_their_file)
{
	int passed = dup(resumption_file(former));

	next = load(CLOCK_SECOND);
	resumption_inherit(next, passed);
	cr_assert_eq(resumption_file(next), passed);
}

Test(resumption, who_resumes_nothing_has_none)
{
	int passed = dup(resumption_file(former));

	next = load(0);
	resumption_keep(next, former);
	resumption_inherit(next, passed);
	resumption_inherit(NULL, dup(STDERR_FILENO));
	resumption_keep(NULL, former);
	resumption_keep(former, NULL);
	resumption_rotate(NULL);
	resumption_rotate(next);
	cr_assert_eq(resumption_file(next), -1);
	cr_assert_eq(resumption_file(NULL), -1);
}

/* ---- without memory ---- */

static bool is_out_of_memory;

/* Stands before OpenSSL's. */
int
SSL_CTX_set_ex_data(SSL_CTX *context, int place, void *data)
{
	static int (*next_one)(SSL_CTX * context, int place, void *data);

	if (next_one == NULL)
		next_one = (int (*)(SSL_CTX *, int, void *))dlsym(RTLD_NEXT, "SSL_CTX_set_ex_data");
	return is_out_of_memory ? 0 : next_one(context, place, data);
}

Test(resumption, fails_without_memory_for_the_place_of_the_keys)
{
	int files = open_descriptors();

	next = hub_tls_server_new(certificate.file, certificate.key);
	is_out_of_memory = true;
	cr_assert_eq(resumption_begin(next, CLOCK_SECOND), -1);
	cr_assert_eq(errno, ENOMEM);
	is_out_of_memory = false;
	cr_assert_eq(resumption_file(next), -1);
	cr_assert_eq(open_descriptors(), files, "the keys are freed");
	cr_assert_eq(resumption_begin(next, CLOCK_SECOND), 0);
	cr_assert_neq(resumption_file(next), -1);
}
