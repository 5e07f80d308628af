#include "worker/peers.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/allocated.h"
#include "worker/listener.h"
#include "worker/peer.h"

Test(peers, known_ones_come_before_the_kernels)
{
	struct sockaddr_storage named = {.ss_family = AF_INET6}, found;
	struct peers peers = {0};
	socklen_t length = sizeof found;
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	cr_assert_eq(hubbub_peer(pair[0], (struct sockaddr *)&found, &length), 0);
	cr_assert_eq(found.ss_family, AF_UNIX);
	peers_use(&peers);
	((struct sockaddr_in6 *)&named)->sin6_port = 99;
	cr_assert_eq(peers_remember(&peers, 1000, &named), 0);
	cr_assert_eq(peers_remember(&peers, pair[0], &named), 0);
	length = sizeof found;
	cr_assert_eq(hubbub_peer(pair[0], (struct sockaddr *)&found, &length), 0);
	cr_assert_eq(found.ss_family, AF_INET6);
	cr_assert_eq(length, sizeof(struct sockaddr_in6));
	cr_assert_eq(((struct sockaddr_in6 *)&found)->sin6_port, 99);
	/* Like getpeername: what does not fit is cut off, and the length is the whole one. */
	length = 2;
	cr_assert_eq(hubbub_peer(pair[0], (struct sockaddr *)&found, &length), 0);
	cr_assert_eq(length, sizeof(struct sockaddr_in6));
	peers_forget(&peers, pair[0]);
	peers_forget(&peers, 100000);
	length = sizeof found;
	cr_assert_eq(hubbub_peer(pair[0], (struct sockaddr *)&found, &length), 0);
	cr_assert_eq(found.ss_family, AF_UNIX);
	peers_fini(&peers);
	close(pair[0]);
	close(pair[1]);
	cr_assert_eq(hubbub_peer(pair[0], (struct sockaddr *)&found, &length), -1);
	cr_assert_eq(errno, EBADF);
}

Test(peers, a_listeners_name_and_an_address_are_forgotten_together)
{
	struct sockaddr_storage named = {.ss_family = AF_INET6}, found;
	struct peers peers = {0};
	socklen_t length = sizeof found;
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	peers_use(&peers);
	cr_assert_str_eq(hubbub_listener(pair[0]), "");
	cr_assert_str_eq(hubbub_listener(-1), "");
	cr_assert_eq(peers_remember_listener(&peers, pair[0], "admin"), 0);
	cr_assert_eq(hubbub_peer(pair[0], (struct sockaddr *)&found, &length), 0);
	cr_assert_eq(found.ss_family, AF_UNIX, "the kernel's");
	cr_assert_eq(peers_remember(&peers, pair[0], &named), 0);
	cr_assert_str_eq(hubbub_listener(pair[0]), "admin");
	cr_assert_str_eq(hubbub_listener(pair[1]), "");
	length = sizeof found;
	cr_assert_eq(hubbub_peer(pair[0], (struct sockaddr *)&found, &length), 0);
	cr_assert_eq(found.ss_family, AF_INET6);
	peers_forget(&peers, pair[0]);
	cr_assert_str_eq(hubbub_listener(pair[0]), "");
	cr_assert_eq(peers.count, 0);
	peers_fini(&peers);
	close(pair[0]);
	close(pair[1]);
}

Test(peers, their_table_goes_with_the_last_of_them)
{
	struct sockaddr_storage named = {.ss_family = AF_INET6};
	struct peers peers = {0};
	long before = allocated_bytes();

	for (int client = 0; client < 20000; client++)
		cr_assert_eq(peers_remember(&peers, client, &named), 0);
	/* Twice is once. */
	cr_assert_eq(peers_remember(&peers, 7, &named), 0);
	for (int client = 0; client < 20000; client++)
		peers_forget(&peers, client);
	peers_forget(&peers, 7);
	if (before != -1)
		cr_assert_lt(allocated_bytes() - before, 16 * 1024);
	peers_fini(&peers);
}

/* ---- a number that was closed while its name was known, and is another connection's ---- */

static int family;
static char at_first[8], later[8]; /* what hubbub_listener tells */

static void *
reuse_body(void *argument)
{
	struct sockaddr_storage named = {.ss_family = AF_INET6}, found = {0};
	struct peers *peers = argument;
	socklen_t length = sizeof found;
	int pair[2], next[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	hub_adopt(pair[0]);
	peers_remember(peers, pair[0], &named);
	peers_remember_listener(peers, pair[0], "admin");
	socketpair(AF_UNIX, SOCK_STREAM, 0, next);
	hub_close(pair[0]);
	dup2(next[0], pair[0]);
	if (hubbub_peer(pair[0], (struct sockaddr *)&found, &length) == 0)
		family = found.ss_family;
	strcpy(at_first, hubbub_listener(pair[0]));
	peers_remember(peers, pair[0], &named);
	strcpy(later, hubbub_listener(pair[0]));
	close(pair[0]);
	close(pair[1]);
	close(next[0]);
	close(next[1]);
	return NULL;
}

Test(peers, a_name_is_not_the_next_connections)
{
	struct peers peers = {0};

	peers_use(&peers);
	cr_assert_eq(hub_run(reuse_body, &peers, NULL), 0);
	cr_assert_eq(family, AF_UNIX, "%d", family);
	cr_assert_str_eq(at_first, "");
	cr_assert_str_eq(later, "", "a new address does not bring a former name back");
	peers_fini(&peers);
}

/* ---- the address as text ---- */

Test(peers, tell_an_address_as_text)
{
	struct sockaddr_storage named = {.ss_family = AF_INET6};
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&named;
	char text[HUBBUB_PEER_TEXT_SIZE];
	struct peers peers = {0};
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	cr_assert_eq(hubbub_peer_text(pair[0], text, sizeof text), text);
	cr_assert_str_eq(text, "unix");
	peers_use(&peers);
	inet_pton(AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &v6->sin6_addr);
	v6->sin6_port = htons(65535);
	cr_assert_eq(peers_remember(&peers, pair[0], &named), 0);
	cr_assert_str_eq(hubbub_peer_text(pair[0], text, sizeof text),
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	cr_assert_str_eq(hubbub_address_text(&named, text, sizeof text),
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	peers_fini(&peers);
	close(pair[0]);
	close(pair[1]);
}

Test(peers, tell_a_question_mark_without_an_address)
{
	char text[HUBBUB_PEER_TEXT_SIZE];

	errno = EXDEV;
	cr_assert_str_eq(hubbub_peer_text(-1, text, sizeof text), "?");
	cr_assert_eq(errno, EXDEV, "it has no errors");
}

Test(peers, cut_off_what_does_not_fit)
{
	struct sockaddr_storage address = {.ss_family = AF_INET};
	char text[8];

	memset(text, 'x', sizeof text);
	inet_pton(AF_INET, "192.0.2.7", &((struct sockaddr_in *)&address)->sin_addr);
	cr_assert_str_eq(hubbub_address_text(&address, text, 6), "192.0");
	cr_assert_eq(strnlen(text, sizeof text), 5);
	cr_assert_eq(memcmp(text, "192.0\0xx", sizeof text), 0, "beyond its end");
	cr_assert_eq(*hubbub_address_text(&address, text, 0), '1', "no room, not even for the NUL");
}
