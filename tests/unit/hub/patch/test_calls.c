/* Every call that waits, on a coroutine: it suspends that and nobody else, and gives what libc
 * would. The table of calls says which there must be. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/patch/calls.h"
#include "hub/patch/patch.h"
#include "tests/support/in_hub.h"
#include "tests/support/sandbox.h"
#include "tests/unit/hub/patch/scene.h"
#include "tests/unit/hub/patch/scenes.h"

/* ---- a pair of sockets, of which one is read or written ---- */

static void
make_pair(struct scene *s)
{
	socketpair(AF_UNIX, SOCK_STREAM, 0, s->ends);
}

static void
close_all(struct scene *s)
{
	for (int i = 0; i < 2; i++)
		if (s->ends[i] != -1)
			close(s->ends[i]);
	if (s->extra != -1)
		close(s->extra);
	if (s->room != -1)
		close(s->room);
}

static void
close_end(struct scene *s)
{
	close(s->ends[0]);
	s->ends[0] = -1;
}

static void
write_to_it(struct scene *s)
{
	send(s->ends[1], "hello", 5, 0);
}

/* Until nothing more goes in. */
static void
make_full(struct scene *s)
{
	make_pair(s);
	while (send(s->ends[0], s->buffer, sizeof s->buffer, MSG_DONTWAIT) > 0)
		continue;
}

/* All that comes, until the call has ended. */
static void
read_from_it(struct scene *s)
{
	static char sink[1 << 16];

	while (!s->has_ended)
		if (recv(s->ends[1], sink, sizeof sink, MSG_DONTWAIT) <= 0)
			hub_sleep(0);
}

static void
call_read(struct scene *s)
{
	SCENE_CALL(s, read(s->ends[0], s->buffer, 100));
}

static void
call_readv(struct scene *s)
{
	struct iovec parts[] = {{s->buffer, 2}, {s->buffer + 2, 98}};

	SCENE_CALL(s, readv(s->ends[0], parts, 2));
}

static void
call_preadv2_stream(struct scene *s)
{
	struct iovec part = {s->buffer, 100};

	SCENE_CALL(s, preadv2(s->ends[0], &part, 1, -1, 0));
}

static void
call_recv(struct scene *s)
{
	SCENE_CALL(s, recv(s->ends[0], s->buffer, 100, 0));
}

static void
call_recvfrom(struct scene *s)
{
	SCENE_CALL(s, recvfrom(s->ends[0], s->buffer, 100, 0, NULL, NULL));
}

static void
call_recvmsg(struct scene *s)
{
	struct iovec part = {s->buffer, 100};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	SCENE_CALL(s, recvmsg(s->ends[0], &message, 0));
}

static void
call_recvmmsg(struct scene *s)
{
	struct iovec part = {s->buffer, 100};
	struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}};

	SCENE_CALL(s, recvmmsg(s->ends[0], messages, 2, MSG_WAITFORONE, NULL));
	if (s->result == 1)
		s->result = messages[0].msg_len;
}

static void
call_write(struct scene *s)
{
	SCENE_CALL(s, write(s->ends[0], s->buffer, sizeof s->buffer));
}

static void
call_writev(struct scene *s)
{
	struct iovec parts[] = {{s->buffer, 10}, {s->buffer, sizeof s->buffer - 10}};

	SCENE_CALL(s, writev(s->ends[0], parts, 2));
}

static void
call_send(struct scene *s)
{
	SCENE_CALL(s, send(s->ends[0], s->buffer, sizeof s->buffer, MSG_NOSIGNAL));
}

static void
call_sendto(struct scene *s)
{
	SCENE_CALL(s, sendto(s->ends[0], s->buffer, sizeof s->buffer, 0, NULL, 0));
}

static void
call_sendmsg(struct scene *s)
{
	struct iovec parts[] = {{s->buffer, 10}, {s->buffer, sizeof s->buffer - 10}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	SCENE_CALL(s, sendmsg(s->ends[0], &message, 0));
}

static void
call_sendmmsg(struct scene *s)
{
	struct iovec part = {s->buffer, sizeof s->buffer};
	struct mmsghdr message = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};

	SCENE_CALL(s, sendmmsg(s->ends[0], &message, 1, 0));
	if (s->result == 1)
		s->result = message.msg_len;
}

static int
make_file(const struct scene *s)
{
	char path[] = "/tmp/hubbub-calls-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	if (pwrite(fd, s->buffer, sizeof s->buffer, 0) != sizeof s->buffer)
		return -1;
	return fd;
}

static void
make_full_and_file(struct scene *s)
{
	make_full(s);
	s->extra = make_file(s);
}

static void
call_sendfile(struct scene *s)
{
	off_t offset = 0;

	SCENE_CALL(s, sendfile(s->ends[0], s->extra, &offset, sizeof s->buffer));
}

static void
call_poll(struct scene *s)
{
	struct pollfd query = {s->ends[0], POLLIN, 0};

	SCENE_CALL(s, poll(&query, 1, -1));
	s->result = s->result == 1 ? query.revents : s->result;
}

static void
call_ppoll(struct scene *s)
{
	struct timespec timeout = {10, 0};
	struct pollfd query = {s->ends[0], POLLIN, 0};

	SCENE_CALL(s, ppoll(&query, 1, &timeout, NULL));
	s->result = s->result == 1 ? query.revents : s->result;
}

static void
call_select(struct scene *s)
{
	fd_set reads;

	FD_ZERO(&reads);
	FD_SET(s->ends[0], &reads);
	SCENE_CALL(s, select(s->ends[0] + 1, &reads, NULL, NULL, NULL));
}

