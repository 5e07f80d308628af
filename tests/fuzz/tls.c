/* TLS records that are changed on their way, for libFuzzer: a client and a server talk through a
 * relay, which changes, repeats, drops and cuts what passes by a plan in the input; or one of them
 * receives nothing but the input. Whatever happens, what one side receives is the beginning of what
 * the other has sent. */
#include <errno.h>
#include <hubbub/hub.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "tests/fuzz/mutate.h"
#include "tests/support/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_SIZE = 3000, PIECE_MAX = 700 };
/* A side that misses bytes waits for them, and so does the other side: after this time both are
 * killed. */
#define PATIENCE (30 * HUB_MILLISECOND)

static struct hub_tls *tls_server, *tls_client;

/* One of the two sides. */
struct side {
	bool is_server;
	int fd;    /* the side's own descriptor */
	int inner; /* the relay's end of fd */
	struct side *other;
	struct bytes plan;
};

static void
prepare(void)
{
	struct certificate certificate = {0};

	if (!certificate_make(&certificate))
		abort();
	tls_server = hub_tls_server_new(certificate.file, certificate.key);
	tls_client = hub_tls_client_new(certificate.file);
	certificate_clean(&certificate);
	CHECK(tls_server != NULL && tls_client != NULL);
}

static unsigned char
letter(bool is_server, size_t index)
{
	return (unsigned char)(index * 7 + (is_server ? 100 : 0));
}

static void *
talk(void *argument)
{
	struct side *side = argument;
	unsigned char message[MESSAGE_SIZE];
	size_t heard = 0;
	ssize_t received;
	int result = side->is_server ? hub_tls_accept(side->fd, tls_server)
				     : hub_tls_connect(side->fd, tls_client, NULL);

	for (size_t i = 0; i < sizeof message; i++)
		message[i] = letter(side->is_server, i);
	if (result == 0 && hub_send(side->fd, message, sizeof message, 0) > 0)
		hub_shutdown(side->fd, SHUT_WR);
	while (result == 0 && (received = hub_recv(side->fd, message, sizeof message, 0)) > 0)
		for (ssize_t i = 0; i < received; i++) {
			unsigned char right = letter(!side->is_server, heard++);

			CHECK(message[i] == right);
		}
	CHECK(heard <= MESSAGE_SIZE);
	hub_close(side->fd);
	return NULL;
}

/* Passes bytes on as the plan says. Returns false if the connection is to be cut. */
static bool
pass(struct bytes *plan, int to, unsigned char *bytes, size_t length)
{
	unsigned what = plan->left > 0 ? bytes_next(plan) : 255;
	size_t at = what < 128 ? (size_t)bytes_next(plan) * PIECE_MAX / 256 % length : 0;

	switch (what % 8) {
	case 0:
	case 1:
		if (what < 128)
			bytes[at] ^= bytes_next(plan);
		break;
	case 2:
		if (what < 128)
			hub_send(to, bytes, at, MSG_NOSIGNAL);
		break;
	case 3:
		if (what < 64)
			return false;
		break;
	case 4:
		if (what < 128)
			length = at + 1;
		break;
	default:
		break;
	}
	return hub_send(to, bytes, length, MSG_NOSIGNAL) > 0;
}

/* Passes what one side sends to the other. */
static void *
relay(void *argument)
{
	struct side *side = argument;
	unsigned char bytes[PIECE_MAX];
	ssize_t received;

	while ((received = hub_recv(side->inner, bytes, sizeof bytes, 0)) > 0)
		if (!pass(&side->plan, side->other->inner, bytes, (size_t)received))
			break;
	hub_shutdown(side->other->inner, SHUT_WR);
	hub_shutdown(side->inner, SHUT_RD);
	return NULL;
}

static void
open_side(struct side *side)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	side->fd = pair[0];
	side->inner = pair[1];
}

static void
end_all(struct hub_coroutine **coroutines, size_t count)
{
	struct hub_timeout scope;
	size_t ended;

	hub_timeout_start(&scope, PATIENCE);
	hub_wait_ended(coroutines, count, count, 0, &ended);
	hub_timeout_stop(&scope);
	hub_kill_all(coroutines, count);
	for (size_t i = 0; i < count; i++) {
		int error = hub_join(coroutines[i], NULL);

		CHECK(error == 0);
	}
}

/* One side alone: receives the input, and then the end. */
static void *
run_alone(void *argument)
{
	struct bytes *bytes = argument;
	struct side side = {.is_server = bytes_next(bytes) & 1};
	struct hub_timeout scope;
	struct hub_coroutine *talker;

	open_side(&side);
	talker = hub_spawn(talk, &side);
	hub_timeout_start(&scope, PATIENCE);
	while (bytes->left > 0) {
		size_t length = 1 + bytes_next(bytes);

		length = length < bytes->left ? length : bytes->left;
		if (length > 0 && hub_send(side.inner, bytes->at, length, MSG_NOSIGNAL) <= 0)
			break;
		bytes->at += length;
		bytes->left -= length;
	}
	hub_timeout_stop(&scope);
	hub_shutdown(side.inner, SHUT_WR);
	end_all(&talker, 1);
	hub_close(side.inner);
	return NULL;
}

static void *
run_pair(void *argument)
{
	struct bytes *bytes = argument;
	struct side server = {.is_server = true}, client = {.is_server = false};
	struct hub_coroutine *all[4];

	server.plan = (struct bytes){bytes->at, bytes->left / 2};
	client.plan = (struct bytes){bytes->at + bytes->left / 2, bytes->left - bytes->left / 2};
	server.other = &client;
	client.other = &server;
	open_side(&server);
	open_side(&client);
	all[0] = hub_spawn(talk, &server);
	all[1] = hub_spawn(talk, &client);
	all[2] = hub_spawn(relay, &server);
	all[3] = hub_spawn(relay, &client);
	end_all(all, 4);
	hub_close(server.inner);
	hub_close(client.inner);
	return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = {data, size};
	bool is_alone = bytes_next(&bytes) % 4 == 0;
	int result;

	if (tls_server == NULL)
		prepare();
	result = hub_run(is_alone ? run_alone : run_pair, &bytes, NULL);
	CHECK(result == 0);
	return 0;
}
