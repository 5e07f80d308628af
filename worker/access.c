/* Bytes of TCP are counted by the kernel (TCP_INFO): so they cost nothing while a connection lasts,
 * and are those on the wire; they are not known of a connection that its service has closed itself.
 * Those of a Unix socket are counted by the hub's calls. */
#include "worker/access.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/kernel.h"
#include "hub/io/opening.h"
#include "hub/io/served.h"
#include "hub/io/server.h"
#include "hub/io/socket.h"
#include "hub/scheduler.h"
#include "worker/complain.h"
#include "worker/heritage.h"
#include "worker/log_priv.h"
#include "worker/peer.h"

/* States of TCP; <netinet/tcp.h>, which has them, excludes <linux/tcp.h>, which has the
 * counters. */
enum { FIN_WAIT1 = 4, CLOSE = 7, CLOSE_WAIT = 8, LAST_ACK = 9, CLOSING = 11 };

static const char *const names[ACCESS_END_MAX] = {
	[ACCESS_SERVICE] = "service",
	[ACCESS_PEER] = "peer",
	[ACCESS_REFUSED] = "refused",
	[ACCESS_IDLE_TIMEOUT] = "idle timeout",
	[ACCESS_REQUEST_TIMEOUT] = "request timeout",
	[ACCESS_WRITE_TIMEOUT] = "write timeout",
	[ACCESS_DRAIN] = "drain",
	[ACCESS_DEADLINE] = "deadline",
};

void
access_name(struct access *access, int client)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof address;

	if (access != NULL && hubbub_peer(client, (struct sockaddr *)&address, &length) == 0)
		client_name(&address, access->client);
}

void
access_begin(struct access *access, int client)
{
	struct sockaddr_storage own = {.ss_family = AF_UNSPEC};
	socklen_t length = sizeof own;

	*access = (struct access){.client = "?", .began = hub_now()};
	getsockname(client, (struct sockaddr *)&own, &length);
	client_name(&own, access->listener);
	access_name(access, client);
	access->is_unix = own.ss_family == AF_UNIX && traffic_begin(client, &access->traffic) == 0;
}

/* Whether the kernel counts the bytes of this connection. */
static bool
look_up(int client, struct tcp_info *info)
{
	socklen_t length = sizeof *info;

	*info = (struct tcp_info){0};
	return getsockopt(client, IPPROTO_TCP, TCP_INFO, info, &length) == 0;
}

/* What the peer has sent. The kernel counts the end of its output as a byte; where the service had
 * ended its own output before, nothing tells that, and it stays one. */
static uint64_t
count_received(const struct tcp_info *info)
{
	bool has_ended = info->tcpi_state == CLOSE_WAIT || info->tcpi_state == LAST_ACK ||
			 info->tcpi_state == CLOSING;

	return info->tcpi_bytes_received - (has_ended && info->tcpi_bytes_received > 0);
}

/* What the peer has been sent, and will be: the kernel goes on when the descriptor is closed,
 * unless the connection is lost, or is to be reset. The end of the output is the last that it
 * sends, and counts as a byte until then. */
static uint64_t
count_sent(const struct tcp_info *info, enum access_end end)
{
	uint64_t sent = info->tcpi_bytes_sent - info->tcpi_bytes_retrans;
	bool has_ended = info->tcpi_state == FIN_WAIT1 || info->tcpi_state == LAST_ACK ||
			 info->tcpi_state == CLOSING;

	if (info->tcpi_notsent_bytes == 0 || info->tcpi_state == CLOSE ||
		end == ACCESS_WRITE_TIMEOUT)
		return sent;
	return sent + info->tcpi_notsent_bytes - has_ended;
}

/* Bytes that a Unix socket has, and nobody has received. */
static uint64_t
count_left(int client)
{
	int left = 0;

	return ioctl(client, FIONREAD, &left) == 0 ? (uint64_t)left : 0;
}

/* Whether the peer has ended its output, or the connection. The end of TLS comes before that of
 * TCP, and is all that some peers send. */
static bool
has_ended(int client)
{
	struct pollfd query = {.fd = client, .events = POLLRDHUP};
	char byte;

	return kernel_poll_now(&query, 1) > 0 ||
	       hub_recv(client, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static enum access_end
find_end(int client, bool is_refused)
{
	const struct hub_mark *mark = served_mark();

	if (mark != NULL && mark->note != ACCESS_SERVICE) {
		CHECK_WHY(mark->note < ACCESS_END_MAX, "idle.c and drain.c alone write it");
		return (enum access_end)mark->note;
	}
	if (is_refused)
		return ACCESS_REFUSED;
	return has_ended(client) ? ACCESS_PEER : ACCESS_SERVICE;
}

void
access_look(struct access *access, int client, const struct fd_opening *opening, bool is_refused)
{
	struct tcp_info info;

	if (fd_was_closed(opening))
		return;
	access->end = find_end(client, is_refused);
	if (access->is_unix)
		access->received = access->traffic.received + count_left(client);
	else if (look_up(client, &info))
		access->received = count_received(&info);
}

/* Sets what the connection was sent. Returns whether its bytes are known. */
static bool
find_sent(const struct access *access, int client, const struct fd_opening *opening, uint64_t *sent)
{
	struct tcp_info info;

	*sent = access->traffic.sent;
	if (fd_was_closed(opening))
		return false;
	if (access->is_unix)
		return traffic_end(client, &access->traffic);
	if (!look_up(client, &info))
		return false;
	*sent = count_sent(&info, access->end);
	return true;
}

void
access_log(const struct access *access, int client, const struct fd_opening *opening,
	const struct worker_heritage *heritage)
{
	int file = heritage->settings.access_file;
	double seconds = (double)(hub_now() - access->began) / (double)HUB_SECOND;
	uint64_t sent;
	bool is_put;

	DCHECK(access->end < ACCESS_END_MAX && seconds >= 0);
	if (find_sent(access, client, opening, &sent))
		is_put = log_of_client(file, access->client,
			"connection listener=%s received=%llu sent=%llu seconds=%.3f ended_by=%s",
			access->listener, (unsigned long long)access->received,
			(unsigned long long)sent, seconds, names[access->end]);
	else
		is_put = log_of_client(file, access->client,
			"connection listener=%s seconds=%.3f ended_by=%s", access->listener,
			seconds, names[access->end]);
	if (!is_put)
		complain(heritage->counters,
			"cannot write to the access log: %s; its lines are lost, and counted",
			strerror(errno));
}

bool
access_reopen(const struct worker_heritage *heritage, int file)
{
	int own = heritage->settings.access_file;

	return own == 0 || dup3(file, own, O_CLOEXEC) == own;
}