static void
call_pselect(struct scene *s)
{
	fd_set reads;

	FD_ZERO(&reads);
	FD_SET(s->ends[0], &reads);
	SCENE_CALL(s, pselect(s->ends[0] + 1, &reads, NULL, NULL, NULL, NULL));
}

static void
make_epoll(struct scene *s)
{
	struct epoll_event event = {.events = EPOLLIN};

	make_pair(s);
	s->extra = s->ends[0];
	s->ends[0] = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(s->ends[0], EPOLL_CTL_ADD, s->extra, &event);
}

static void
call_epoll_wait(struct scene *s)
{
	struct epoll_event event;

	SCENE_CALL(s, epoll_wait(s->ends[0], &event, 1, -1));
}

static void
call_epoll_pwait(struct scene *s)
{
	struct epoll_event event;

	SCENE_CALL(s, epoll_pwait(s->ends[0], &event, 1, 10000, NULL));
}

static void
call_epoll_pwait2(struct scene *s)
{
	struct timespec timeout = {10, 0};
	struct epoll_event event;

	SCENE_CALL(s, epoll_pwait2(s->ends[0], &event, 1, &timeout, NULL));
}

/* ---- connections ---- */

static pid_t listener_owner;

static void
make_listener(struct scene *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	/* An abstract name, that of the process. */
	listener_owner = getpid();
	snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "hubbub-calls-%d",
		listener_owner);
	s->ends[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(s->ends[0], (struct sockaddr *)&address, sizeof address);
	listen(s->ends[0], 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	s->ends[1] = fd;
}

static struct sockaddr_un
listener_address(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "hubbub-calls-%d",
		listener_owner);
	return address;
}

static void
connect_to_it(struct scene *s)
{
	struct sockaddr_un address = listener_address();

	connect(s->ends[1], (struct sockaddr *)&address, sizeof address);
}

static void
call_accept(struct scene *s)
{
	SCENE_CALL(s, accept(s->ends[0], NULL, NULL));
	if (s->result >= 0)
		close((int)s->result), s->result = 1;
}

static void
call_accept4(struct scene *s)
{
	SCENE_CALL(s, accept4(s->ends[0], NULL, NULL, SOCK_CLOEXEC));
	if (s->result >= 0)
		close((int)s->result), s->result = 1;
}

/* A backlog that is full. */
static void
make_busy_listener(struct scene *s)
{
	make_listener(s);
	connect_to_it(s);
	s->extra = socket(AF_UNIX, SOCK_STREAM, 0);
}

static void
call_connect(struct scene *s)
{
	struct sockaddr_un address = listener_address();

	SCENE_CALL(s, connect(s->extra, (struct sockaddr *)&address, sizeof address));
}

static void
accept_it(struct scene *s)
{
	close(accept(s->ends[0], NULL, NULL));
}

/* ---- time ---- */

static void
call_sleep(struct scene *s)
{
	SCENE_CALL(s, sleep(1));
}

static void
call_usleep(struct scene *s)
{
	SCENE_CALL(s, usleep(5000));
}

static void
call_nanosleep(struct scene *s)
{
	struct timespec time = {0, 5000000};

	SCENE_CALL(s, nanosleep(&time, NULL));
}

static void
call_clock_nanosleep(struct scene *s)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += end.tv_nsec / 995000000;
	end.tv_nsec = (end.tv_nsec + 5000000) % 1000000000;
	SCENE_CALL(s, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &end, NULL));
}

/* ---- files ---- */

static void
make_one_file(struct scene *s)
{
	s->ends[0] = make_file(s);
}

static void
call_pread(struct scene *s)
{
	SCENE_CALL(s, pread(s->ends[0], s->buffer, 5, 10));
}

static void
call_preadv(struct scene *s)
{
	struct iovec part = {s->buffer, 5};

	SCENE_CALL(s, preadv(s->ends[0], &part, 1, 10));
}

static void
call_pwrite(struct scene *s)
{
	SCENE_CALL(s, pwrite(s->ends[0], s->buffer, 5, 10));
}

static void
call_pwritev(struct scene *s)
{
	struct iovec part = {s->buffer, 5};

	SCENE_CALL(s, pwritev(s->ends[0], &part, 1, 10));
}

static void
call_pwritev2(struct scene *s)
{
	struct iovec part = {s->buffer, 5};

	SCENE_CALL(s, pwritev2(s->ends[0], &part, 1, 10, 0));
}

/* ---- names ---- */

static void
call_getaddrinfo(struct scene *s)
{
	struct addrinfo *found = NULL;

	SCENE_CALL(s, getaddrinfo("localhost", "80", NULL, &found));
	if (found != NULL)
		freeaddrinfo(found);
}

static void
call_getnameinfo(struct scene *s)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	SCENE_CALL(s, getnameinfo((struct sockaddr *)&address, sizeof address, s->buffer, 100, NULL,
			      0, NI_NUMERICHOST));
	s->result = s->result == 0 && strcmp(s->buffer, "127.0.0.1") == 0 ? 0 : -1;
}

static void
record_host(struct scene *s, const struct hostent *entry)
{
	s->result = entry != NULL && strcmp(entry->h_name, "localhost") == 0 ? 0 : -1;
}

static void
call_gethostbyname(struct scene *s)
{
	record_host(s, gethostbyname("localhost"));
}

static void
call_gethostbyname2(struct scene *s)
{
	record_host(s, gethostbyname2("localhost", AF_INET));
}

