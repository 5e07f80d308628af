#include "master/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

bool
network_parse(const char *text, struct worker_network *network)
{
	const char *slash = strchr(text, '/');
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];
	unsigned long most, bits;
	char *end;

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
	if (slash != NULL) {
		bits = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits > most)
			return false;
	}
	network->bits = (unsigned)bits;
	return true;
}
