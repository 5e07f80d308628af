/* Names of hosts: those of the world, localhost, and addresses in numbers. A host has an address of
 * either family; the list begins with that of IPv6, as it does where both are configured. */
#include <arpa/inet.h>
#include <string.h>

#include "hub/base/kernel.h"
#include "sim/machine/host_priv.h"
#include "sim/world/world_priv.h"

/* The address in numbers, of that family. */
static int
convert(const struct host *host, int family, const char *service, const struct addrinfo *hints,
	struct addrinfo **addresses)
{
	struct addrinfo numeric = *hints;
	unsigned char address[16];
	char text[INET6_ADDRSTRLEN];

	host_address(host, family, address);
	inet_ntop(family, address, text, sizeof text);
	numeric.ai_family = family;
	return real_getaddrinfo(text, service, &numeric, addresses);
}

static int
look_up(const struct host *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **addresses)
{
	struct addrinfo **end = addresses;
	int error;

	if (hints->ai_family != AF_UNSPEC)
		return convert(host, hints->ai_family, service, hints, addresses);
	error = convert(host, AF_INET6, service, hints, addresses);
	if (error != 0)
		return error;
	while (*end != NULL)
		end = &(*end)->ai_next;
	return convert(host, AF_INET, service, hints, end);
}

int
kernel_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
	struct addrinfo **addresses)
{
	struct addrinfo numeric = hints != NULL ? *hints : (struct addrinfo){0};

	if (!world_exists())
		return real_getaddrinfo(host, service, hints, addresses);
	numeric.ai_flags |= AI_NUMERICHOST | AI_NUMERICSERV;
	if (host != NULL && host_find(host) != NULL) {
		/* The server of names is on no host, but not always there either. */
		if (world_chance(world_options()->partition))
			return EAI_AGAIN;
		return look_up(host_find(host), service, &numeric, addresses);
	}
	if (host != NULL && strcmp(host, "localhost") == 0)
		host = numeric.ai_family == AF_INET6 ? "::1" : "127.0.0.1";
	return real_getaddrinfo(host, service, &numeric, addresses);
}
