/* A ring of io_uring under a hub: libev watches its descriptor; what the coroutines of a turn
 * request is submitted at once, behind the last of them in the run queue. */
#include "tests/bench/ring.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/loop.h"
#include "hub/scheduler_priv.h"

#define ENTRIES 4096
#define BUFFERS 256 /* filled in turn: more would not stay in the caches */
#define GROUP 1
#define NONE UINT32_MAX
#define NOT_YET (-1)
#define QUEUED_MAX 16 /* filled buffers of a connection with which the kernel receives no more */

/* What a completion is of: the lowest bits of its user data. */
enum what { ACCEPT, RECEIVE, SEND, SEND_LENT, CANCEL, WHAT_MASK = 15 };

struct link {
	int fd;
	int end;               /* what follows the queued pieces: NOT_YET, 0, or an errno */
	bool is_armed;         /* the kernel receives */
	bool is_sending;       /* one send at a time, which keeps the bytes in order */
	bool is_closed;        /* by its coroutine; freed when nothing is under way any more */
	unsigned queued;       /* filled pieces that the coroutine has not taken */
	uint32_t first, last;  /* of these */
	struct link *starving; /* the next one that the kernel had no buffer for */
	struct hub_coroutine *waiter;
	uint32_t epoch; /* of its wait */
};

static struct io_uring ring;
static struct io_uring_buf_ring *provided;
static char *memory;
static struct piece {
	uint32_t length;
	uint32_t next; /* of the same connection */
	struct link *link;
} pieces[BUFFERS];
/* What is sent is copied into one of these, so the caller need not wait; the last one that was used
 * is used next. */
static struct copy {
	struct copy *next;
	struct link *link;
	uint32_t length;
	char bytes[RING_BUFFER];
} * copies;
static struct link *starving;
static struct hub_event has_requests; /* which are not submitted */
static void (*serve)(struct link *);
static int listening;

static char *
bytes_of(uint32_t piece)
{
	return memory + piece * RING_BUFFER;
}

/* ---- requests ---- */

/* The submitter runs behind the coroutines that are runnable now, and may have more. */
static struct io_uring_sqe *
request(void)
{
	struct io_uring_sqe *sqe;

	while ((sqe = io_uring_get_sqe(&ring)) == NULL)
		io_uring_submit(&ring);
	hub_event_set(&has_requests);
	return sqe;
}

