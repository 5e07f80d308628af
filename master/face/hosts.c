/* Names are compared without regard to case, after the port is cut off; no name is ever resolved,
 * because an attacker's DNS would answer. */
#include "master/face/hosts.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "master/start/options.h"

#define NAME_SIZE 256 /* bytes: as long as DNS allows, with the terminating NUL */

/* Copies host without its port, and without the brackets of an IPv6 address (*is_v6). Returns false
 * if it is malformed. */
static bool
read_name(const char *host, char name[static NAME_SIZE], bool *is_v6)
{
	const char *end;

	*is_v6 = host[0] == '[';
	host += *is_v6;
	end = host + strcspn(host, *is_v6 ? "]" : ":");
	if (end == host || end - host >= NAME_SIZE || (*is_v6 && *end != ']'))
		return false;
	memcpy(name, host, (size_t)(end - host));
	name[end - host] = '\0';
	end += *is_v6;
	return *end == '\0' || (*end == ':' && end[1 + strspn(end + 1, "0123456789")] == '\0');
}

bool
hosts_is_local(const char *host)
{
	char name[NAME_SIZE];
	struct in6_addr v6;
	struct in_addr v4;
	bool is_v6;

	if (!read_name(host, name, &is_v6))
		return false;
	if (is_v6)
		return inet_pton(AF_INET6, name, &v6) == 1;
	return inet_pton(AF_INET, name, &v4) == 1 || strcasecmp(name, "localhost") == 0;
}

static bool
is_machine(const char *name)
{
	char own[NAME_SIZE] = "";

	return gethostname(own, sizeof own - 1) == 0 && own[0] != '\0' &&
	       strcasecmp(name, own) == 0;
}

/* Whether name is the host of an address that is HOST or HOST:PORT. */
static bool
is_host_of(const char *name, const char *address)
{
	char host[NAME_SIZE];
	bool is_v6;

	return address != NULL && read_name(address, host, &is_v6) && strcasecmp(name, host) == 0;
}

bool
hosts_is_own(const char *host, const struct options *options)
{
	char name[NAME_SIZE];
	bool is_v6;

	if (hosts_is_local(host))
		return true;
	if (!read_name(host, name, &is_v6) || is_v6)
		return false;
	for (size_t i = 0; i < options->admin_host.count; i++)
		if (is_host_of(name, options->admin_host.items[i]))
			return true;
	return is_host_of(name, options->admin) || is_machine(name);
}

bool
hosts_is_same(const char *origin, const char *host)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		size_t length = strlen(schemes[i]);

		if (strncasecmp(origin, schemes[i], length) == 0)
			return strcasecmp(origin + length, host) == 0;
	}
	return false;
}