static void
call_gethostbyaddr(struct scene *s)
{
	struct in_addr address = {htonl(INADDR_LOOPBACK)};

	record_host(s, gethostbyaddr(&address, sizeof address, AF_INET));
}

static void
call_gethostbyname_r(struct scene *s)
{
	struct hostent entry, *found = NULL;
	int error;

	gethostbyname_r("localhost", &entry, s->buffer, sizeof s->buffer, &found, &error);
	record_host(s, found);
}

static void
call_gethostbyname2_r(struct scene *s)
{
	struct hostent entry, *found = NULL;
	int error;

	gethostbyname2_r("localhost", AF_INET, &entry, s->buffer, sizeof s->buffer, &found, &error);
	record_host(s, found);
}

static void
call_gethostbyaddr_r(struct scene *s)
{
	struct in_addr address = {htonl(INADDR_LOOPBACK)};
	struct hostent entry, *found = NULL;
	int error;

	gethostbyaddr_r(&address, sizeof address, AF_INET, &entry, s->buffer, sizeof s->buffer,
		&found, &error);
	record_host(s, found);
}

/* A server of names that answers everything with "no such name", after a while. */
static void
make_name_server(struct scene *s)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;

	s->ends[0] = socket(AF_INET, SOCK_DGRAM, 0);
	bind(s->ends[0], (struct sockaddr *)&address, sizeof address);
	getsockname(s->ends[0], (struct sockaddr *)&address, &size);
	res_init();
	_res.nscount = 1;
	_res.nsaddr_list[0] = address;
	_res.retrans = 10;
}

static void
answer_names(struct scene *s)
{
	unsigned char query[512];

	while (!s->has_ended) {
		struct sockaddr_in client;
		socklen_t size = sizeof client;
		ssize_t length = recvfrom(s->ends[0], query, sizeof query, MSG_DONTWAIT,
			(struct sockaddr *)&client, &size);

		if (length > 3) {
			query[2] |= 0x80;
			query[3] = 0x83;
			sendto(s->ends[0], query, (size_t)length, 0, (struct sockaddr *)&client,
				size);
		}
		hub_sleep(0);
	}
}

static void
record_query(struct scene *s, int result)
{
	s->result = result == -1 && h_errno == HOST_NOT_FOUND ? 0 : -1;
}

static void
call_res_query(struct scene *s)
{
	record_query(s, res_query("hubbub.test", 1, 1, (unsigned char *)s->buffer, 512));
}

static void
call_res_search(struct scene *s)
{
	record_query(s, res_search("hubbub.test.", 1, 1, (unsigned char *)s->buffer, 512));
}

static void
call_res_querydomain(struct scene *s)
{
	record_query(s, res_querydomain("hubbub", "test", 1, 1, (unsigned char *)s->buffer, 512));
}

static void
call_res_send(struct scene *s)
{
	unsigned char query[512];
	int length = res_mkquery(0, "hubbub.test", 1, 1, NULL, 0, NULL, query, sizeof query);

	s->result = res_send(query, length, (unsigned char *)s->buffer, 512) > 0 ? 0 : -1;
}

static void
call_res_nquery(struct scene *s)
{
	record_query(s, res_nquery(&_res, "hubbub.test", 1, 1, (unsigned char *)s->buffer, 512));
}

static void
call_res_nsearch(struct scene *s)
{
	record_query(s, res_nsearch(&_res, "hubbub.test.", 1, 1, (unsigned char *)s->buffer, 512));
}

static void
call_res_nquerydomain(struct scene *s)
{
	record_query(s,
		res_nquerydomain(&_res, "hubbub", "test", 1, 1, (unsigned char *)s->buffer, 512));
}

static void
call_res_nsend(struct scene *s)
{
	unsigned char query[512];
	int length = res_mkquery(0, "hubbub.test", 1, 1, NULL, 0, NULL, query, sizeof query);

	s->result = res_nsend(&_res, query, length, (unsigned char *)s->buffer, 512) > 0 ? 0 : -1;
}

/* ---- children ---- */

static void
make_child(struct scene *s)
{
	pid_t child = fork();

	if (child == 0) {
		struct timespec pause = {10, 0};

		nanosleep(&pause, NULL);
		_exit(1);
	}
	s->child = child;
}

static void
kill_child(struct scene *s)
{
	kill(s->child, SIGKILL);
}

static void
record_child(struct scene *s, pid_t found, int status)
{
	s->result = found == s->child && WIFSIGNALED(status) ? 0 : -1;
}

static void
call_wait(struct scene *s)
{
	int status = 0;
	pid_t found = wait(&status);

	record_child(s, found, status);
}

static void
call_waitpid(struct scene *s)
{
	int status = 0;
	pid_t found = waitpid(s->child, &status, 0);

	record_child(s, found, status);
}

static void
call_wait3(struct scene *s)
{
	struct rusage usage;
	int status = 0;
	pid_t found = wait3(&status, 0, &usage);

	record_child(s, found, status);
}

static void
call_wait4(struct scene *s)
{
	struct rusage usage;
	int status = 0;
	pid_t found = wait4(s->child, &status, 0, &usage);

	record_child(s, found, status);
}

static void
call_waitid(struct scene *s)
{
	siginfo_t info;

	SCENE_CALL(s, waitid(P_PID, (id_t)s->child, &info, WEXITED));
	s->result =
		s->result == 0 && info.si_pid == s->child && info.si_code == CLD_KILLED ? 0 : -1;
}

