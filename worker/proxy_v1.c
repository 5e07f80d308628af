/* The line is parsed strictly, as its specification asks: single spaces, addresses and ports
 * without needless zeros, nothing before the end but what is known. So no two readers of a line can
 * understand it in two ways. */
#include "worker/proxy_v1.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"

#define BEGINNING "PROXY "
#define UNKNOWN "PROXY UNKNOWN"

enum { PROXY, FAMILY, SOURCE, DESTINATION, SOURCE_PORT, DESTINATION_PORT, FIELD_MAX };

bool
proxy_v1_is_begun(const unsigned char *bytes, size_t length)
{
	return length >= strlen(BEGINNING) && memcmp(bytes, BEGINNING, strlen(BEGINNING)) == 0;
}

/* Splits the line at each space. Returns whether it has all fields, and no more. */
static bool
split(char *line, char *fields[static FIELD_MAX])
{
	size_t count = 0;

	for (char *at = line; at != NULL; count++) {
		if (count == FIELD_MAX)
			return false;
		fields[count] = at;
		at = strchr(at, ' ');
		if (at != NULL)
			*at++ = '\0';
	}
	return count == FIELD_MAX;
}

/* Sets *port, in network order. Returns whether text is a port. */
static bool
parse_port(const char *text, in_port_t *port)
{
	unsigned long number;

	if (text[strspn(text, "0123456789")] != '\0' || text[0] == '\0' || strlen(text) > 5 ||
		(text[0] == '0' && text[1] != '\0'))
		return false;
	number = strtoul(text, NULL, 10);
	*port = htons((uint16_t)number);
	return number <= UINT16_MAX;
}

/* Sets client. Returns whether address and port are of the family; inet_pton takes no needless
 * zeros either. */
static bool
parse_end(int family, const char *address, const char *port, struct sockaddr_storage *client)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)client;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)client;

	client->ss_family = (sa_family_t)family;
	if (family == AF_INET)
		return inet_pton(AF_INET, address, &v4->sin_addr) == 1 &&
		       parse_port(port, &v4->sin_port);
	return inet_pton(AF_INET6, address, &v6->sin6_addr) == 1 &&
	       parse_port(port, &v6->sin6_port);
}

/* Parses a line without its end. Returns whether it is right. */
static bool
parse_fields(char *line, struct sockaddr_storage *client)
{
	struct sockaddr_storage source = {0}, destination = {0};
	char *fields[FIELD_MAX];
	int family;

	if (!split(line, fields) ||
		(strcmp(fields[FAMILY], "TCP4") != 0 && strcmp(fields[FAMILY], "TCP6") != 0))
		return false;
	family = fields[FAMILY][3] == '4' ? AF_INET : AF_INET6;
	if (!parse_end(family, fields[SOURCE], fields[SOURCE_PORT], &source) ||
		!parse_end(family, fields[DESTINATION], fields[DESTINATION_PORT], &destination))
		return false;
	*client = source;
	return true;
}

bool
proxy_v1_parse(
	const unsigned char *line, size_t length, struct sockaddr_storage *client, const char **why)
{
	char text[PROXY_V1_MOST];
	size_t rest = length - 2; /* without the end */

	memset(client, 0, sizeof *client);
	*why = "its PROXY header of version 1 does not end with CR LF within 107 bytes";
	if (length < PROXY_V1_LEAST || length > PROXY_V1_MOST ||
		memcmp(line + rest, "\r\n", 2) != 0)
		return false;
	CHECK(rest < sizeof text);
	memcpy(text, line, rest);
	text[rest] = '\0';
	*why = "its PROXY header of version 1 is not as the protocol says";
	if (!proxy_v1_is_begun(line, length) || strlen(text) != rest ||
		strpbrk(text, "\r\n") != NULL)
		return false;
	/* Whatever follows is to be ignored. */
	if (strncmp(text, UNKNOWN, strlen(UNKNOWN)) == 0 &&
		(text[strlen(UNKNOWN)] == '\0' || text[strlen(UNKNOWN)] == ' '))
		return true;
	return parse_fields(text, client);
}
