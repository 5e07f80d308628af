/* There is one connection at a time. */
#include "tests/unit/hub/io/encrypted.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

struct encrypted encrypted;

void
encrypted_begin(void)
{
	cr_assert(certificate_make(&encrypted.certificate));
	encrypted.server_tls =
		hub_tls_server_new(encrypted.certificate.file, encrypted.certificate.key);
	encrypted.client_tls = hub_tls_client_new(encrypted.certificate.file);
	encrypted.name = "localhost";
	cr_assert(
		encrypted.server_tls != NULL && encrypted.client_tls != NULL, "%s", hub_tls_why());
}

void
encrypted_end(void)
{
	hub_tls_free(encrypted.server_tls);
	hub_tls_free(encrypted.client_tls);
	certificate_clean(&encrypted.certificate);
}

void
encrypted_pair(void)
{
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	encrypted.server = pair[0];
	encrypted.client = pair[1];
}

void *
encrypted_accept(void *argument)
{
	encrypted.accept_error =
		hub_tls_accept(encrypted.server, encrypted.server_tls) == 0 ? 0 : errno;
	return argument;
}

void
encrypted_shake_hands(void)
{
	struct hub_coroutine *server;

	encrypted_pair();
	server = hub_spawn(encrypted_accept, NULL);
	encrypted.connect_error =
		hub_tls_connect(encrypted.client, encrypted.client_tls, encrypted.name) == 0
			? 0
			: errno;
	snprintf(encrypted.why, sizeof encrypted.why, "%s", hub_tls_why());
	if (encrypted.connect_error != 0)
		hub_shutdown(encrypted.client, SHUT_RDWR);
	hub_join(server, NULL);
}

void
encrypted_close(void)
{
	hub_close(encrypted.server);
	hub_close(encrypted.client);
}