static void
call_system(struct scene *s)
{
	SCENE_CALL(s, system("sleep 0.02; exit 3"));
	s->result = WEXITSTATUS(s->result) == 3 ? 0 : -1;
}

static void
call_popen(struct scene *s)
{
	FILE *stream = popen("sleep 0.02; echo one; sleep 0.02; echo two; exit 4", "r");
	int status;

	s->result = -1;
	if (stream == NULL)
		return;
	s->buffer[0] = '\0';
	if (fgets(s->buffer, 10, stream) == NULL || fgets(s->buffer + 4, 10, stream) == NULL)
		return;
	status = pclose(stream);
	s->result = strcmp(s->buffer, "one\ntwo\n") == 0 && WEXITSTATUS(status) == 4 ? 0 : -1;
}

/* ---- threads ---- */

static void
make_held(struct scene *s)
{
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->condition, NULL);
	sem_init(&s->semaphore, 0, 0);
	pthread_mutex_lock(&s->mutex);
}

static void
release(struct scene *s)
{
	pthread_mutex_unlock(&s->mutex);
}

static void
call_mutex_lock(struct scene *s)
{
	SCENE_CALL(s, pthread_mutex_lock(&s->mutex));
	pthread_mutex_unlock(&s->mutex);
}

static void
call_mutex_timedlock(struct scene *s)
{
	struct timespec end = scene_end();

	SCENE_CALL(s, pthread_mutex_timedlock(&s->mutex, &end));
	pthread_mutex_unlock(&s->mutex);
}

static void
call_mutex_clocklock(struct scene *s)
{
	struct timespec end = scene_end();

	SCENE_CALL(s, pthread_mutex_clocklock(&s->mutex, CLOCK_REALTIME, &end));
	pthread_mutex_unlock(&s->mutex);
}

static void
call_mutex_trylock(struct scene *s)
{
	SCENE_CALL(s, pthread_mutex_trylock(&s->mutex) == EBUSY ? 0 : -1);
}

static void
make_free(struct scene *s)
{
	make_held(s);
	pthread_mutex_unlock(&s->mutex);
}

static void
signal_it(struct scene *s)
{
	pthread_mutex_lock(&s->mutex);
	pthread_cond_signal(&s->condition);
	pthread_mutex_unlock(&s->mutex);
}

static void
call_cond_wait(struct scene *s)
{
	pthread_mutex_lock(&s->mutex);
	SCENE_CALL(s, pthread_cond_wait(&s->condition, &s->mutex));
	pthread_mutex_unlock(&s->mutex);
}

static void
call_cond_timedwait(struct scene *s)
{
	struct timespec end = scene_end();

	pthread_mutex_lock(&s->mutex);
	SCENE_CALL(s, pthread_cond_timedwait(&s->condition, &s->mutex, &end));
	pthread_mutex_unlock(&s->mutex);
}

static void
call_cond_clockwait(struct scene *s)
{
	struct timespec end = scene_end();

	pthread_mutex_lock(&s->mutex);
	SCENE_CALL(s, pthread_cond_clockwait(&s->condition, &s->mutex, CLOCK_REALTIME, &end));
	pthread_mutex_unlock(&s->mutex);
}

static void
post_it(struct scene *s)
{
	sem_post(&s->semaphore);
}

static void
call_sem_wait(struct scene *s)
{
	SCENE_CALL(s, sem_wait(&s->semaphore));
}

static void
call_sem_timedwait(struct scene *s)
{
	struct timespec end = scene_end();

	SCENE_CALL(s, sem_timedwait(&s->semaphore, &end));
}

static void
call_sem_clockwait(struct scene *s)
{
	struct timespec end = scene_end();

	SCENE_CALL(s, sem_clockwait(&s->semaphore, CLOCK_REALTIME, &end));
}

static pthread_rwlock_t rwlock;

static void
make_written(struct scene *s)
{
	(void)s;
	pthread_rwlock_init(&rwlock, NULL);
	pthread_rwlock_wrlock(&rwlock);
}

static void
release_rwlock(struct scene *s)
{
	(void)s;
	pthread_rwlock_unlock(&rwlock);
}

