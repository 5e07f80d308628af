/* A coroutine receives up to BATCH datagrams with one recvmmsg, lets the service turn each into its
 * answer in place, and sends the answers with one sendmmsg. It never waits for a peer; a send that
 * fails is counted and dropped. The buffers are reused, so a datagram lives until the batch is
 * sent. */
#include "worker/datagrams.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/io/opening.h"
#include "worker/deaf.h"
#include "worker/listened.h"
#include "worker/loops.h"
#include "worker/state.h"

#define BATCH 32
#define LAST_BATCHES 64 /* more than a receive buffer holds, unless the datagrams are tiny */
#define SIZE_MOST 65536 /* bytes of one datagram; the longest possible one is shorter */
/* Bytes of control data: room for the address that the datagram was sent to. */
#define CONTROL_SIZE 64

struct datagrams {
	struct worker_thread *thread;
	struct listened *listened; /* where the listener is counted; borrowed */
	int socket;                /* -1 once it is closed */
	datagrams_answer *answer;
	struct hub_coroutine *coroutine; /* NULL while none is running */
	bool is_stopping;
	unsigned last;       /* full batches that may still be received once is_stopping is set */
	struct loops *loops; /* owned; NULL if loops are not limited */
	/* BATCH buffers of SIZE_MOST bytes. Pages that no datagram has reached take no memory. */
	unsigned char *buffers;
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct hub_datagram datagrams[BATCH];
	_Alignas(struct cmsghdr) unsigned char controls[BATCH][CONTROL_SIZE];
};

struct datagrams *
datagrams_new(struct worker_thread *thread, struct listened *listened, int socket,
	datagrams_answer *answer)
{
	struct datagrams *datagrams = calloc(1, sizeof *datagrams);
	unsigned limit = thread->heritage->settings.loop_limit;

	if (datagrams == NULL)
		return NULL;
	datagrams->thread = thread;
	datagrams->listened = listened;
	datagrams->socket = socket;
	datagrams->answer = answer;
	datagrams->buffers = mmap(NULL, (size_t)BATCH * SIZE_MOST, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (limit > 0)
		datagrams->loops = loops_new(limit);
	if (datagrams->buffers == MAP_FAILED || (limit > 0 && datagrams->loops == NULL)) {
		datagrams_free(datagrams);
		errno = ENOMEM;
		return NULL;
	}
	return datagrams;
}

void
datagrams_free(struct datagrams *datagrams)
{
	if (datagrams == NULL)
		return;
	CHECK_WHY(datagrams->coroutine == NULL, "datagrams_free before datagrams_stop");
	if (datagrams->buffers != MAP_FAILED)
		munmap(datagrams->buffers, (size_t)BATCH * SIZE_MOST);
	loops_free(datagrams->loops);
	free(datagrams);
}

static void
prepare(struct datagrams *datagrams)
{
	for (unsigned i = 0; i < BATCH; i++) {
		struct hub_datagram *datagram = &datagrams->datagrams[i];

		datagrams->parts[i] =
			(struct iovec){datagrams->buffers + (size_t)i * SIZE_MOST, SIZE_MOST};
		datagrams->messages[i].msg_hdr = (struct msghdr){.msg_name = &datagram->address,
			.msg_namelen = sizeof datagram->address,
			.msg_iov = &datagrams->parts[i],
			.msg_iovlen = 1,
			.msg_control = datagrams->controls[i],
			.msg_controllen = CONTROL_SIZE};
	}
}

/* Keeps the source address of the answer, the one that the peer asked, but lets the kernel choose
 * the interface. */
static void
leave_route_open(struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
		part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(part);

			info->ipi_ifindex = 0;
		} else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(part);

			/* A link-local address is ambiguous without its interface. */
			if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
				info->ipi6_ifindex = 0;
		}
	}
}

/* Lets the service answer each of count datagrams; the messages of the answers move to the front.
 * Returns how many there are. */
static unsigned
answer_all(struct datagrams *datagrams, unsigned count)
{
	void *context = datagrams->thread->heritage->context;
	struct worker_row *row = datagrams->thread->row;
	struct loops *loops = datagrams->loops;
	int64_t now = hub_now();
	unsigned answers = 0, unanswered = 0;
	uint64_t bytes = 0;

	CHECK(count <= BATCH);
	CHECK_WHY(datagrams->answer != NULL,
		"the master opens sockets only for what the service answers");
	for (unsigned i = 0; i < count; i++) {
		struct hub_datagram *datagram = &datagrams->datagrams[i];
		struct mmsghdr *message = &datagrams->messages[i];
		ssize_t length;

		/* The result is ignored: a killed coroutine still answers what it has received. */
		hub_yield_due();
		datagram->socket = datagrams->socket;
		datagram->data = datagrams->parts[i].iov_base;
		datagram->length = message->msg_len;
		datagram->address_length = message->msg_hdr.msg_namelen;
		bytes += message->msg_len;
		if (loops != NULL && !loops_admit(loops, &datagram->address, datagram->data,
					     datagram->length, now)) {
			unanswered++;
			continue;
		}
		length = datagrams->answer(datagram, SIZE_MOST, context);
		thread_check_return();
		/* The service gives no answer, or the datagram has no sender. */
		if (length < 0 || length > SIZE_MOST || message->msg_hdr.msg_namelen == 0)
			continue;
		/* The address and bytes as they are sent: the service may have changed the fields
		 * of datagram. */
		if (loops != NULL)
			loops_note(loops, message->msg_hdr.msg_name, datagrams->parts[i].iov_base,
				(size_t)length);
		datagrams->parts[i].iov_len = (size_t)length;
		leave_route_open(&message->msg_hdr);
		message->msg_hdr.msg_flags = 0;
		if (answers < i)
			datagrams->messages[answers].msg_hdr = message->msg_hdr;
		answers++;
	}
	CHECK_WHY(answers + unanswered <= count, "a datagram has at most one answer");
	counters_add(&row->datagrams, count);
	counters_add(&datagrams->listened->datagrams, count);
	if (unanswered > 0)
		counters_add(&row->unanswered, unanswered);
	counters_add(&row->hub.bytes_received, bytes);
	return answers;
}

