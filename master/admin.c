#include "master/admin.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/change.h"
#include "master/claim.h"
#include "master/master.h"
#include "master/metrics.h"
#include "master/ready.h"
#include "master/status.h"

#define CONNECTIONS_MAX 64
#define IDLE_TIMEOUT 10U /* seconds */

/* page.S: page.html as it is. */
extern const char admin_page[] __attribute__((visibility("hidden")));
extern const char admin_page_end[] __attribute__((visibility("hidden")));

struct admin {
	struct master *master;
	struct MHD_Daemon *daemon; /* NULL if it could not be started again */
	int fd;                    /* listens; owned */
	bool has_handed_over;      /* another master accepts on it */
	bool was_told;             /* where it is */
	ev_io events;
	ev_timer timeout; /* libmicrohttpd's own */
};

/* ---- answers ---- */

static enum MHD_Result
answer(const struct admin *admin, struct MHD_Connection *connection, unsigned code,
	const char *type, const char *text, size_t length, enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(length, (void *)(uintptr_t)text, mode);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	if (admin->has_handed_over)
		MHD_add_response_header(response, "Connection", "close");
	if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	result = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
answer_text(const struct admin *admin, struct MHD_Connection *connection, unsigned code,
	const char *text)
{
	return answer(admin, connection, code, "text/plain; charset=utf-8", text, strlen(text),
		MHD_RESPMEM_PERSISTENT);
}

/* text is owned from now on. */
static enum MHD_Result
answer_made(const struct admin *admin, struct MHD_Connection *connection, const char *type,
	char *text, size_t length)
{
	if (text == NULL)
		return answer_text(
			admin, connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "no memory\n");
	return answer(admin, connection, MHD_HTTP_OK, type, text, length, MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result
answer_metrics(struct admin *admin, struct MHD_Connection *connection)
{
	size_t length = 0;
	char *text = metrics_text(admin->master, &length);

	return answer_made(
		admin, connection, "text/plain; version=0.0.4; charset=utf-8", text, length);
}

static enum MHD_Result
answer_stats(struct admin *admin, struct MHD_Connection *connection)
{
	char *text = status_json(admin->master);

	return answer_made(
		admin, connection, "application/json", text, text != NULL ? strlen(text) : 0);
}

/* The master's loop runs, or nobody would answer: so it lives, whatever the load. */
static enum MHD_Result
answer_live(struct admin *admin, struct MHD_Connection *connection)
{
	return answer_text(admin, connection, MHD_HTTP_OK, "alive\n");
}

static enum MHD_Result
answer_ready(struct admin *admin, struct MHD_Connection *connection)
{
	/* The other master is ready, or it would not have taken over. */
	return admin->has_handed_over || ready_is(admin->master)
		       ? answer_text(admin, connection, MHD_HTTP_OK, "ready\n")
		       : answer_text(
				 admin, connection, MHD_HTTP_SERVICE_UNAVAILABLE, "not ready\n");
}

static enum MHD_Result
answer_page(struct admin *admin, struct MHD_Connection *connection)
{
	return answer(admin, connection, MHD_HTTP_OK, "text/html; charset=utf-8", admin_page,
		(size_t)(admin_page_end - admin_page), MHD_RESPMEM_PERSISTENT);
}

/* Whether the client is on this machine, and has not been led here by a name that somebody else
 * gave it. */
static bool
is_from_here(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
	const struct sockaddr_in *v4;
	const struct sockaddr_in6 *v6;

	if (info == NULL || host == NULL ||
		(strncmp(host, "localhost", 9) != 0 && strspn(host, "0123456789.:[") == 0))
		return false;
	v4 = (const struct sockaddr_in *)info->client_addr;
	v6 = (const struct sockaddr_in6 *)info->client_addr;
	if (v4->sin_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
}

/* A page of another site can make a browser send a POST, but not with a header of its own. */
static enum MHD_Result
answer_drain(struct admin *admin, struct MHD_Connection *connection)
{
	const char *word = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Hubbub");

	if (!is_from_here(connection))
		return answer_text(admin, connection, MHD_HTTP_FORBIDDEN,
			"only from this machine, by its address; or use hubbub-ctl drain\n");
	if (word == NULL || strcmp(word, "drain") != 0)
		return answer_text(admin, connection, MHD_HTTP_FORBIDDEN,
			"say that it is meant: curl -X POST -H 'X-Hubbub: drain' .../drain\n");
	master_drain(admin->master);
	return answer_text(admin, connection, MHD_HTTP_ACCEPTED, "draining\n");
}

static const struct {
	const char *path;
	enum MHD_Result (*answer)(struct admin *admin, struct MHD_Connection *connection);
} pages[] = {
	{"/", answer_page},
	{"/metrics", answer_metrics},
	{"/livez", answer_live},
	{"/readyz", answer_ready},
	{"/stats.json", answer_stats},
};

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *data_size, void **state)
{
	struct admin *admin = context;

	(void)version, (void)data, (void)state;
	*data_size = 0;
	if (strcmp(method, "POST") == 0 && strcmp(url, "/drain") == 0)
		return answer_drain(admin, connection);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return answer_text(admin, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
			"nothing but POST /drain can be changed here; use hubbub-ctl\n");
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
		if (strcmp(url, pages[i].path) == 0)
			return pages[i].answer(admin, connection);
	return answer_text(admin, connection, MHD_HTTP_NOT_FOUND,
		"there are /, /metrics, /livez, /readyz and /stats.json\n");
}

/* ---- in the loop ---- */

static void
run(struct admin *admin)
{
	struct ev_loop *loop = admin->master->loop;
	MHD_UNSIGNED_LONG_LONG milliseconds;

	MHD_run(admin->daemon);
	ev_timer_stop(loop, &admin->timeout);
	if (MHD_get_timeout(admin->daemon, &milliseconds) != MHD_YES)
		return;
	ev_now_update(loop);
	ev_timer_set(&admin->timeout, (double)milliseconds / 1000., 0.);
	ev_timer_start(loop, &admin->timeout);
}

static void
on_event(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop, (void)events;
	run(watcher->data);
}

static void
on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop, (void)events;
	run(timer->data);
}

/* Where it is, which port 0 does not tell. */
static void
say_where(int fd)
{
	struct address own = {.length = sizeof own.socket};
	char text[ADDRESS_TEXT_SIZE];

	if (getsockname(fd, (struct sockaddr *)&own.socket, &own.length) != 0)
		return;
	address_format(&own, text);
	log_info("a live page, metrics and health are at http://%s%s/",
		text[0] == ':' ? "localhost" : "", text);
}

/* Nobody is answered yet. Returns 0, or -1 after logging. */
static int
make_daemon(struct admin *admin)
{
	const union MHD_DaemonInfo *info = NULL;

	admin->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, admin,
		MHD_OPTION_LISTEN_SOCKET, admin->fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT,
		MHD_OPTION_END);
	if (admin->daemon != NULL)
		info = MHD_get_daemon_info(admin->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL) {
		log_error("cannot start the admin server: no memory or no more files");
		return -1;
	}
	admin->has_handed_over = false;
	ev_io_init(&admin->events, on_event, info->epoll_fd, EV_READ);
	admin->events.data = admin;
	return 0;
}

/* The listening socket stays open. */
static void
stop_daemon(struct admin *admin)
{
	admin_pause(admin);
	if (admin->daemon == NULL)
		return;
	if (!admin->has_handed_over)
		MHD_quiesce_daemon(admin->daemon);
	MHD_stop_daemon(admin->daemon);
	admin->daemon = NULL;
}

struct admin *
admin_new(struct master *master, int fd)
{
	struct admin *admin = calloc(1, sizeof *admin);

	if (admin == NULL) {
		log_error("cannot start the admin server: no memory");
		close(fd);
		return NULL;
	}
	admin->master = master;
	admin->fd = fd;
	ev_init(&admin->events, on_event);
	ev_timer_init(&admin->timeout, on_timeout, 0., 0.);
	admin->timeout.data = admin;
	if (make_daemon(admin) == 0)
		return admin;
	admin_stop(admin);
	return NULL;
}

void
admin_pause(struct admin *admin)
{
	if (admin == NULL)
		return;
	ev_io_stop(admin->master->loop, &admin->events);
	ev_timer_stop(admin->master->loop, &admin->timeout);
}

void
admin_hand_over(struct admin *admin)
{
	if (admin == NULL || admin->daemon == NULL)
		return;
	MHD_quiesce_daemon(admin->daemon);
	admin->has_handed_over = true;
	ev_io_start(admin->master->loop, &admin->events);
	run(admin);
}

void
admin_open(struct admin *admin)
{
	if (admin == NULL)
		return;
	/* What was handed over cannot accept again. */
	if (admin->has_handed_over)
		stop_daemon(admin);
	if (admin->daemon == NULL && make_daemon(admin) != 0)
		return;
	ev_io_start(admin->master->loop, &admin->events);
	run(admin);
	if (!admin->was_told)
		say_where(admin->fd);
	admin->was_told = true;
}

void
admin_stop(struct admin *admin)
{
	if (admin == NULL)
		return;
	stop_daemon(admin);
	close(admin->fd);
	free(admin);
}
