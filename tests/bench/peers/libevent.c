/* A peer: libevent's bufferevents, as its own examples use them. */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

#include "tests/bench/peers/upper.h"

static void
on_read(struct bufferevent *connection, void *unused)
{
	struct evbuffer *input = bufferevent_get_input(connection);
	struct evbuffer_iovec parts[8];
	int count = evbuffer_peek(input, -1, NULL, parts, 8);

	(void)unused;
	for (int i = 0; i < count && i < 8; i++)
		upper(parts[i].iov_base, parts[i].iov_len);
	bufferevent_write_buffer(connection, input);
}

static void
on_event(struct bufferevent *connection, short events, void *unused)
{
	(void)events;
	(void)unused;
	bufferevent_free(connection);
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int length,
	void *base)
{
	struct bufferevent *connection = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	int on = 1;

	(void)listener;
	(void)address;
	(void)length;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	bufferevent_setcb(connection, on_read, NULL, on_event, NULL);
	bufferevent_enable(connection, EV_READ | EV_WRITE);
}

int
main(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	struct event_base *base = event_base_new();
	struct evconnlistener *listener = evconnlistener_new_bind(base, on_accept, base,
		LEV_OPT_CLOSE_ON_FREE, 4096, (struct sockaddr *)&address, sizeof address);

	if (listener == NULL || getsockname(evconnlistener_get_fd(listener),
					(struct sockaddr *)&address, &length) != 0) {
		perror("peer-libevent");
		return 1;
	}
	fprintf(stderr, "ready: 127.0.0.1:%u\n", ntohs(address.sin_port));
	return event_base_dispatch(base);
}
