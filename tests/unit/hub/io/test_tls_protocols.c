/* Which protocol the two sides of a handshake agree on, or that they do not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/in_hub.h"
#include "tests/unit/hub/io/encrypted.h"

TestSuite(tls_protocols, .init = encrypted_begin, .fini = encrypted_end, .timeout = 60);

static const char a_one[] = "one", b_one[] = "one", a_two[] = "two", b_two[] = "two";
static const char *const two[] = {a_two, a_one, NULL}, *const one[] = {b_one, "on", NULL},
			 *const other[] = {"on", "onetwo", "tw", NULL};

static struct {
	const char *server, *client; /* what each is told */
} agreed;

static void *
agree_body(void *argument)
{
	encrypted_shake_hands();
	agreed.server = hub_tls_protocol(encrypted.server);
	agreed.client = hub_tls_protocol(encrypted.client);
	encrypted_close();
	return argument;
}

static void
speak(struct hub_tls *tls, const char *const *protocols, bool is_needed)
{
	cr_assert_eq(hub_tls_set_protocols(tls, protocols, is_needed), 0, "%s", hub_tls_why());
}

Test(tls_protocols, the_first_of_the_servers_that_the_client_offers)
{
	static const char *const both[] = {b_one, b_two, NULL};

	speak(encrypted.server_tls, two, true);
	speak(encrypted.client_tls, both, false);
	in_hub(agree_body, NULL);
	cr_assert_eq(agreed.server, a_two);
	cr_assert_eq(agreed.client, b_two, "each is told its own string");
	speak(encrypted.client_tls, one, false);
	in_hub(agree_body, NULL);
	cr_assert_eq(agreed.server, a_one);
	cr_assert_eq(agreed.client, b_one);
}

Test(tls_protocols, none_in_common_goes_on_without)
{
	speak(encrypted.server_tls, two, false);
	speak(encrypted.client_tls, other, false);
	in_hub(agree_body, NULL);
	cr_assert_eq(encrypted.accept_error, 0);
	cr_assert_eq(encrypted.connect_error, 0, "%s", encrypted.why);
	cr_assert_null(agreed.server);
	cr_assert_null(agreed.client);
}

Test(tls_protocols, none_in_common_is_refused_if_one_is_needed)
{
	speak(encrypted.server_tls, two, true);
	speak(encrypted.client_tls, other, false);
	in_hub(agree_body, NULL);
	cr_assert_eq(encrypted.accept_error, EPROTO);
	cr_assert_eq(encrypted.connect_error, EPROTO);
	cr_assert_not_null(strstr(encrypted.why, "no application protocol"), "%s", encrypted.why);
}

Test(tls_protocols, who_speaks_none_is_served)
{
	speak(encrypted.server_tls, two, true);
	in_hub(agree_body, NULL);
	cr_assert_eq(encrypted.connect_error, 0, "%s", encrypted.why);
	cr_assert_null(agreed.server);
	/* Nor does a server that speaks none mind clients that offer some. */
	hub_tls_free(encrypted.server_tls);
	encrypted.server_tls =
		hub_tls_server_new(encrypted.certificate.file, encrypted.certificate.key);
	speak(encrypted.client_tls, two, false);
	in_hub(agree_body, NULL);
	cr_assert_eq(encrypted.connect_error, 0, "%s", encrypted.why);
	cr_assert_null(agreed.client);
	cr_assert_null(hub_tls_protocol(0), "not encrypted");
}

/* A protocol that was agreed on is told as long as the connection lasts. */
static void *
freed_body(void *argument)
{
	encrypted_shake_hands();
	hub_tls_free(encrypted.server_tls);
	encrypted.server_tls = NULL;
	agreed.server = hub_tls_protocol(encrypted.server);
	encrypted_close();
	return argument;
}

Test(tls_protocols, outlast_their_configuration)
{
	speak(encrypted.server_tls, two, true);
	speak(encrypted.client_tls, two, false);
	in_hub(freed_body, NULL);
	cr_assert_eq(agreed.server, a_two);
}

Test(tls_protocols, names_that_are_none_are_refused)
{
	static const char *const empty[] = {"one", "", NULL}, *const nothing[] = {NULL};
	static char name[258];
	const char *const long_one[] = {name, NULL};
	const char *many[258] = {NULL};

	cr_assert_eq(hub_tls_set_protocols(encrypted.server_tls, empty, false), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_not_null(strstr(hub_tls_why(), "1 to 255 bytes"), "%s", hub_tls_why());
	cr_assert_eq(hub_tls_set_protocols(encrypted.client_tls, nothing, false), -1);
	memset(name, 'x', 256);
	cr_assert_eq(hub_tls_set_protocols(encrypted.client_tls, long_one, false), -1);
	name[255] = '\0';
	cr_assert_eq(hub_tls_set_protocols(encrypted.client_tls, long_one, false), 0);
	for (int i = 0; i < 256; i++)
		many[i] = name;
	cr_assert_eq(hub_tls_set_protocols(encrypted.client_tls, many, false), -1);
	many[255] = NULL;
	cr_assert_eq(hub_tls_set_protocols(encrypted.client_tls, many, false), 0);
}
