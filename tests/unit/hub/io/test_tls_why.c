#include <criterion/criterion.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "hub/io/tls_why_priv.h"

TestSuite(tls_why, .timeout = 60);

/* Of several errors of OpenSSL the last one is told; none is left for the next call. */
Test(tls_why, is_the_last_error_of_the_queue)
{
	/* As SSL_CTX_new does. */
	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL);
	ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
	ERR_raise(ERR_LIB_SSL, SSL_R_UNEXPECTED_MESSAGE);
	tls_explain("a record");
	cr_assert_str_eq(tls_why(), "a record: unexpected message");
	cr_assert_eq(ERR_peek_error(), 0);
	tls_explain("no record");
	cr_assert_str_eq(tls_why(), "no record");
}

Test(tls_why, is_cut_at_the_end_of_its_room)
{
	char name[400];

	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	tls_say_why("cannot read %s", name);
	cr_assert_eq(strncmp(tls_why(), "cannot read xxx", 15), 0);
	cr_assert_lt(strlen(tls_why()), sizeof name);
}

static void *
say_another(void *other)
{
	tls_say_why("another's");
	snprintf(other, 32, "%s", tls_why());
	return NULL;
}

Test(tls_why, is_the_threads_own)
{
	pthread_t thread;
	char other[32];

	tls_say_why("mine");
	cr_assert_eq(pthread_create(&thread, NULL, say_another, other), 0);
	pthread_join(thread, NULL);
	cr_assert_str_eq(other, "another's");
	cr_assert_str_eq(tls_why(), "mine");
}
