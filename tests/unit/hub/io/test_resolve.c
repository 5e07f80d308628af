/* Names and numbers of hosts, by the hub's own lookups in threads. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static void *
numeric_body(void *argument)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *result;
	struct hub_switch_scope scope;
	int error;

	hub_switch_scope_start(&scope, HUB_MUST_NOT_SWITCH);
	error = hub_getaddrinfo("::1", "9090", &hints, &result);
	hub_switch_scope_stop(&scope);
	trace_call("lookup", error);
	if (error == 0) {
		struct sockaddr_in6 *address = (struct sockaddr_in6 *)(void *)result->ai_addr;
		char text[INET6_ADDRSTRLEN];

		inet_ntop(AF_INET6, &address->sin6_addr, text, sizeof text);
		trace_say("%s port %d", text, ntohs(address->sin6_port));
		trace_whether("another one", result->ai_next != NULL);
		hub_freeaddrinfo(result);
	}
	return argument;
}

Test(resolve, numbers_are_converted_without_a_switch)
{
	in_hub(numeric_body, NULL);
	cr_assert_str_eq(trace_text(), "lookup 0, ::1 port 9090, not another one");
}

struct lookup {
	int error, system_error;
	bool has_name;
};

static void *
look_up(void *argument)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME}, *result;
	struct lookup *lookup = argument;

	lookup->error = hub_getaddrinfo("localhost", "9090", &hints, &result);
	lookup->system_error = errno;
	if (lookup->error == 0) {
		lookup->has_name = result->ai_canonname != NULL;
		hub_freeaddrinfo(result);
	}
	return NULL;
}

static struct {
	struct lookup first, second, killed, last, late;
} lookups;

static void *
names_body(void *argument)
{
	struct hub_coroutine *first = hub_spawn(look_up, &lookups.first),
			     *second = hub_spawn(look_up, &lookups.second),
			     *killed = hub_spawn(look_up, &lookups.killed),
			     *last = hub_spawn(look_up, &lookups.last);
	struct hub_timeout scope;

	hub_sleep(0);
	/* One leaves; the others do not notice. */
	hub_kill(killed);
	hub_join(first, NULL);
	hub_join(second, NULL);
	hub_join(killed, NULL);
	hub_join(last, NULL);
	hub_timeout_start(&scope, 0);
	look_up(&lookups.late);
	hub_timeout_stop(&scope);
	return argument;
}

Test(resolve, callers_of_one_name_share_a_lookup_and_may_leave)
{
	in_hub(names_body, NULL);
	cr_assert_eq(lookups.first.error, 0);
	cr_assert_eq(lookups.second.error, 0);
	cr_assert_eq(lookups.last.error, 0);
	cr_assert(lookups.first.has_name && lookups.second.has_name && lookups.last.has_name);
	/* The answer may have come before the kill. */
	if (lookups.killed.error != 0) {
		cr_assert_eq(lookups.killed.error, EAI_SYSTEM);
		cr_assert_eq(lookups.killed.system_error, ECANCELED);
	}
	cr_assert_eq(lookups.late.error, EAI_SYSTEM);
	cr_assert_eq(lookups.late.system_error, ETIMEDOUT);
}

struct failures {
	int host, service;
};

static void *
fail_body(void *argument)
{
	struct failures *failures = argument;
	struct addrinfo *result;

	failures->host = hub_getaddrinfo("no such host.invalid", "9090", NULL, &result);
	failures->service = hub_getaddrinfo("localhost", "no-such-service", NULL, &result);
	return NULL;
}

Test(resolve, tells_what_the_library_tells)
{
	struct failures failures = {0};

	in_hub(fail_body, &failures);
	cr_assert_neq(failures.host, 0);
	cr_assert_eq(failures.service, EAI_SERVICE);
}
