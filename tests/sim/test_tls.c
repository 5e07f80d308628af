/* TLS in the world: that the seed decides what OpenSSL draws, too, that certificates are judged by
 * the world's clock, and that what arrives is right, whatever goes wrong. */
#include <criterion/criterion.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "tests/sim/echo.h"
#include "tests/sim/seeds.h"

#define SEEDS 60

static char ed25519[] = HUBBUB_SOURCE_DIR "/tests/sim/ed25519.pem";
static char rsa[] = HUBBUB_SOURCE_DIR "/tests/sim/rsa.pem";

TestSuite(sim_tls, .timeout = 120);

Test(sim_tls, bytes_arrive_once_and_in_order)
{
	EACH_SEED (seed, SEEDS)
		cr_assert_eq(hub_sim_run(seed, NULL, echo_body, seed % 2 ? ed25519 : rsa), 0, "%s",
			hub_sim_report());
	cr_assert_eq(echo.right, SEEDS * ECHO_CLIENTS);
	cr_assert_eq(echo.wrong, 0);
}

Test(sim_tls, in_trouble_bytes_arrive_once_and_in_order_or_with_an_error)
{
	EACH_SEED (seed, SEEDS)
		cr_assert_eq(hub_sim_run(seed, &hub_sim_trouble, echo_body, ed25519), 0, "%s",
			hub_sim_report());
	cr_assert_eq(echo.right + echo.failed, SEEDS * ECHO_CLIENTS);
	cr_assert_gt(echo.right, 0);
	cr_assert_gt(echo.failed, 0, "there was no trouble");
	cr_assert_eq(echo.wrong, 0);
}

Test(sim_tls, a_seed_repeats_itself)
{
	EACH_SEED (seed, SEEDS) {
		char *certificate = seed % 2 ? ed25519 : rsa;
		uint64_t first;

		hub_sim_run(seed, &hub_sim_trouble, echo_body, certificate);
		first = hub_sim_trace();
		hub_sim_run(seed, &hub_sim_trouble, echo_body, certificate);
		cr_assert_eq(hub_sim_trace(), first, "seed %lu", (unsigned long)seed);
	}
}

/* ---- what is drawn ---- */

struct drawn {
	unsigned char kernel[40], openssl[40], private[40];
};

static void *
draw(void *argument)
{
	struct drawn *drawn = argument;

	cr_expect_eq(getrandom(drawn->kernel, sizeof drawn->kernel, 0), sizeof drawn->kernel);
	cr_expect_eq(RAND_bytes(drawn->openssl, sizeof drawn->openssl), 1);
	cr_expect_eq(RAND_priv_bytes(drawn->private, sizeof drawn->private), 1);
	return NULL;
}

static bool
is_equal(const struct drawn *one, const struct drawn *other)
{
	return memcmp(one, other, sizeof *one) == 0;
}

Test(sim_tls, the_seed_decides_what_is_drawn)
{
	struct drawn first, again, other, outside, outside_again;

	hub_sim_run(1, NULL, draw, &first);
	hub_sim_run(1, NULL, draw, &again);
	hub_sim_run(2, NULL, draw, &other);
	cr_assert(is_equal(&first, &again));
	cr_assert_not(is_equal(&first, &other));
	cr_assert_neq(memcmp(first.kernel, first.openssl, sizeof first.kernel), 0);
	/* Outside it is real. */
	draw(&outside);
	draw(&outside_again);
	cr_assert_not(is_equal(&outside, &outside_again));
}

/* ---- the clock of certificates ---- */

static struct {
	int sockets[2];
	struct hub_tls *server, *client;
} tls;

static void *
accept_tls(void *unused)
{
	hub_tls_accept(tls.sockets[0], tls.server);
	return unused;
}

/* A handshake in the year 2120 or so, when the certificate is not valid any more. */
static void *
shake_hands_late(void *argument)
{
	char *why = argument;
	struct hub_coroutine *server;

	hub_sleep(INT64_C(100) * 365 * 24 * 3600 * HUB_SECOND);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, tls.sockets);
	tls.server = hub_tls_server_new(ed25519, ed25519);
	tls.client = hub_tls_client_new(ed25519);
	server = hub_spawn(accept_tls, NULL);
	if (hub_tls_connect(tls.sockets[1], tls.client, "localhost") != 0)
		strcpy(why, hub_tls_why());
	hub_close(tls.sockets[1]);
	hub_join(server, NULL);
	hub_close(tls.sockets[0]);
	hub_tls_free(tls.server);
	hub_tls_free(tls.client);
	return NULL;
}

Test(sim_tls, a_certificate_ends_in_the_worlds_time)
{
	struct hub_sim_options options = {.longest = INT64_MAX};
	char why[256] = "";

	cr_assert_eq(hub_sim_run(1, &options, shake_hands_late, why), 0, "%s", hub_sim_report());
	cr_assert_not_null(strstr(why, "certificate has expired"), "%s", why);
}
