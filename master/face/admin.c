/* One handler answers all requests from shared memory. Only for a page of the service's own a
 * worker is asked (visit.h); nothing waits for it. Each request is checked first: its Host must be
 * this server's, and its Origin this server's page, because a browser of an operator can be made to
 * send requests here by any site. */
#include "master/face/admin.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/change/change.h"
#include "master/change/ready.h"
#include "master/face/hosts.h"
#include "master/face/http.h"
#include "master/face/metrics.h"
#include "master/face/offered.h"
#include "master/face/status.h"
#include "master/face/visit.h"
#include "master/master.h"

/* The files of the live page, included by page/page.S. */
#define FILE_OF_PAGE(name)                                                                         \
	extern const char name[] __attribute__((visibility("hidden")));                            \
	extern const char name##_end[] __attribute__((visibility("hidden")))
FILE_OF_PAGE(admin_page);
FILE_OF_PAGE(admin_style);
FILE_OF_PAGE(admin_script);

/* One listening address of --admin. */
struct admin {
	struct master *master;
	struct http *http;
	int fd;               /* the listening socket; http owns it */
	bool has_handed_over; /* another master accepts on the socket */
	bool is_url_logged;   /* its URL was logged */
};

static const char other_sites[] = "requests from pages of other sites are refused\n";

/* ---- answers ---- */

/* Queues the answer. After a handover it closes the connection, so that the client's next request
 * reaches the other master. */
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

/* Answers with an allocated text, which it takes over; NULL means that memory ran out. */
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

static enum MHD_Result
answer_live(struct admin *admin, struct MHD_Connection *connection)
{
	return ready_is_live(admin->master) ? answer_text(admin, connection, MHD_HTTP_OK, "alive\n")
					    : answer_text(admin, connection,
						      MHD_HTTP_SERVICE_UNAVAILABLE, "not alive\n");
}

static enum MHD_Result
answer_ready(struct admin *admin, struct MHD_Connection *connection)
{
	/* After a handover the other master is ready, or it would not have taken over. */
	return admin->has_handed_over || ready_is(admin->master)
		       ? answer_text(admin, connection, MHD_HTTP_OK, "ready\n")
		       : answer_text(
				 admin, connection, MHD_HTTP_SERVICE_UNAVAILABLE, "not ready\n");
}

