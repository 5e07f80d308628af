/* A peer: libuv, writing back from the buffer that was read; what the socket takes at once is not
 * queued. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "tests/bench/peers/upper.h"

static char buffer[64 * 1024];

static void
on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *to)
{
	(void)handle;
	(void)suggested;
	*to = uv_buf_init(buffer, sizeof buffer);
}

static void
on_close(uv_handle_t *handle)
{
	free(handle);
}

static void
on_written(uv_write_t *request, int status)
{
	(void)status;
	free(request);
}

/* The rest, with the bytes behind the request. */
static void
write_rest(uv_stream_t *stream, const char *bytes, size_t length)
{
	uv_write_t *request = malloc(sizeof *request + length);
	uv_buf_t rest;

	memcpy(request + 1, bytes, length);
	rest = uv_buf_init((char *)(request + 1), (unsigned)length);
	if (uv_write(request, stream, &rest, 1, on_written) != 0)
		free(request);
}

static void
on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *from)
{
	uv_buf_t whole = uv_buf_init(from->base, (unsigned)length);
	int sent;

	if (length < 0) {
		uv_close((uv_handle_t *)stream, on_close);
		return;
	}
	upper(from->base, (size_t)length);
	sent = uv_try_write(stream, &whole, 1);
	if (sent < 0)
		sent = 0;
	if (sent < length)
		write_rest(stream, from->base + sent, (size_t)(length - sent));
}

static void
on_connection(uv_stream_t *listener, int status)
{
	uv_tcp_t *client = malloc(sizeof *client);

	if (status < 0)
		return;
	uv_tcp_init(listener->loop, client);
	if (uv_accept(listener, (uv_stream_t *)client) == 0) {
		uv_tcp_nodelay(client, 1);
		uv_read_start((uv_stream_t *)client, on_alloc, on_read);
	} else {
		uv_close((uv_handle_t *)client, on_close);
	}
}

int
main(void)
{
	struct sockaddr_in address;
	int length = sizeof address;
	uv_loop_t *loop = uv_default_loop();
	uv_tcp_t listener;

	uv_tcp_init(loop, &listener);
	uv_ip4_addr("127.0.0.1", 0, &address);
	if (uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) != 0 ||
		uv_listen((uv_stream_t *)&listener, 4096, on_connection) != 0 ||
		uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &length) != 0) {
		fprintf(stderr, "peer-libuv: cannot listen\n");
		return 1;
	}
	fprintf(stderr, "ready: 127.0.0.1:%u\n", ntohs(address.sin_port));
	return uv_run(loop, UV_RUN_DEFAULT);
}
