/* A network without /BITS is one address. Bits behind the first BITS are kept as they were given:
 * the worker compares the first BITS alone. */
#include "master/start/network.h"

#include <arpa/inet.h>
#include <string.h>

#include "master/base/values.h"

bool
network_parse(const char *text, struct worker_network *network)
{
	const char *slash = strchr(text, '/');
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];
	uint64_t most, bits;

	*network = (struct worker_network){.family = AF_INET};
	if (length >= sizeof address)
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (inet_pton(AF_INET, address, network->bytes) != 1) {
		network->family = AF_INET6;
		if (inet_pton(AF_INET6, address, network->bytes) != 1)
			return false;
	}
	most = bits = network->family == AF_INET ? 32 : 128;
	if (slash != NULL && !values_read_plain(slash + 1, most, &bits))
		return false;
	network->bits = (unsigned)bits;
	return true;
}
