#include "master/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/events.h"
#include "master/master.h"
#include "master/notify.h"
#include "master/program.h"

#define VERSION 3
#define TAKE_TIME 2. /* seconds between GO and TOOK, in which nobody accepts */
#define VARIABLE "HUBBUB_HANDOVER"
#define TIME_DEFAULT 30. /* seconds for the new master to get ready, without a --hang-timeout */

enum word { WORD_RISEN = 1, WORD_GO, WORD_TOOK };

/* What masters say to each other; with GO the order of the kernel's group. */
struct sentence {
	uint32_t word;
	uint32_t count;
	uint16_t order[SOCKETS_SEATS_MAX];
};

/* ---- the document ---- */

static json_t *
address_json(const struct sockets *sockets, unsigned index)
{
	const struct address *address = &sockets->addresses[index];
	char hex[2 * sizeof address->socket + 1];
	const unsigned char *bytes = (const unsigned char *)&address->socket;

	for (socklen_t i = 0; i < address->length; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return json_pack("{s:i, s:s, s:i, s:i, s:i}", "kind", (int)address->kind, "socket", hex,
		"lock", sockets->locks[index], "shared", sockets->shared[index], "passed",
		sockets->passed[index]);
}

static json_t *
seats_json(const struct sockets *sockets)
{
	json_t *seats = json_array();

	for (unsigned seat = 0; seat < sockets->seat_count; seat++) {
		json_t *fds = json_array();

		for (unsigned i = 0; i < sockets->address_count; i++)
			json_array_append_new(fds, json_integer(sockets->seats[seat].fds[i]));
		json_array_append_new(seats, fds);
	}
	return seats;
}

/* Options that make descriptors which are handed over. */
static json_t *
fixed_json(const struct options *options)
{
	return json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?}", "admin", options->admin, "agent",
		options->agent, "control", options->control, "pidfile", options->pidfile, "user",
		options->user);
}

static json_t *
document(const struct master *master, int channel)
{
	const struct fleet_config *config = &master->fleet.serving->config;
	json_t *addresses = json_array();

	for (unsigned i = 0; i < master->sockets.address_count; i++)
		json_array_append_new(addresses, address_json(&master->sockets, i));
	return json_pack(
		"{s:i, s:i, s:i, s:i, s:i, s:s, s:i, s:i, s:i, s:b, s:i, s:i, s:i, s:i, s:i, "
		"s:o, s:o, s:o}",
		"version", VERSION, "master", (int)getpid(), "channel", channel, "counters",
		master->counters_file, "control", control_fd(master->control), "control_path",
		control_path(master->control), "admin", admin_fd(master->admin), "agent",
		agent_fd(master->agent), "pidfile", master->pidfile, "can_bind",
		master->sockets.can_bind, "generations", (int)master->fleet.generations,
		"processes", (int)config->processes, "threads", (int)config->threads,
		"asked_processes", (int)master->options.asked_processes, "asked_threads",
		(int)master->options.asked_threads, "addresses", addresses, "seats",
		seats_json(&master->sockets), "fixed", fixed_json(&master->options));
}

static int
write_document(const struct master *master, int channel)
{
	json_t *object = document(master, channel);
	int fd = memfd_create("hubbub-handover", MFD_CLOEXEC);

	if (object == NULL || fd == -1 || json_dumpfd(object, fd, JSON_COMPACT) != 0) {
		if (fd != -1)
			close(fd);
		fd = -1;
	}
	json_decref(object);
	return fd;
}

/* ---- the old master ---- */

static void
keep(int fd)
{
	if (fd != -1)
		fcntl(fd, F_SETFD, 0);
}

