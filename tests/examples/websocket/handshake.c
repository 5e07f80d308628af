/* What a request gets: the page, frames, or a refusal. A browser says which page wants to connect
 * (Origin), and pages of other servers may not, unless --origin names theirs: otherwise they could
 * chat in the name of whoever looks at them. */
#include "handshake.h"

#include <hubbub/hub.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "page.h"
#include "request.h"

#define PATIENCE (10 * HUB_SECOND) /* for a whole request */

static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, 1.3 */

static const char *const paths[] = {
	[REACH_HUB] = "/hub", [REACH_PROCESS] = "/process", [REACH_ALL] = "/all"};

static bool
find_reach(const char *path, enum reach *reach)
{
	for (*reach = REACH_HUB; *reach <= REACH_ALL; ++*reach)
		if (strcmp(path, paths[*reach]) == 0)
			return true;
	return false;
}

static bool
is_from_here(const struct request *request)
{
	const char *host = strstr(request->origin, "://");

	return host != NULL && strcasecmp(host + 3, request->host) == 0;
}

static bool
may_connect(const struct request *request, const struct hubbub_list *origins)
{
	if (request->origin[0] == '\0')
		return true; /* no browser */
	for (size_t i = 0; i < origins->count; i++)
		if (strcmp(origins->items[i], "*") == 0 ||
			strcasecmp(origins->items[i], request->origin) == 0)
			return true;
	return origins->count == 0 && is_from_here(request);
}

/* A key is the base64 of 16 bytes. */
static bool
is_key(const char *key)
{
	unsigned char bytes[32];

	return strlen(key) == 24 && strcmp(key + 22, "==") == 0 && key[21] != '=' &&
	       EVP_DecodeBlock(bytes, (const unsigned char *)key, 24) == 18;
}

/* Returns NULL, or the status that refuses the handshake. */
static const char *
refuse(const struct request *request, const struct chat *chat)
{
	if (!request->upgrades || !request->connects)
		return "426 Upgrade Required\r\nUpgrade: websocket";
	if (strcmp(request->version, "13") != 0)
		return "426 Upgrade Required\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13";
	if (!is_key(request->key))
		return "400 Bad Request";
	return may_connect(request, &chat->origins) ? NULL : "403 Forbidden";
}

static void
accept_key(struct hub_stream *stream, const char *key)
{
	unsigned char hash[SHA_DIGEST_LENGTH], text[32];
	char both[sizeof guid + 24];
	int length = snprintf(both, sizeof both, "%s%s", key, guid);

	SHA1((unsigned char *)both, (size_t)length, hash);
	EVP_EncodeBlock(text, hash, sizeof hash);
	hub_stream_printf(stream,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		(char *)text);
}

static void
send_page(struct hub_stream *stream)
{
	hub_stream_printf(stream,
		"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
		"Content-Length: %zu\r\nContent-Security-Policy: default-src 'none'; "
		"connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
		"frame-ancestors 'none'\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n",
		strlen(page));
	hub_stream_write(stream, page, strlen(page));
}

static const char *
read_in_time(struct hub_stream *stream, struct request *request)
{
	struct hub_timeout scope;
	const char *refused;

	hub_timeout_start(&scope, PATIENCE);
	refused = request_read(stream, request);
	hub_timeout_stop(&scope);
	return refused;
}

bool
handshake(struct hub_stream *stream, const struct chat *chat, enum reach *reach)
{
	struct request request;
	const char *refused = read_in_time(stream, &request);

	if (refused == NULL && strcmp(request.path, "/") == 0) {
		send_page(stream);
		return false;
	}
	if (refused == NULL)
		refused =
			find_reach(request.path, reach) ? refuse(&request, chat) : "404 Not Found";
	if (refused == NULL)
		accept_key(stream, request.key);
	else if (refused[0] != '\0')
		hub_stream_printf(stream,
			"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", refused);
	return refused == NULL;
}