static void
arm(struct link *link)
{
	struct io_uring_sqe *sqe = request();

	io_uring_prep_recv_multishot(sqe, link->fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	io_uring_sqe_set_data64(sqe, (uintptr_t)link | RECEIVE);
	link->is_armed = true;
}

static void
disarm(struct link *link)
{
	struct io_uring_sqe *sqe = request();

	io_uring_prep_cancel64(sqe, (uintptr_t)link | RECEIVE, 0);
	io_uring_sqe_set_data64(sqe, CANCEL);
}

static void
accept_more(void)
{
	struct io_uring_sqe *sqe = request();

	io_uring_prep_multishot_accept(sqe, listening, NULL, NULL, SOCK_CLOEXEC);
	io_uring_sqe_set_data64(sqe, ACCEPT);
}

/* Gives a buffer back to the kernel. */
static void
give_back(uint32_t piece)
{
	struct link *link = starving;

	io_uring_buf_ring_add(provided, bytes_of(piece), RING_BUFFER, (unsigned short)piece,
		io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(provided, 1);
	if (link != NULL) {
		starving = link->starving;
		arm(link);
	}
}

/* ---- calls, as a coroutine sees them ---- */

static int
wait_for_completion(struct link *link, const char *what)
{
	struct hub_coroutine *self = hub_enter();
	int error;

	if (self == NULL)
		return -1;
	link->waiter = self;
	link->epoch = self->epoch;
	error = hub_suspend(&(struct wait){
		.what = what, .on = link, .deadline = HUB_FOREVER, .is_loop_wait = true});
	link->waiter = NULL;
	errno = error;
	return error == 0 ? 0 : -1;
}

/* Waits for bytes. Returns how many its first piece has, 0 at the end, or -1 with errno. */
static ssize_t
await_piece(struct link *link)
{
	while (link->queued == 0 && link->end == NOT_YET) {
		if (!link->is_armed)
			arm(link);
		if (wait_for_completion(link, "ring_receive") != 0)
			return -1;
	}
	if (link->queued > 0)
		return pieces[link->first].length;
	errno = link->end;
	return link->end == 0 ? 0 : -1;
}

static uint32_t
take_piece(struct link *link)
{
	uint32_t piece = link->first;

	link->first = pieces[piece].next;
	link->queued--;
	return piece;
}

int64_t
ring_receive_lent(struct link *link, char **bytes, size_t *length)
{
	ssize_t left = await_piece(link);
	uint32_t piece;

	if (left <= 0)
		return left < 0 ? -1 : RING_END;
	piece = take_piece(link);
	*bytes = bytes_of(piece);
	*length = pieces[piece].length;
	return piece;
}

ssize_t
ring_receive(struct link *link, char *buffer)
{
	ssize_t length = await_piece(link);

	if (length <= 0)
		return length;
	memcpy(buffer, bytes_of(link->first), (size_t)length);
	give_back(take_piece(link));
	return length;
}

/* Returns when the former send has ended: 0, or -1 with errno. */
static int
await_turn(struct link *link)
{
	while (link->is_sending)
		if (wait_for_completion(link, "ring_send") != 0)
			return -1;
	link->is_sending = true;
	return 0;
}

/* The kernel sends all of it before it completes. */
static void
request_send(const struct link *link, const char *bytes, uint32_t length, uint64_t data)
{
	struct io_uring_sqe *sqe = request();

	io_uring_prep_send(sqe, link->fd, bytes, length, MSG_WAITALL | MSG_NOSIGNAL);
	io_uring_sqe_set_data64(sqe, data);
}

int
ring_send_lent(struct link *link, uint32_t piece)
{
	if (await_turn(link) != 0) {
		give_back(piece);
		return -1;
	}
	pieces[piece].link = link;
	request_send(link, bytes_of(piece), pieces[piece].length, (uint64_t)piece << 4 | SEND_LENT);
	return 0;
}

int
ring_send(struct link *link, const char *bytes, size_t length)
{
	struct copy *copy = copies != NULL ? copies : malloc(sizeof *copy);

	if (copy == NULL)
		return -1;
	if (copy == copies)
		copies = copy->next;
	copy->length = (uint32_t)length;
	memcpy(copy->bytes, bytes, length);
	if (await_turn(link) != 0) {
		free(copy);
		return -1;
	}
	copy->link = link;
	request_send(link, copy->bytes, copy->length, (uintptr_t)copy | SEND);
	return 0;
}

static void
free_if_over(struct link *link)
{
	if (!link->is_closed || link->is_armed || link->is_sending)
		return;
	close(link->fd);
	free(link);
}

static void
close_link(struct link *link)
{
	while (link->queued > 0)
		give_back(take_piece(link));
	for (struct link **at = &starving; *at != NULL;)
		if (*at == link) {
			*at = link->starving;
			link->is_armed = false;
		} else {
			at = &(*at)->starving;
		}
	link->is_closed = true;
	if (link->is_armed)
		disarm(link);
	free_if_over(link);
}

static void *
live(void *argument)
{
	struct link *link = argument;

	serve(link);
	close_link(link);
	return NULL;
}

static void
begin(int fd)
{
	struct link *link = malloc(sizeof *link);
	struct hub_coroutine *coroutine;

	if (link == NULL)
		abort();
	*link = (struct link){.fd = fd, .end = NOT_YET};
	coroutine = hub_spawn(live, link);
	if (coroutine == NULL)
		abort();
	hub_detach(coroutine);
}

/* ---- completions ---- */

static void
received(struct link *link, int result, unsigned flags)
{
	uint32_t piece = flags & IORING_CQE_F_BUFFER ? flags >> IORING_CQE_BUFFER_SHIFT : NONE;

	link->is_armed = flags & IORING_CQE_F_MORE;
	if (piece != NONE && (result <= 0 || link->is_closed)) {
		give_back(piece);
	} else if (piece != NONE) {
		pieces[piece] = (struct piece){.length = (uint32_t)result};
		if (link->queued++ == 0)
			link->first = piece;
		else
			pieces[link->last].next = piece;
		link->last = piece;
		if (link->queued == QUEUED_MAX && link->is_armed)
			disarm(link);
	}
	if (result == -ENOBUFS && !link->is_closed) {
		link->starving = starving;
		starving = link;
		link->is_armed = true; /* as soon as there is a buffer */
	} else if (result <= 0 && result != -ECANCELED) {
		link->end = -result;
	}
}

static void
sent(struct link *link, uint32_t length, int result)
{
	link->is_sending = false;
	if (result != (int)length)
		link->end = result < 0 ? -result : EPIPE;
}

/* The connection that the completion is about, with what it says about it. */
static struct link *
settle(const struct io_uring_cqe *cqe)
{
	uint64_t data = cqe->user_data & ~(uint64_t)WHAT_MASK;
	struct link *link = (struct link *)(uintptr_t)data; /* NOLINT(performance-no-int-to-ptr) */
	struct copy *copy = (struct copy *)(uintptr_t)data; /* NOLINT(performance-no-int-to-ptr) */
	uint32_t piece = (uint32_t)(data >> 4);

	switch (cqe->user_data & WHAT_MASK) {
	case RECEIVE:
		received(link, cqe->res, cqe->flags);
		return link;
	case SEND_LENT:
		sent(pieces[piece].link, pieces[piece].length, cqe->res);
		link = pieces[piece].link;
		give_back(piece);
		return link;
	case SEND:
		sent(copy->link, copy->length, cqe->res);
		copy->next = copies;
		copies = copy;
		return copy->link;
	case ACCEPT:
		if (cqe->res >= 0)
			begin(cqe->res);
		if (!(cqe->flags & IORING_CQE_F_MORE))
			accept_more();
		return NULL;
	default:
		return NULL;
	}
}

static void
complete(const struct io_uring_cqe *cqe)
{
	struct link *link = settle(cqe);

	if (link != NULL && link->waiter != NULL)
		hub_wake(link->waiter, link->epoch, 0);
	if (link != NULL)
		free_if_over(link);
}

static void
reap(void)
{
	struct io_uring_cqe *cqe;
	unsigned head, count = 0;

	io_uring_for_each_cqe(&ring, head, cqe)
	{
		complete(cqe);
		count++;
	}
	io_uring_cq_advance(&ring, count);
}

static void
on_completions(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)loop;
	(void)watcher;
	(void)events;
	reap();
}

static int
set_up(void)
{
	struct io_uring_params parameters = {
		/* With IORING_SETUP_DEFER_TASKRUN Linux 6.18 does not wake an epoll_wait. */
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN};
	struct io_uring_buf_reg registration = {.ring_entries = BUFFERS, .bgid = GROUP};

	memory = malloc(BUFFERS * RING_BUFFER);
	hub_event_init(&has_requests);
	provided = aligned_alloc(4096, BUFFERS * sizeof *provided->bufs);
	if (memory == NULL || provided == NULL ||
		io_uring_queue_init_params(ENTRIES, &ring, &parameters) != 0)
		return -1;
	registration.ring_addr = (uintptr_t)provided;
	if (io_uring_register_buf_ring(&ring, &registration, 0) != 0)
		return -1;
	io_uring_buf_ring_init(provided);
	for (uint32_t i = 0; i < BUFFERS; i++)
		give_back(i);
	return 0;
}

int
ring_run(int listener, void (*function)(struct link *))
{
	ev_io watcher;

	listening = listener;
	serve = function;
	if (set_up() != 0)
		return -1;
	ev_io_init(&watcher, on_completions, ring.ring_fd, EV_READ);
	ev_io_start(hub_this->loop, &watcher);
	accept_more();
	/* With a deadline, as the hub does not know that the loop can wake anybody here. */
	while (hub_event_wait_for(&has_requests, HUB_SECOND) == 0 || errno == ETIMEDOUT) {
		hub_event_clear(&has_requests);
		io_uring_submit(&ring);
		/* What has completed at once needs no turn of the loop. */
		reap();
	}
	ev_io_stop(hub_this->loop, &watcher);
	return -1;
}