/* In the child: only what the document names goes through the exec. */
static _Noreturn void
become_heir(const struct master *master, int handover, int channel)
{
	const struct sockets *sockets = &master->sockets;
	char number[16];
	sigset_t none;

	keep(handover);
	keep(channel);
	keep(master->counters_file);
	keep(control_fd(master->control));
	keep(admin_fd(master->admin));
	keep(agent_fd(master->agent));
	keep(master->pidfile);
	for (unsigned i = 0; i < sockets->address_count; i++) {
		keep(sockets->locks[i]);
		keep(sockets->shared[i]);
	}
	for (unsigned seat = 0; seat < sockets->seat_count; seat++)
		for (unsigned i = 0; i < sockets->address_count; i++)
			keep(sockets->seats[seat].fds[i]);
	snprintf(number, sizeof number, "%d", handover);
	setenv(VARIABLE, number, 1);
	for (int number_of_signal = 1; number_of_signal < NSIG; number_of_signal++)
		signal(number_of_signal, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(program_remembered(), master->argv);
	log_error("cannot execute %s: %s", program_remembered(), strerror(errno));
	_exit(126);
}

static void
forget(struct master *master)
{
	struct upgrade *upgrade = &master->upgrade;

	ev_io_stop(master->loop, &upgrade->talk);
	ev_io_stop(master->loop, &upgrade->exit);
	ev_timer_stop(master->loop, &upgrade->deadline);
	if (upgrade->channel != -1)
		close(upgrade->channel);
	if (upgrade->pidfd != -1)
		close(upgrade->pidfd);
	upgrade->channel = upgrade->pidfd = -1;
	upgrade->pid = 0;
	upgrade->is_offered = false;
}

static void
roll_back(struct master *master, const char *why)
{
	forget(master);
	fleet_freeze(&master->fleet, false);
	master_changed(master, why);
}

bool
upgrade_reap(struct master *master, pid_t pid)
{
	struct upgrade *upgrade = &master->upgrade;
	char why[160];
	int status = 0;

	if (upgrade->is_heir || upgrade->pid == 0 || upgrade->pid != pid)
		return false;
	if (waitpid(pid, &status, WNOHANG) != pid)
		return true;
	if (master->phase == MASTER_HANDED_OVER) {
		forget(master);
		/* It may have handed over itself, and have left in order. */
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return true;
		events_note(LOG_ERROR,
			"the new master (pid %d) is dead; closing the sockets that it had",
			(int)pid);
		sockets_abandon(&master->sockets);
		return true;
	}
	if (WIFSIGNALED(status))
		snprintf(why, sizeof why,
			"the new program was killed by signal %d (%s) while it started",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(why, sizeof why,
			"the new program exited with code %d while it started; the log says why",
			WEXITSTATUS(status));
	roll_back(master, why);
	return true;
}

static void
on_exit_of_heir(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct master *master = watcher->data;

	(void)loop, (void)events;
	upgrade_reap(master, master->upgrade.pid);
}

void
upgrade_abandon(struct master *master)
{
	struct upgrade *upgrade = &master->upgrade;

	if (upgrade->is_heir || upgrade->pidfd == -1 || master->phase == MASTER_HANDED_OVER)
		return;
	/* Its workers die with it; the master reaps it as it does strangers. */
	pidfd_send_signal(upgrade->pidfd, SIGKILL, NULL, 0);
	forget(master);
	fleet_freeze(&master->fleet, false);
}

static void
on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct master *master = timer->data;

	(void)loop, (void)events;
	if (master->upgrade.is_heir) {
		log_error("the former master does not hand over; leaving");
		master_stop(master, 1);
		return;
	}
	upgrade_abandon(master);
	master_changed(master, "the new program did not get ready in time, and was killed");
}

/* The new master is ready: nobody here opens a connection until it has taken over, or died. */
static void
offer(struct master *master)
{
	static struct sentence go;
	struct upgrade *upgrade = &master->upgrade;
	size_t length;

	go.word = WORD_GO;
	go.count = master->sockets.listening;
	for (unsigned i = 0; i < go.count; i++)
		go.order[i] = (uint16_t)master->sockets.order[i];
	length = offsetof(struct sentence, order) + go.count * sizeof go.order[0];
	upgrade->is_offered = true;
	fleet_freeze(&master->fleet, true);
	ev_timer_stop(master->loop, &upgrade->deadline);
	ev_now_update(master->loop);
	ev_timer_set(&upgrade->deadline, TAKE_TIME, 0.);
	ev_timer_start(master->loop, &upgrade->deadline);
	/* If it does not hear, it is dead, and that is noticed. */
	if (send(upgrade->channel, &go, length, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)length)
		log_error("the new master does not hear: %s", strerror(errno));
}

/* The new master serves. */
static void
hand_over(struct master *master)
{
	struct upgrade *upgrade = &master->upgrade;

	events_note(LOG_INFO, "handed over to the new master, pid %d", (int)upgrade->pid);
	ev_timer_stop(master->loop, &upgrade->deadline);
	upgrade->is_offered = false;
	master->phase = MASTER_HANDED_OVER;
	sockets_forget(&master->sockets);
	control_pause(master->control);
	admin_pause(master->admin);
	agent_pause(master->agent);
	notify_send("MAINPID=%d", (int)upgrade->pid);
	fleet_leave(&master->fleet, CHANNEL_HANDOVER);
	fleet_freeze(&master->fleet, false);
	master_changed(master, NULL);
}

/* ---- the new master ---- */

static void
say(struct master *master, enum word word)
{
	uint32_t words[2] = {word, 0};

	if (send(master->upgrade.channel, words, sizeof words, MSG_NOSIGNAL | MSG_DONTWAIT) !=
		sizeof words)
		log_error("cannot tell the former master: %s", strerror(errno));
}

static void
take_over(struct master *master, const struct sentence *go)
{
	struct sockets *sockets = &master->sockets;
	pid_t former = master->upgrade.pid;

	/* A worker has died since: this master is about to leave. */
	if (master->fleet.rising == NULL)
		return;
	for (unsigned i = 0; i < go->count && go->order[i] < sockets->seat_count; i++) {
		sockets->order[sockets->listening++] = go->order[i];
		sockets->seats[go->order[i]].listens = true;
	}
	sockets->is_owner = true;
	sockets_know_paths(sockets);
	fleet_commit(&master->fleet);
	say(master, WORD_TOOK);
	/* The former master needs no word more; what its workers have is read from their counters. */
	forget(master);
	master->upgrade.is_heir = false;
	counters_note(&master->counters->upgrades, 1);
	events_note(LOG_INFO, "took over from the former master, pid %d", (int)former);
	master_took_over(master);
}

void
upgrade_risen(struct master *master)
{
	say(master, WORD_RISEN);
}

/* ---- both ---- */

static void
on_talk(struct ev_loop *loop, ev_io *watcher, int events)
{
	static struct sentence sentence;
	struct master *master = watcher->data;
	struct upgrade *upgrade = &master->upgrade;
	ssize_t length = recv(upgrade->channel, &sentence, sizeof sentence, MSG_DONTWAIT);

	(void)events;
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length < (ssize_t)offsetof(struct sentence, order)) {
		/* The end: of the new master its pidfd tells more. */
		ev_io_stop(loop, watcher);
		if (upgrade->is_heir) {
			log_error("the former master gave the upgrade up; leaving");
			master_stop(master, 1);
		}
	} else if (upgrade->is_heir && sentence.word == WORD_GO) {
		take_over(master, &sentence);
	} else if (!upgrade->is_heir && sentence.word == WORD_RISEN && !upgrade->is_offered &&
		   master->phase == MASTER_SERVING) {
		offer(master);
	} else if (!upgrade->is_heir && sentence.word == WORD_TOOK && upgrade->is_offered) {
		hand_over(master);
	}
}