/* Sends the first count messages. An answer that cannot be sent is counted and dropped, as the
 * network might have dropped it. */
static void
send_all(struct datagrams *datagrams, unsigned count)
{
	struct worker_row *row = datagrams->thread->row;
	uint64_t bytes = 0;
	unsigned done = 0;

	while (done < count) {
		int sent;

		bypass_begin();
		sent = sendmmsg(datagrams->socket, datagrams->messages + done, count - done,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		bypass_end();
		if (sent < 0 && errno == EINTR)
			continue;
		/* UDP has no queue of the peer's to wait for; a full send buffer empties as the
		 * device sends. */
		if (sent < 0 && errno == EAGAIN && hub_wait_fd(datagrams->socket, POLLOUT) > 0)
			continue;
		if (sent <= 0) {
			counters_add(&row->replies_failed, 1);
			done++;
			continue;
		}
		for (int i = 0; i < sent; i++)
			bytes += datagrams->messages[done + (unsigned)i].msg_len;
		counters_add(&row->replies, (uint64_t)sent);
		done += (unsigned)sent;
	}
	DCHECK(row->replies + row->replies_failed + row->unanswered <= row->datagrams);
	counters_add(&row->hub.bytes_sent, bytes);
}

/* Returns how many datagrams were received; 0 if none was waiting. */
static unsigned
take_batch(struct datagrams *datagrams)
{
	int count;

	prepare(datagrams);
	bypass_begin();
	do
		count = recvmmsg(datagrams->socket, datagrams->messages, BATCH, MSG_DONTWAIT, NULL);
	while (count < 0 && errno == EINTR);
	bypass_end();
	return count > 0 ? (unsigned)count : 0;
}

/* Returns when the coroutine is to stop, or can no longer receive. */
static void
serve(struct datagrams *datagrams, const struct fd_opening *opening)
{
	while (!fd_was_closed(opening)) {
		unsigned count = take_batch(datagrams);

		CHECK_WHY(!datagrams->is_stopping || datagrams->last <= LAST_BATCHES,
			"a flood ends after its last batch");
		if (count > 0)
			send_all(datagrams, answer_all(datagrams, count));
		if (count == BATCH) {
			/* More datagrams may be waiting. The hub's connections get their turn
			 * first. A flood does not keep the coroutine from stopping: last bounds the
			 * batches. */
			if ((datagrams->is_stopping && datagrams->last-- == 0) || hub_sleep(0) != 0)
				return;
			continue;
		}
		if (datagrams->is_stopping)
			return;
		/* Waits without another recvmmsg: the last batch took all there was. */
		if (hub_await_fd(datagrams->socket, POLLIN, HUB_FOREVER) < 0 && errno != ESHUTDOWN)
			return;
	}
}

static void *
run(void *argument)
{
	struct datagrams *datagrams = argument;
	struct fd_opening opening = fd_opening(datagrams->socket);

	serve(datagrams, &opening);
	if (!datagrams->is_stopping)
		deaf_fall(datagrams->thread, EBADF);
	/* The file descriptor may be another file's by now. */
	if (fd_was_closed(&opening))
		datagrams->socket = -1;
	return NULL;
}

int
datagrams_start(struct datagrams *datagrams)
{
	if (datagrams->coroutine != NULL)
		return failed(EALREADY);
	datagrams->is_stopping = false;
	datagrams->coroutine = hub_spawn(run, datagrams);
	if (datagrams->coroutine == NULL)
		return -1;
	hub_set_name(datagrams->coroutine, "datagrams");
	return 0;
}

void
datagrams_stop(struct datagrams *datagrams)
{
	if (datagrams->coroutine == NULL)
		return;
	datagrams->is_stopping = true;
	datagrams->last = LAST_BATCHES;
	hub_end_input(datagrams->socket);
	if (hub_join(datagrams->coroutine, NULL) != 0)
		hub_detach(datagrams->coroutine);
	datagrams->coroutine = NULL;
}

/* A service may have kept the file descriptor, to answer later. An unconnected socket takes its
 * place: such answers fail, and go to no other file that would get the same descriptor. */
void
datagrams_close(struct datagrams *datagrams)
{
	int unconnected;

	CHECK_WHY(datagrams->coroutine == NULL, "datagrams_close before datagrams_stop");
	if (datagrams->socket == -1)
		return;
	unconnected = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	hub_release(datagrams->socket);
	bypass_begin();
	if (unconnected == -1 || dup3(unconnected, datagrams->socket, O_CLOEXEC) == -1)
		close(datagrams->socket);
	if (unconnected != -1)
		close(unconnected);
	bypass_end();
	datagrams->socket = -1;
}
