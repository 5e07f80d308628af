/* Addresses in the form of --listen, so that one search finds both. */
#include "worker/client.h"

#include <arpa/inet.h>
#include <stdio.h>

const char *
client_name(const struct sockaddr_storage *address, char text[static CLIENT_NAME_SIZE])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	char host[INET6_ADDRSTRLEN] = "?";

	if (address->ss_family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
		snprintf(text, CLIENT_NAME_SIZE, "%s:%u", host, ntohs(v4->sin_port));
	} else if (address->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
		snprintf(text, CLIENT_NAME_SIZE, "[%s]:%u", host, ntohs(v6->sin6_port));
	} else {
		snprintf(text, CLIENT_NAME_SIZE, address->ss_family == AF_UNIX ? "unix" : "?");
	}
	return text;
}
