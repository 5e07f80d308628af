/* The BIO alone, without an SSL: OpenSSL's calls are BIO_read and BIO_write here. */
#include <criterion/criterion.h>
#include <errno.h>
#include <openssl/bio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/coroutine.h"
#include "hub/io/fd_priv.h"
#include "hub/io/tls_bio_priv.h"
#include "tests/support/in_hub.h"

#define BUDGET 16384
#define KEPT_MOST (256 * 1024)

static struct tls_socket tls;
static int peer;
static char big[2 * KEPT_MOST];

TestSuite(tls_bio, .timeout = 60);

/* A BIO before one end of a pair, whose other end is peer. */
static BIO *
open_bio(void)
{
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	peer = pair[1];
	tls = (struct tls_socket){.entry = fd_lookup(hub_enter()->hub, pair[0]), .budget = BUDGET};
	return tls_bio_prepare() && tls.entry != NULL ? tls_bio_new(&tls) : NULL;
}

static void
close_bio(BIO *bio)
{
	int fd = tls.entry->read.fd;

	BIO_free(bio);
	tls_socket_fini(&tls);
	hub_close(fd);
	hub_close(peer);
}

/* ---- reading ---- */

static struct {
	int empty, whole, part, over_budget, at_the_end;
	bool waits_when_empty, waits_over_budget, waits_at_the_end;
} got;

static void *
read_body(void *unused)
{
	BIO *bio = open_bio();
	char bytes[16];

	got.empty = BIO_read(bio, bytes, sizeof bytes);
	got.waits_when_empty = BIO_should_read(bio);
	hub_write(peer, "hello", 5);
	got.whole = BIO_read(bio, bytes, sizeof bytes);
	hub_write(peer, "hello", 5);
	tls.budget = 2;
	got.part = BIO_read(bio, bytes, sizeof bytes);
	got.over_budget = BIO_read(bio, bytes, sizeof bytes);
	got.waits_over_budget = BIO_should_read(bio);
	tls.budget = BUDGET;
	BIO_read(bio, bytes, sizeof bytes);
	hub_shutdown(peer, SHUT_WR);
	got.at_the_end = BIO_read(bio, bytes, sizeof bytes);
	got.waits_at_the_end = BIO_should_retry(bio);
	close_bio(bio);
	return unused;
}

Test(tls_bio, reads_what_has_come_within_its_budget)
{
	in_hub(read_body, NULL);
	cr_assert_eq(got.empty, -1);
	cr_assert(got.waits_when_empty);
	cr_assert_eq(got.whole, 5);
	cr_assert_eq(got.part, 2);
	cr_assert_eq(got.over_budget, -1);
	cr_assert(got.waits_over_budget, "OpenSSL would take it for the end");
	cr_assert_eq(got.at_the_end, 0);
	cr_assert_not(got.waits_at_the_end);
}

/* ---- writing ---- */

static struct {
	int first, kept, too_many, error, flush, flush_error;
	size_t rest, taken, received;
	bool is_same, is_kept_after_flush, is_kept_after_taking;
} sent;

/* Receives all that has been sent, and compares it with big. */
static void
receive_all(void)
{
	static char bytes[sizeof big];
	ssize_t length;

	while ((length = hub_recv(peer, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
		sent.is_same =
			sent.is_same && memcmp(bytes, big + sent.received, (size_t)length) == 0;
		sent.received += (size_t)length;
	}
}

static void
fill_big(void)
{
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)(i % 251);
	sent.is_same = true;
}

static void *
write_body(void *unused)
{
	BIO *bio = open_bio();
	int small = 4096;

	fill_big();
	setsockopt(tls.entry->read.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	sent.first = BIO_write(bio, big, 100000);
	sent.rest = tls.kept_length;
	/* There would be room for it, but what is kept goes first. */
	receive_all();
	sent.kept = BIO_write(bio, big + 100000, 10);
	sent.flush = tls_socket_flush(&tls);
	sent.flush_error = errno;
	while (tls_socket_flush(&tls) != 0)
		receive_all();
	receive_all();
	sent.is_kept_after_flush = tls.kept != NULL;
	close_bio(bio);
	return unused;
}

Test(tls_bio, keeps_in_order_what_the_kernel_does_not_take)
{
	in_hub(write_body, NULL);
	cr_assert_eq(sent.first, 100000);
	cr_assert(sent.rest > 0 && sent.rest < 100000, "%zu", sent.rest);
	cr_assert_eq(sent.kept, 10);
	cr_assert_eq(sent.flush, -1);
	cr_assert_eq(sent.flush_error, EAGAIN);
	cr_assert_eq(sent.received, 100010);
	cr_assert(sent.is_same);
	cr_assert_not(sent.is_kept_after_flush);
}

static void *
too_many_body(void *unused)
{
	BIO *bio = open_bio();
	unsigned char *kept;

	fill_big();
	while (tls.kept == NULL)
		BIO_write(bio, big, 50000);
	sent.first = BIO_write(bio, big, KEPT_MOST - (int)tls.kept_length);
	sent.too_many = BIO_write(bio, big, 1);
	sent.error = tls.error;
	/* Some of it is sent, and the rest is given away. */
	receive_all();
	tls_socket_flush(&tls);
	sent.rest = tls.kept_length - tls.kept_sent;
	kept = tls_socket_take_kept(&tls, &sent.taken);
	sent.is_kept_after_taking = tls.kept != NULL;
	free(kept);
	close_bio(bio);
	return unused;
}

Test(tls_bio, keeps_no_more_than_a_peer_may_leave_unread)
{
	in_hub(too_many_body, NULL);
	cr_assert_gt(sent.first, 0);
	cr_assert_eq(sent.too_many, -1);
	cr_assert_eq(sent.error, ENOMEM);
	cr_assert(sent.taken > 0 && sent.taken < KEPT_MOST, "%zu", sent.taken);
	cr_assert_eq(sent.taken, sent.rest);
	cr_assert_not(sent.is_kept_after_taking);
}

static void *
broken_body(void *unused)
{
	BIO *bio = open_bio();

	hub_close(peer);
	peer = -1;
	sent.first = BIO_write(bio, "hello", 5);
	sent.error = tls.error;
	close_bio(bio);
	return unused;
}

Test(tls_bio, keeps_nothing_for_a_peer_that_has_gone)
{
	in_hub(broken_body, NULL);
	cr_assert_eq(sent.first, -1);
	cr_assert_eq(sent.error, EPIPE);
}