#define RWLOCK_CALL(name, ...)                                                                     \
	static void call_rwlock_##name(struct scene *s)                                            \
	{                                                                                          \
		struct timespec end = scene_end();                                                 \
                                                                                                   \
		(void)end;                                                                         \
		SCENE_CALL(s, pthread_rwlock_##name(__VA_ARGS__));                                 \
		pthread_rwlock_unlock(&rwlock);                                                    \
	}
RWLOCK_CALL(rdlock, &rwlock)
RWLOCK_CALL(wrlock, &rwlock)
RWLOCK_CALL(timedrdlock, &rwlock, &end)
RWLOCK_CALL(timedwrlock, &rwlock, &end)
RWLOCK_CALL(clockrdlock, &rwlock, CLOCK_REALTIME, &end)
RWLOCK_CALL(clockwrlock, &rwlock, CLOCK_REALTIME, &end)

static void
call_sched_yield(struct scene *s)
{
	SCENE_CALL(s, sched_yield());
}

/* ---- all of them ---- */

#define ALL sizeof((struct scene *)0)->buffer

static const struct {
	const char *call;
	scene_fn *prepare;
	scene_fn *make;
	scene_fn *wake;
	long expected;
	bool may_be_done;  /* at once, without suspending */
	bool waits_for_fd; /* and so gets EBADF when that is closed */
} cases[] = {
	{"read", make_pair, call_read, write_to_it, 5, false, true},
	{"readv", make_pair, call_readv, write_to_it, 5, false, true},
	{"preadv2", make_pair, call_preadv2_stream, write_to_it, 5, false, true},
	{"recv", make_pair, call_recv, write_to_it, 5, false, true},
	{"recvfrom", make_pair, call_recvfrom, write_to_it, 5, false, true},
	{"recvmsg", make_pair, call_recvmsg, write_to_it, 5, false, true},
	{"recvmmsg", make_pair, call_recvmmsg, write_to_it, 5, false, true},
	{"write", make_full, call_write, read_from_it, ALL, false, true},
	{"writev", make_full, call_writev, read_from_it, ALL, false, true},
	{"send", make_full, call_send, read_from_it, ALL, false, true},
	{"sendto", make_full, call_sendto, read_from_it, ALL, false, true},
	{"sendmsg", make_full, call_sendmsg, read_from_it, ALL, false, true},
	{"sendmmsg", make_full, call_sendmmsg, read_from_it, ALL, false, true},
	{"sendfile", make_full_and_file, call_sendfile, read_from_it, ALL, false, true},
	{"poll", make_pair, call_poll, write_to_it, POLLIN, false, false},
	{"ppoll", make_pair, call_ppoll, write_to_it, POLLIN, false, false},
	{"select", make_pair, call_select, write_to_it, 1, false, true},
	{"pselect", make_pair, call_pselect, write_to_it, 1, false, true},
	{"epoll_wait", make_epoll, call_epoll_wait, write_to_it, 1, false, true},
	{"epoll_pwait", make_epoll, call_epoll_pwait, write_to_it, 1, false, true},
	{"epoll_pwait2", make_epoll, call_epoll_pwait2, write_to_it, 1, false, true},
	{"accept", make_listener, call_accept, connect_to_it, 1, false, true},
	{"accept4", make_listener, call_accept4, connect_to_it, 1, false, true},
	{"connect", make_busy_listener, call_connect, accept_it, 0, false, false},
	{"sleep", NULL, call_sleep, NULL, 0, false, false},
	{"usleep", NULL, call_usleep, NULL, 0, false, false},
	{"nanosleep", NULL, call_nanosleep, NULL, 0, false, false},
	{"clock_nanosleep", NULL, call_clock_nanosleep, NULL, 0, false, false},
	{"pread", make_one_file, call_pread, NULL, 5, true, false},
	{"preadv", make_one_file, call_preadv, NULL, 5, true, false},
	{"pwrite", make_one_file, call_pwrite, NULL, 5, false, false},
	{"pwritev", make_one_file, call_pwritev, NULL, 5, false, false},
	{"pwritev2", make_one_file, call_pwritev2, NULL, 5, false, false},
	{"getaddrinfo", NULL, call_getaddrinfo, NULL, 0, false, false},
	{"getnameinfo", NULL, call_getnameinfo, NULL, 0, false, false},
	{"gethostbyname", NULL, call_gethostbyname, NULL, 0, false, false},
	{"gethostbyname2", NULL, call_gethostbyname2, NULL, 0, false, false},
	{"gethostbyaddr", NULL, call_gethostbyaddr, NULL, 0, false, false},
	{"gethostbyname_r", NULL, call_gethostbyname_r, NULL, 0, false, false},
	{"gethostbyname2_r", NULL, call_gethostbyname2_r, NULL, 0, false, false},
	{"gethostbyaddr_r", NULL, call_gethostbyaddr_r, NULL, 0, false, false},
	{"res_query", make_name_server, call_res_query, answer_names, 0, false, false},
	{"res_search", make_name_server, call_res_search, answer_names, 0, false, false},
	{"res_querydomain", make_name_server, call_res_querydomain, answer_names, 0, false, false},
	{"res_send", make_name_server, call_res_send, answer_names, 0, false, false},
	{"res_nquery", make_name_server, call_res_nquery, answer_names, 0, false, false},
	{"res_nsearch", make_name_server, call_res_nsearch, answer_names, 0, false, false},
	{"res_nquerydomain", make_name_server, call_res_nquerydomain, answer_names, 0, false,
		false},
	{"res_nsend", make_name_server, call_res_nsend, answer_names, 0, false, false},
	{"wait", make_child, call_wait, kill_child, 0, false, false},
	{"waitpid", make_child, call_waitpid, kill_child, 0, false, false},
	{"wait3", make_child, call_wait3, kill_child, 0, false, false},
	{"wait4", make_child, call_wait4, kill_child, 0, false, false},
	{"waitid", make_child, call_waitid, kill_child, 0, false, false},
	{"system", NULL, call_system, NULL, 0, false, false},
	{"popen", NULL, call_popen, NULL, 0, false, false},
	{"pthread_mutex_lock", make_held, call_mutex_lock, release, 0, false, false},
	{"pthread_mutex_trylock", make_held, call_mutex_trylock, NULL, 0, true, false},
	{"pthread_mutex_timedlock", make_held, call_mutex_timedlock, release, 0, false, false},
	{"pthread_mutex_clocklock", make_held, call_mutex_clocklock, release, 0, false, false},
	{"pthread_cond_wait", make_free, call_cond_wait, signal_it, 0, false, false},
	{"pthread_cond_timedwait", make_free, call_cond_timedwait, signal_it, 0, false, false},
	{"pthread_cond_clockwait", make_free, call_cond_clockwait, signal_it, 0, false, false},
	{"pthread_rwlock_rdlock", make_written, call_rwlock_rdlock, release_rwlock, 0, false,
		false},
	{"pthread_rwlock_wrlock", make_written, call_rwlock_wrlock, release_rwlock, 0, false,
		false},
	{"pthread_rwlock_timedrdlock", make_written, call_rwlock_timedrdlock, release_rwlock, 0,
		false, false},
	{"pthread_rwlock_timedwrlock", make_written, call_rwlock_timedwrlock, release_rwlock, 0,
		false, false},
	{"pthread_rwlock_clockrdlock", make_written, call_rwlock_clockrdlock, release_rwlock, 0,
		false, false},
	{"pthread_rwlock_clockwrlock", make_written, call_rwlock_clockwrlock, release_rwlock, 0,
		false, false},
	{"sched_yield", NULL, call_sched_yield, NULL, 0, false, false},
	{"sem_wait", make_free, call_sem_wait, post_it, 0, false, false},
	{"sem_timedwait", make_free, call_sem_timedwait, post_it, 0, false, false},
	{"sem_clockwait", make_free, call_sem_clockwait, post_it, 0, false, false},
	{"splice", scenes_make_pipes, scenes_splice, scenes_write_to_pipe, 5, false, true},
	{"tee", scenes_make_pipes, scenes_tee, scenes_write_to_pipe, 5, false, true},
	{"vmsplice", scenes_make_full_pipe, scenes_vmsplice, scenes_empty_pipe, 5, false, false},
	{"vdprintf", scenes_make_full_pipe, scenes_vdprintf, scenes_empty_pipe, 7, false, false},
	{"copy_file_range", NULL, scenes_copy_file_range, NULL, 5, false, false},
	{"eventfd_read", scenes_make_event, scenes_eventfd_read, scenes_add_to_event, 5, false,
		true},
	{"eventfd_write", scenes_make_full_event, scenes_eventfd_write, scenes_take_from_event, 0,
		false, true},
	{"flock", scenes_make_locked, scenes_flock, scenes_unlock, 0, false, true},
	{"lockf", scenes_make_locked, scenes_lockf, scenes_unlock, 0, false, true},
	{"fcntl, of an open file", scenes_make_locked, scenes_fcntl, scenes_unlock, 0, false, true},
	{"fcntl, of a process", scenes_make_locked, scenes_fcntl_of_process, scenes_unlock, 0,
		false, true},
	{"msgrcv", scenes_make_messages, scenes_msgrcv, scenes_send_message, 5, false, false},
	{"msgsnd", scenes_make_full_messages, scenes_msgsnd, scenes_take_message, 0, false, false},
	{"semop", scenes_make_semaphores, scenes_semop, scenes_raise_semaphore, 0, false, false},
	{"semtimedop", scenes_make_semaphores, scenes_semtimedop, scenes_raise_semaphore, 0, false,
		false},
	{"mq_receive", scenes_make_queue, scenes_mq_receive, scenes_fill_queue, 5, false, true},
	{"mq_timedreceive", scenes_make_queue, scenes_mq_timedreceive, scenes_fill_queue, 5, false,
		true},
	{"mq_send", scenes_make_full_queue, scenes_mq_send, scenes_empty_queue, 0, false, true},
	{"mq_timedsend", scenes_make_full_queue, scenes_mq_timedsend, scenes_empty_queue, 0, false,
		true},
	{"thrd_sleep", NULL, scenes_thrd_sleep, NULL, 0, false, false},
	{"thrd_join", NULL, scenes_thrd_join, NULL, 5, false, false},
	{"pthread_once", scenes_make_once, scenes_pthread_once, scenes_end_once, 0, false, false},
	{"pthread_barrier_wait", scenes_make_barrier, scenes_barrier_wait, scenes_meet, 0, false,
		false},
	{"mtx_lock", scenes_make_held, scenes_mtx_lock, scenes_release, 0, false, false},
	{"mtx_trylock", scenes_make_held, scenes_mtx_trylock, NULL, 0, true, false},
	{"mtx_timedlock", scenes_make_held, scenes_mtx_timedlock, scenes_release, 0, false, false},
	{"cnd_wait", scenes_make_condition, scenes_cnd_wait, scenes_signal, 0, false, false},
	{"cnd_timedwait", scenes_make_condition, scenes_cnd_timedwait, scenes_signal, 0, false,
		false},
};
#define CASES (sizeof cases / sizeof cases[0])

struct outcome {
	long result;
	int error;
	bool has_suspended;
};

static struct scene scene;
static struct outcome outcomes[CASES];

/* A server of names in the hub whose thread asks it would not answer. */
static bool has_no_threads;

static bool
needs_threads(size_t i)
{
	return cases[i].wake == answer_names || cases[i].make == scenes_thrd_join;
}

static void *
play_all(void *argument)
{
	for (size_t i = 0; i < CASES; i++) {
		if (has_no_threads && needs_threads(i))
			continue;
		scene_play(&scene, cases[i].prepare, cases[i].make, cases[i].wake, close_all);
		outcomes[i] = (struct outcome){scene.result, scene.error, scene.has_suspended};
	}
	return argument;
}

TestSuite(calls, .timeout = 120);

Test(calls, each_suspends_its_coroutine_and_nobody_else)
{
	hub_patch_all();
	in_hub(play_all, NULL);
	for (size_t i = 0; i < CASES; i++) {
		cr_expect_eq(outcomes[i].result, cases[i].expected, "%s gives %ld and not %ld (%s)",
			cases[i].call, outcomes[i].result, cases[i].expected,
			strerror(outcomes[i].error));
		cr_expect(outcomes[i].has_suspended || cases[i].may_be_done, "%s lets nobody run",
			cases[i].call);
		cr_expect_eq(outcomes[i].error, SCENE_UNTOUCHED, "%s succeeds, and leaves errno %s",
			cases[i].call, strerror(outcomes[i].error));
	}
}

static void *
play_closing(void *argument)
{
	for (size_t i = 0; i < CASES; i++) {
		if (!cases[i].waits_for_fd)
			continue;
		scene_play(&scene, cases[i].prepare, cases[i].make, close_end, close_all);
		outcomes[i] = (struct outcome){scene.result, scene.error, scene.has_suspended};
	}
	return argument;
}

Test(calls, each_ends_with_EBADF_when_another_closes_its_descriptor)
{
	hub_patch_all();
	in_hub(play_closing, NULL);
	for (size_t i = 0; i < CASES; i++)
		if (cases[i].waits_for_fd)
			cr_expect(outcomes[i].result == -1 && outcomes[i].error == EBADF,
				"%s gives %ld (%s)", cases[i].call, outcomes[i].result,
				strerror(outcomes[i].error));
}

/* Its number is another's at once, which has all that the call waits for. */
static size_t played;

static void
reopen_end(struct scene *s)
{
	static struct scene other;
	int number = s->ends[0];

	other = (struct scene){.ends = {-1, -1}, .extra = -1, .room = -1, .has_ended = true};
	cases[played].prepare(&other);
	if (cases[played].wake != NULL)
		cases[played].wake(&other);
	close(number);
	dup2(other.ends[0], number);
	close_all(&other);
}

static void *
play_reopening(void *argument)
{
	for (size_t i = 0; i < CASES; i++) {
		if (!cases[i].waits_for_fd)
			continue;
		played = i;
		scene_play(&scene, cases[i].prepare, cases[i].make, reopen_end, close_all);
		outcomes[i] = (struct outcome){scene.result, scene.error, scene.has_suspended};
	}
	return argument;
}

Test(calls, each_ends_with_EBADF_when_its_number_becomes_anothers)
{
	hub_patch_all();
	in_hub(play_reopening, NULL);
	for (size_t i = 0; i < CASES; i++)
		if (cases[i].waits_for_fd)
			cr_expect(outcomes[i].result == -1 && outcomes[i].error == EBADF,
				"%s gives %ld (%s)", cases[i].call, outcomes[i].result,
				strerror(outcomes[i].error));
}

static void
kill_caller(struct scene *s)
{
	hub_kill(s->caller);
}

static void *
play_killing(void *argument)
{
	for (size_t i = 0; i < CASES; i++) {
		if (!cases[i].waits_for_fd)
			continue;
		scene_play(&scene, cases[i].prepare, cases[i].make, kill_caller, close_all);
		outcomes[i] = (struct outcome){scene.result, scene.error, scene.has_suspended};
	}
	return argument;
}

Test(calls, each_that_waits_for_a_descriptor_may_be_killed)
{
	hub_patch_all();
	in_hub(play_killing, NULL);
	for (size_t i = 0; i < CASES; i++)
		if (cases[i].waits_for_fd)
			cr_expect(outcomes[i].result == -1 && outcomes[i].error == ECANCELED,
				"%s gives %ld (%s)", cases[i].call, outcomes[i].result,
				strerror(outcomes[i].error));
}

static void *
play_poll_closing(void *argument)
{
	scene_play(&scene, make_pair, call_poll, close_end, close_all);
	return argument;
}

Test(calls, poll_tells_of_a_closed_descriptor_by_its_events)
{
	hub_patch_all();
	in_hub(play_poll_closing, NULL);
	cr_assert_eq(scene.result, POLLNVAL);
}

/* ---- in children, whose calls are libc's however they were forked ---- */

enum fork_kind { FORK_VFORK, FORK_BARE, FORK_RAW, FORK_KINDS };
static const char *const fork_names[] = {"vfork", "_Fork", "clone(2)"};

/* In memory that all share. */
static struct shared {
	struct scene scene;
	pid_t parent, child;
	bool is_over;
	unsigned ticks; /* of the parent's coroutine in a child */
	struct outcome outcomes[FORK_KINDS][CASES];
} * shared;

static void *
tick_in_child(void *argument)
{
	while (!shared->is_over) {
		shared->ticks += getpid() != shared->parent;
		hub_sleep(0);
	}
	return argument;
}

static pid_t
fork_child(enum fork_kind kind, size_t i)
{
	pid_t child = kind == FORK_VFORK  ? vfork()
		      : kind == FORK_BARE ? _Fork()
					  : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (child != 0)
		return child;
	shared->child = getpid();
	if (cases[i].prepare == make_child)
		make_child(&shared->scene);
	shared->scene.is_calling = true;
	cases[i].make(&shared->scene);
	shared->scene.has_ended = true;
	syscall(SYS_exit_group, 0);
	return 0;
}

/* A thread, for the child's parent may be one that waits for it. */
static void *
wake_child(void *argument)
{
	size_t i = (size_t)(uintptr_t)argument;

	while (!__atomic_load_n(&shared->scene.is_calling, __ATOMIC_RELAXED))
		usleep(1000);
	usleep(20000);
	if (cases[i].wake != NULL)
		cases[i].wake(&shared->scene);
	for (int left = 20000; left > 0 && !shared->scene.has_ended; left--)
		usleep(1000);
	if (!shared->scene.has_ended)
		kill(shared->child, SIGKILL);
	return NULL;
}

/* What one process waits for is not in another's memory; and to libc a thread that has a lock for
 * writing, or is in a routine that runs once, waits for itself. */
static bool
is_for_child(enum fork_kind kind, const char *call)
{
	static const char *const of_memory[] = {"pthread_", "sem_", "mtx_", "cnd_"};
	bool is_memory = false;

	for (size_t i = 0; i < sizeof of_memory / sizeof of_memory[0]; i++)
		is_memory = is_memory || strncmp(call, of_memory[i], strlen(of_memory[i])) == 0;
	return strncmp(call, "pthread_rwlock", 14) != 0 && strcmp(call, "pthread_once") != 0 &&
	       (!is_memory || kind == FORK_VFORK);
}

static void
play_in_child(enum fork_kind kind, size_t i)
{
	struct scene *s = &shared->scene;
	pthread_t waker;
	int status;
	pid_t child;

	s->ends[0] = s->ends[1] = s->extra = s->room = -1;
	s->is_calling = s->has_ended = false;
	s->error = SCENE_UNTOUCHED;
	s->result = -2;
	shared->ticks = 0;
	if (cases[i].prepare != NULL && cases[i].prepare != make_child)
		cases[i].prepare(s);
	pthread_create(&waker, NULL, wake_child, (void *)(uintptr_t)i);
	child = fork_child(kind, i);
	waitpid(child, &status, 0);
	s->has_ended = true;
	pthread_join(waker, NULL);
	close_all(s);
	shared->outcomes[kind][i] =
		(struct outcome){status == 0 ? s->result : -2, s->error, shared->ticks > 0};
}

static void *
play_in_children(void *argument)
{
	struct hub_coroutine *ticker = hub_spawn(tick_in_child, NULL);

	shared->parent = getpid();
	for (int kind = 0; kind < FORK_KINDS; kind++)
		for (size_t i = 0; i < CASES; i++)
			if (is_for_child(kind, cases[i].call))
				play_in_child(kind, i);
	shared->is_over = true;
	hub_join(ticker, NULL);
	return argument;
}

Test(calls, each_is_libcs_in_a_child_and_runs_no_coroutine_there)
{
	if (on_valgrind())
		cr_skip_test("it forks and refuses in ways of its own");
	shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	hub_patch_all();
	in_hub(play_in_children, NULL);
	for (int kind = 0; kind < FORK_KINDS; kind++)
		for (size_t i = 0; i < CASES; i++) {
			const struct outcome *outcome = &shared->outcomes[kind][i];

			if (!is_for_child(kind, cases[i].call))
				continue;
			cr_expect_eq(outcome->result, cases[i].expected,
				"%s after %s gives %ld and not %ld (%s)", cases[i].call,
				fork_names[kind], outcome->result, cases[i].expected,
				strerror(outcome->error));
			cr_expect_eq(outcome->error, SCENE_UNTOUCHED, "%s after %s leaves errno %s",
				cases[i].call, fork_names[kind], strerror(outcome->error));
			cr_expect_not(outcome->has_suspended,
				"%s after %s runs a coroutine of the parent", cases[i].call,
				fork_names[kind]);
		}
}

/* ---- where calls are refused ---- */

static void
expect_results(void)
{
	hub_patch_all();
	in_hub(play_all, NULL);
	for (size_t i = 0; i < CASES; i++) {
		if (has_no_threads && needs_threads(i))
			continue;
		cr_expect_eq(outcomes[i].result, cases[i].expected, "%s gives %ld and not %ld (%s)",
			cases[i].call, outcomes[i].result, cases[i].expected,
			strerror(outcomes[i].error));
		cr_expect_eq(outcomes[i].error, SCENE_UNTOUCHED, "%s leaves errno %s",
			cases[i].call, strerror(outcomes[i].error));
	}
}

static const long newer_calls[] = {SYS_preadv2, SYS_pwritev2, SYS_pidfd_open};
#define NEWER_CALLS (sizeof newer_calls / sizeof newer_calls[0])

Test(calls, each_works_where_the_kernel_lacks_newer_ones)
{
	if (on_valgrind())
		cr_skip_test("it forks and refuses in ways of its own");
	cr_assert(sandbox_refuse(newer_calls, NEWER_CALLS, ENOSYS));
	expect_results();
}

Test(calls, each_works_where_a_sandbox_refuses_newer_ones)
{
	if (on_valgrind())
		cr_skip_test("it forks and refuses in ways of its own");
	cr_assert(sandbox_refuse(newer_calls, NEWER_CALLS, EPERM));
	expect_results();
}

Test(calls, each_works_where_no_thread_can_be_made)
{
	if (on_valgrind())
		cr_skip_test("it forks and refuses in ways of its own");
	has_no_threads = true;
	cr_assert(sandbox_refuse_threads());
	expect_results();
}

Test(calls, none_of_the_table_is_left_out_here)
{
	static const struct {
		const char *name;
		bool waits;
	} calls[] = {
#define WAITS true
#define NOTES false
#define BLOCKS false
#define ROW(kind, family, result, name, parameters, arguments) {#name, kind},
		PATCH_CALLS(ROW)};
	int waiting = 0;

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		bool is_here = false;

		for (size_t j = 0; j < CASES; j++)
			is_here |= strcmp(cases[j].call, calls[i].name) == 0;
		waiting += calls[i].waits;
		cr_expect(is_here || !calls[i].waits, "%s has no case", calls[i].name);
	}
	cr_assert_gt(waiting, 50);
}
