#include "master/start/options_listen.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "master/start/options.h"

static struct options options;
static char error[512];

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

static ssize_t
answer(struct hub_datagram *datagram, size_t size, void *context)
{
	(void)datagram, (void)size, (void)context;
	return -1;
}

static const struct hubbub_listener listeners[] = {
	{.name = "admin", .serve = serve}, {.name = "stats", .answer = answer}, {0}};
static const struct hubbub_service service = {
	.name = "test", .version = "1", .listen = ":0", .serve = serve, .listeners = listeners};
static const struct hubbub_service plain = {
	.name = "test", .version = "1", .listen = ":0", .serve = serve};

static const struct hubbub_listener none[] = {{0}};
static const struct hubbub_service emptied = {
	.name = "test", .version = "1", .listen = ":0", .serve = serve, .listeners = none};

static const struct address *const first = &options.addresses[0];
static const struct address *const second = &options.addresses[1];

static bool
read_of(const struct hubbub_service *which, const char *one, const char *other, bool is_again)
{
	char *argv[] = {"test", "--listen", (char *)(uintptr_t)one, "--listen",
		(char *)(uintptr_t)other, NULL};

	options_free(&options);
	return options_read(&options, 5, argv, which, is_again, error, sizeof error) == 0;
}

static void
end(void)
{
	options_free(&options);
}

TestSuite(options_listen, .fini = end);

Test(options_listen, an_address_has_the_name_before_it)
{
	cr_assert(read_of(&service, "127.0.0.1:1", "admin=unix:/tmp/a=b", false), "%s", error);
	cr_assert_eq(options.address_count, 2);
	cr_assert_str_eq(first->listener, "");
	cr_assert_str_eq(second->listener, "admin");
	cr_assert_str_eq(address_path(second), "/tmp/a=b");
	cr_assert(read_of(&service, "admin=127.0.0.1:1", "stats=udp:127.0.0.1:1", false), "%s",
		error);
	cr_assert(read_of(&service, "admin=127.0.0.1:0", "admin=127.0.0.1:0", false), "%s", error);
	cr_assert_eq(options.address_count, 2, "two of port 0 are two ports");
	/* On a reload the sockets stay. */
	cr_assert(read_of(&service, "127.0.0.1:1", "admin=unix:/tmp/a", true), "%s", error);
	cr_assert_eq(options.address_count, 0);
}

static const struct {
	const struct hubbub_service *service;
	const char *one, *other, *why;
} wrong[] = {
	{&service, ":1", "nobody=:2",
		"'nobody=:2' is for a listener that test does not have; it has admin, stats"},
	{&plain, ":1", "admin=:2",
		"'admin=:2' is for a listener that test does not have; it has none with a name"},
	{&emptied, ":1", "admin=:2", "it has none with a name"},
	{&service, ":1", "Admin=:2",
		"'Admin=:2' has no valid name before '='; a name has up to 31 "},
	{&service, ":1", "admin=", "'admin=' has no port"},
	{&service, ":1", "admin=nowhere", "'admin=nowhere' has no port"},
	{&service, ":1", "stats=:2", "stats serves udp: addresses alone"},
	{&service, ":1", "admin=udp::2", "admin does not answer datagrams"},
	{&service, ":1", "udp::2", "test does not answer datagrams"},
	{&service, "127.0.0.1:1", "admin=127.0.0.1:1",
		"an address has one listener, and 127.0.0.1:1 has one already"},
	{&service, "admin=127.0.0.1:1", "127.0.0.1:1",
		"an address has one listener, and admin=127.0.0.1:1 has one already"},
};

Test(options_listen, what_the_service_does_not_serve_is_refused)
{
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		cr_assert_not(read_of(wrong[i].service, wrong[i].one, wrong[i].other, false), "%s",
			wrong[i].other);
		cr_assert_not_null(strstr(error, wrong[i].why), "%s: %s", wrong[i].other, error);
		cr_assert_eq(strncmp(error, "--listen: ", 10), 0, "%s", error);
	}
}