static enum MHD_Result
answer_file(struct admin *admin, struct MHD_Connection *connection, const char *type,
	const char *file, const char *end)
{
	return answer(admin, connection, MHD_HTTP_OK, type, file, (size_t)(end - file),
		MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result
answer_page(struct admin *admin, struct MHD_Connection *connection)
{
	return answer_file(
		admin, connection, "text/html; charset=utf-8", admin_page, admin_page_end);
}

static enum MHD_Result
answer_style(struct admin *admin, struct MHD_Connection *connection)
{
	return answer_file(
		admin, connection, "text/css; charset=utf-8", admin_style, admin_style_end);
}

static enum MHD_Result
answer_script(struct admin *admin, struct MHD_Connection *connection)
{
	return answer_file(admin, connection, "text/javascript; charset=utf-8", admin_script,
		admin_script_end);
}

/* Whether the client's address is a loopback address, and its Host names this machine by an address
 * or localhost. */
static bool
is_from_here(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
	const struct sockaddr_in *v4;
	const struct sockaddr_in6 *v6;

	if (info == NULL || host == NULL || !hosts_is_local(host))
		return false;
	v4 = (const struct sockaddr_in *)info->client_addr;
	v6 = (const struct sockaddr_in6 *)info->client_addr;
	if (v4->sin_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
}

/* POST /drain needs the header X-Hubbub: a page of another site can make a browser send a POST, but
 * not with such a header. */
static enum MHD_Result
answer_drain(struct admin *admin, struct MHD_Connection *connection)
{
	const char *word = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "X-Hubbub");

	if (!is_from_here(connection))
		return answer_text(admin, connection, MHD_HTTP_FORBIDDEN,
			"allowed only from this machine, by its address; or use hubbub-ctl "
			"drain\n");
	if (word == NULL || strcmp(word, "drain") != 0)
		return answer_text(admin, connection, MHD_HTTP_FORBIDDEN,
			"the header is missing: curl -X POST -H 'X-Hubbub: drain' .../drain\n");
	master_drain(admin->master);
	return answer_text(admin, connection, MHD_HTTP_ACCEPTED, "draining\n");
}

static const struct {
	const char *path;
	enum MHD_Result (*answer)(struct admin *admin, struct MHD_Connection *connection);
	bool is_part; /* of another page: nobody asks for it by hand */
} pages[] = {
	{"/", answer_page, false},
	{"/page.css", answer_style, true},
	{"/page.js", answer_script, true},
	{"/metrics", answer_metrics, false},
	{"/livez", answer_live, false},
	{"/readyz", answer_ready, false},
	{"/stats.json", answer_stats, false},
};

#define DRAIN "/drain"

bool
admin_has_page(const char *name)
{
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
		if (strcmp(pages[i].path + 1, name) == 0)
			return true;
	return strcmp(&DRAIN[1], name) == 0;
}

/* Lists the pages, of every server's and of the service's own. */
static enum MHD_Result
answer_not_found(const struct admin *admin, struct MHD_Connection *connection)
{
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	if (stream == NULL)
		return answer_made(admin, connection, NULL, NULL, 0);
	fprintf(stream, "not found; there are %s", pages[0].path);
	for (size_t i = 1; i < sizeof pages / sizeof pages[0]; i++)
		if (!pages[i].is_part)
			fprintf(stream, ", %s", pages[i].path);
	offered_print_pages(admin->master->service, stream);
	fprintf(stream, "\n");
	if (fclose(stream) != 0) {
		free(text);
		return answer_made(admin, connection, NULL, NULL, 0);
	}
	return answer(admin, connection, MHD_HTTP_NOT_FOUND, "text/plain; charset=utf-8", text,
		length, MHD_RESPMEM_MUST_FREE);
}

/* ---- pages of the service's own ---- */

/* Whether a page of another site has made a browser ask, as by an image: it could not read the
 * answer, but a worker would run the command. Browsers send no Origin with that. */
static bool
is_of_other_site(struct MHD_Connection *connection)
{
	const char *site =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-Fetch-Site");

	return site != NULL && (strcmp(site, "cross-site") == 0 || strcmp(site, "same-site") == 0);
}

/* The answer has come, or the visit could not begin. */
static enum MHD_Result
answer_visit(const struct admin *admin, struct MHD_Connection *connection, struct visit *visit)
{
	char *text = visit->text;

	visit->text = NULL;
	if (text == NULL)
		return answer_made(admin, connection, NULL, NULL, 0);
	return answer(admin, connection, visit->code, visit->type, text, visit->length,
		MHD_RESPMEM_MUST_FREE);
}

/* Begins a visit, which is the request's state from now on. */
static enum MHD_Result
begin_visit(const struct admin *admin, struct MHD_Connection *connection,
	const struct hubbub_command *command, void **state)
{
	struct visit *visit;

	if (is_of_other_site(connection))
		return answer_text(admin, connection, MHD_HTTP_FORBIDDEN, other_sites);
	visit = visit_new(admin->master, admin->http, connection, command);
	*state = visit;
	if (visit == NULL)
		return answer_made(admin, connection, NULL, NULL, 0);
	return visit->code == 0 ? MHD_YES : answer_visit(admin, connection, visit);
}

static void
on_completed(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode how)
{
	(void)context, (void)connection, (void)how;
	visit_free(*state);
	*state = NULL;
}

/* ---- which requests are refused ---- */

/* The headers by which a request is judged. */
struct asked {
	const char *host;
	const char *origin;
	unsigned hosts; /* number of Host headers */
};

static enum MHD_Result
note_header(void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct asked *asked = context;

	(void)kind;
	if (strcasecmp(name, "Host") == 0) {
		asked->host = value != NULL ? value : "";
		asked->hosts++;
	} else if (strcasecmp(name, "Origin") == 0) {
		asked->origin = value != NULL ? value : "";
	}
	return MHD_YES;
}

/* Returns why a request is refused, whatever it asks for, or NULL. A request without Host, as
 * HTTP/1.0 allows, passes: it is not from a browser, which always sends one. */
static const char *
find_refusal(const struct admin *admin, struct MHD_Connection *connection)
{
	struct asked asked = {NULL, NULL, 0};

	MHD_get_connection_values(connection, MHD_HEADER_KIND, note_header, &asked);
	if (asked.hosts > 1)
		return "there is more than one Host header\n";
	if (asked.host != NULL && asked.host[0] != '\0' &&
		!hosts_is_own(asked.host, &admin->master->options))
		return "the Host header is no name of this server: use its address, or start it "
		       "with --admin-host=NAME\n";
	if (asked.origin != NULL &&
		(asked.host == NULL || !hosts_is_same(asked.origin, asked.host)))
		return other_sites;
	return NULL;
}

static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *data_size, void **state)
{
	struct admin *admin = context;
	const char *refusal = find_refusal(admin, connection);
	const struct hubbub_command *offered;

	(void)version, (void)data;
	*data_size = 0;
	if (*state != NULL)
		return answer_visit(admin, connection, *state);
	if (refusal != NULL)
		return answer_text(admin, connection, MHD_HTTP_FORBIDDEN, refusal);
	if (strcmp(method, "POST") == 0 && strcmp(url, DRAIN) == 0)
		return answer_drain(admin, connection);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return answer_text(admin, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
			"only GET, HEAD and POST /drain are allowed; use hubbub-ctl\n");
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
		if (strcmp(url, pages[i].path) == 0)
			return pages[i].answer(admin, connection);
	offered = url[0] == '/' ? offered_find(admin->master->service, url + 1) : NULL;
	if (offered != NULL && offered->page != NULL)
		return begin_visit(admin, connection, offered, state);
	return answer_not_found(admin, connection);
}

/* ---- opening and closing ---- */

/* Logs the URL: with port 0 the options do not tell the port. */
static void
log_url(int fd)
{
	struct address own = {.length = sizeof own.socket};
	char text[ADDRESS_TEXT_SIZE];

	if (getsockname(fd, (struct sockaddr *)&own.socket, &own.length) != 0)
		return;
	address_format(&own, text);
	log_info("a live page, metrics and health are at http://%s%s/",
		text[0] == ':' ? "localhost" : "", text);
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
	admin->http = http_new(master->loop, fd, on_request, on_completed, admin);
	if (admin->http != NULL)
		return admin;
	log_error("cannot start the admin server: out of memory or file descriptors");
	free(admin);
	return NULL;
}

void
admin_pause(struct admin *admin)
{
	if (admin != NULL)
		http_pause(admin->http);
}

void
admin_hand_over(struct admin *admin)
{
	if (admin == NULL)
		return;
	admin->has_handed_over = true;
	http_finish(admin->http);
}

void
admin_open(struct admin *admin)
{
	if (admin == NULL)
		return;
	admin->has_handed_over = false;
	http_open(admin->http);
	if (!admin->is_url_logged)
		log_url(admin->fd);
	admin->is_url_logged = true;
}

void
admin_stop(struct admin *admin)
{
	if (admin == NULL)
		return;
	http_free(admin->http);
	free(admin);
}