static void
watch(struct master *master)
{
	struct upgrade *upgrade = &master->upgrade;
	int64_t limit = master->options.hang_timeout;

	ev_io_init(&upgrade->talk, on_talk, upgrade->channel, EV_READ);
	ev_timer_init(&upgrade->deadline, on_deadline,
		limit > 0 ? (double)limit / (double)CLOCK_SECOND : TIME_DEFAULT, 0.);
	upgrade->talk.data = upgrade->exit.data = upgrade->deadline.data = master;
	ev_io_start(master->loop, &upgrade->talk);
	ev_now_update(master->loop);
	ev_timer_start(master->loop, &upgrade->deadline);
}

int
upgrade_start(struct master *master, const char **why)
{
	struct upgrade *upgrade = &master->upgrade;
	sigset_t all, before;
	int pair[2], handover;

	*why = "this is process 1, whose end would end its container: start a new container "
	       "instead";
	if (getpid() == 1)
		return -1;
	if (!program_is_there(why))
		return -1;
	*why = "a worker is not ready; try again when all are";
	if (!fleet_is_steady(&master->fleet))
		return -1;
	*why = "no memory, or no more files";
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	handover = write_document(master, pair[1]);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	upgrade->pid = handover != -1 ? fork() : -1;
	if (upgrade->pid == 0)
		become_heir(master, handover, pair[1]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (handover != -1)
		close(handover);
	close(pair[1]);
	upgrade->channel = pair[0];
	upgrade->pidfd = upgrade->pid > 0 ? pidfd_open(upgrade->pid, 0) : -1;
	if (upgrade->pidfd == -1) {
		if (upgrade->pid > 0) {
			kill(upgrade->pid, SIGKILL);
			waitpid(upgrade->pid, NULL, 0);
		}
		close(upgrade->channel);
		upgrade->channel = -1;
		upgrade->pid = 0;
		return -1;
	}
	ev_io_init(&upgrade->exit, on_exit_of_heir, upgrade->pidfd, EV_READ);
	watch(master);
	ev_io_start(master->loop, &upgrade->exit);
	return 0;
}

/* ---- inheriting ---- */

bool
upgrade_is_heir(void)
{
	return getenv(VARIABLE) != NULL;
}

static int
integer(const json_t *object, const char *key)
{
	return (int)json_integer_value(json_object_get(object, key));
}

/* From now on a child that is executed does not get it. */
static int
descriptor(int fd)
{
	if (fd != -1)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static bool
is_address(const struct address *address, const char *hex)
{
	const unsigned char *bytes = (const unsigned char *)&address->socket;

	if (hex == NULL || strlen(hex) != 2 * address->length)
		return false;
	for (socklen_t i = 0; i < address->length; i++) {
		unsigned byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1 || byte != bytes[i])
			return false;
	}
	return true;
}

/* The addresses must be the same, in the same order; port 0 stands for what it became. */
static int
inherit_addresses(struct sockets *sockets, const json_t *addresses)
{
	if (json_array_size(addresses) != sockets->address_count)
		return -1;
	for (unsigned i = 0; i < sockets->address_count; i++) {
		const json_t *entry = json_array_get(addresses, i);
		struct address *own = &sockets->addresses[i];

		sockets->locks[i] = descriptor(integer(entry, "lock"));
		sockets->shared[i] = descriptor(integer(entry, "shared"));
		/* Of the first seat, or the shared one: it is closed with that. */
		sockets->passed[i] = integer(entry, "passed");
		if (integer(entry, "kind") != (int)own->kind ||
			(!address_is_open(own) &&
				!is_address(
					own, json_string_value(json_object_get(entry, "socket")))))
			return -1;
	}
	return 0;
}

static int
inherit_seats(struct sockets *sockets, const json_t *seats)
{
	size_t count = json_array_size(seats);

	if (count == 0 || count > SOCKETS_SEATS_MAX)
		return -1;
	sockets->seats = calloc(count, sizeof *sockets->seats);
	sockets->order = calloc(count, sizeof *sockets->order);
	if (sockets->seats == NULL || sockets->order == NULL)
		return -1;
	for (size_t seat = 0; seat < count; seat++) {
		const json_t *fds = json_array_get(seats, seat);
		int *own = calloc(sockets->address_count, sizeof *own);

		if (own == NULL)
			return -1;
		sockets->seats[sockets->seat_count++].fds = own;
		for (unsigned i = 0; i < sockets->address_count; i++)
			own[i] = descriptor((int)json_integer_value(json_array_get(fds, i)));
	}
	for (unsigned i = 0; i < sockets->address_count; i++) {
		struct address *address = &sockets->addresses[i];

		address->length = sizeof address->socket;
		if (getsockname(sockets->seats[0].fds[i], (struct sockaddr *)&address->socket,
			    &address->length) != 0)
			return -1;
	}
	return 0;
}

/* Whether this program was given the same as the one that runs. */
static bool
is_fixed_same(const struct options *options, const json_t *former)
{
	json_t *own = fixed_json(options);
	const char *name;
	json_t *value;
	bool is_same = own != NULL;

	json_object_foreach(own, name, value)
	{
		if (json_equal(value, json_object_get(former, name)))
			continue;
		log_error("--%s cannot change by an upgrade; restart the server for that", name);
		is_same = false;
	}
	json_decref(own);
	return is_same;
}

static int
inherit_from(struct master *master, const json_t *object)
{
	struct upgrade *upgrade = &master->upgrade;

	if (integer(object, "version") != VERSION) {
		log_error("the former master speaks version %d of the handover, this program %d; "
			  "restart instead",
			integer(object, "version"), VERSION);
		return -1;
	}
	if (!is_fixed_same(&master->options, json_object_get(object, "fixed")))
		return -1;
	upgrade->pid = integer(object, "master");
	upgrade->channel = descriptor(integer(object, "channel"));
	upgrade->control = descriptor(integer(object, "control"));
	upgrade->admin = descriptor(integer(object, "admin"));
	upgrade->agent = descriptor(integer(object, "agent"));
	upgrade->processes = (unsigned)integer(object, "processes");
	upgrade->threads = (unsigned)integer(object, "threads");
	upgrade->asked_processes = (unsigned)integer(object, "asked_processes");
	upgrade->asked_threads = (unsigned)integer(object, "asked_threads");
	upgrade->generations = (unsigned)integer(object, "generations");
	upgrade->control_path = strdup(json_string_value(json_object_get(object, "control_path")));
	master->pidfile = descriptor(integer(object, "pidfile"));
	master->counters_file = descriptor(integer(object, "counters"));
	master->counters = counters_map(master->counters_file);
	if (master->counters == NULL) {
		log_error("the former master's counters are of another version; restart instead");
		return -1;
	}
	if (inherit_addresses(&master->sockets, json_object_get(object, "addresses")) != 0) {
		log_error("the --listen addresses differ from those of the running server; restart "
			  "to change them");
		return -1;
	}
	if (inherit_seats(&master->sockets, json_object_get(object, "seats")) != 0) {
		log_error("the former master's sockets cannot be taken over");
		return -1;
	}
	master->sockets.can_bind = json_is_true(json_object_get(object, "can_bind"));
	watch(master);
	return 0;
}

int
upgrade_inherit(struct master *master)
{
	int fd = atoi(getenv(VARIABLE)), result = -1;
	json_error_t error;
	json_t *object;

	lseek(fd, 0, SEEK_SET);
	object = json_loadfd(fd, 0, &error);
	close(fd);
	unsetenv(VARIABLE);
	master->upgrade.is_heir = true;
	if (object == NULL)
		log_error("the former master's handover cannot be read: %s", error.text);
	else
		result = inherit_from(master, object);
	json_decref(object);
	return result;
}

void
upgrade_fini(struct master *master)
{
	forget(master);
	free(master->upgrade.control_path);
	master->upgrade.control_path = NULL;
}
