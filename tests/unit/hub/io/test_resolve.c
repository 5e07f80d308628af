#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "tests/support/in_hub.h"

struct record {
	int errors[8];
	int system_errors[8];
	int ends;
	char text[INET6_ADDRSTRLEN];
	int port;
	bool has_name;
};

static struct record *current;

static void *
numeric_body(void *argument)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *result;
	struct hub_switch_scope scope;

	current = argument;
	hub_switch_scope_start(&scope, HUB_MUST_NOT_SWITCH);
	current->errors[0] = hub_getaddrinfo("::1", "9090", &hints, &result);
	hub_switch_scope_stop(&scope);
	if (current->errors[0] == 0) {
		struct sockaddr_in6 *address = (struct sockaddr_in6 *)(void *)result->ai_addr;

		inet_ntop(AF_INET6, &address->sin6_addr, current->text, sizeof current->text);
		current->port = ntohs(address->sin6_port);
		current->has_name = result->ai_next != NULL;
		hub_freeaddrinfo(result);
	}
	return NULL;
}

Test(resolve, numbers_are_converted_without_a_switch)
{
	struct record record = {0};

	in_hub(numeric_body, &record);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_str_eq(record.text, "::1");
	cr_assert_eq(record.port, 9090);
	cr_assert_not(record.has_name);
}

static void *
look_up(void *argument)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME}, *result;
	intptr_t index = (intptr_t)argument;

	current->errors[index] = hub_getaddrinfo("localhost", "9090", &hints, &result);
	current->system_errors[index] = errno;
	if (current->errors[index] == 0) {
		current->has_name = result->ai_canonname != NULL;
		hub_freeaddrinfo(result);
	}
	current->ends++;
	return NULL;
}

static void *
names_body(void *argument)
{
	struct hub_coroutine *coroutines[4];
	struct hub_timeout scope;

	current = argument;
	for (intptr_t i = 0; i < 4; i++)
		coroutines[i] = hub_spawn(look_up, (void *)i);
	hub_sleep(0);
	/* One leaves; the others do not notice. */
	hub_kill(coroutines[2]);
	for (int i = 0; i < 4; i++)
		hub_join(coroutines[i], NULL);
	hub_timeout_start(&scope, 0);
	look_up((void *)4);
	hub_timeout_stop(&scope);
	return NULL;
}

Test(resolve, callers_of_one_name_share_a_lookup_and_may_leave)
{
	struct record record = {0};

	in_hub(names_body, &record);
	cr_assert_eq(record.errors[0], 0);
	cr_assert_eq(record.errors[1], 0);
	cr_assert_eq(record.errors[3], 0);
	cr_assert(record.has_name);
	/* The answer may have come before the kill. */
	if (record.errors[2] != 0) {
		cr_assert_eq(record.errors[2], EAI_SYSTEM);
		cr_assert_eq(record.system_errors[2], ECANCELED);
	}
	cr_assert_eq(record.errors[4], EAI_SYSTEM);
	cr_assert_eq(record.system_errors[4], ETIMEDOUT);
}

static void *
fail_body(void *argument)
{
	struct addrinfo *result;

	current = argument;
	current->errors[0] = hub_getaddrinfo("no such host.invalid", "9090", NULL, &result);
	current->errors[1] = hub_getaddrinfo("localhost", "no-such-service", NULL, &result);
	return NULL;
}

Test(resolve, tells_what_the_library_tells)
{
	struct record record = {0};

	in_hub(fail_body, &record);
	cr_assert_neq(record.errors[0], 0);
	cr_assert_eq(record.errors[1], EAI_SERVICE);
}
