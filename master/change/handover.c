/* File descriptors keep their numbers through the exec, so the document lists numbers. The new
 * master checks the version and the fixed options before it takes anything; whenever it refuses, it
 * ends, and the old master serves on. */
#include "master/change/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "hub/io/resumption.h"
#include "master/base/bytes.h"
#include "master/change/commit.h"
#include "master/change/takeover.h"
#include "master/master.h"
#include "master/say/logfile.h"
#include "master/sockets/roll.h"
#include "master/start/options_compare.h"

/* The version of the handover: of the document, and of all that two masters share and send in an
 * upgrade (commit.h, roll.h, word.h). A new master that reads another version logs that and ends,
 * and the old master serves on.
 *
 *	1	sockets and counters; RISEN and GO
 *	2	TOOK; which sockets were passed; options that must be the same
 *	3	kinds of addresses: Unix sockets, datagrams
 *	4	the commit word, the roll, and the elder's commit word
 *
 * A new key needs no new version where its absence has a meaning: older programs neither write nor
 * read the key. The version is raised, at most once between two releases, when a new master cannot
 * do without a key, or when a key, a word or shared memory changes. */
#define VERSION 4
#define VARIABLE "HUBBUB_HANDOVER"

/* ---- writing ---- */

static json_t *
address_json(const struct sockets *sockets, unsigned index)
{
	const struct address *address = &sockets->addresses[index];
	char hex[2 * sizeof address->socket + 1];
	const unsigned char *bytes = (const unsigned char *)&address->socket;

	for (socklen_t i = 0; i < address->length; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return json_pack("{s:i, s:s, s:i, s:i, s:i, s:I, s:I}", "kind", (int)address->kind,
		"socket", hex, "lock", sockets->locks[index], "shared", sockets->shared[index],
		"passed", sockets->passed[index], "device",
		(json_int_t)sockets->paths[index].device, "inode",
		(json_int_t)sockets->paths[index].inode);
}

static json_t *
addresses_json(const struct sockets *sockets)
{
	json_t *addresses = json_array();

	for (unsigned i = 0; i < sockets->address_count; i++)
		json_array_append_new(addresses, address_json(sockets, i));
	return addresses;
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

static json_t *
numbers_json(const int numbers[static ADDRESSES_MAX])
{
	json_t *array = json_array();

	for (int i = 0; i < ADDRESSES_MAX; i++)
		json_array_append_new(array, json_integer(numbers[i]));
	return array;
}

/* The texts of --listen, as given. */
static json_t *
listen_json(const struct options *options)
{
	json_t *texts = json_array();

	for (size_t i = 0; i < options->listen.count; i++)
		json_array_append_new(texts, bytes_json(options->listen.items[i]));
	return texts;
}

static json_t *
document(const struct master *master, int channel, int commit)
{
	const struct fleet_config *config = &master->fleet.serving->config;
	const struct handed_on *on = &master->handed_on;

	return json_pack(
		"{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:I, s:I, s:o, s:o, s:i, s:b, s:i, "
		"s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:i}",
		"version", VERSION, "master", (int)getpid(), "channel", channel, "commit", commit,
		"elder", master->former->commit_file, "counters", on->counters, "roll",
		master->sockets.roll_file, "control", on->control, "control_path",
		bytes_json(on->control_path), "control_device", (json_int_t)on->control_file.device,
		"control_inode", (json_int_t)on->control_file.inode, "admin",
		numbers_json(on->admins), "agent", numbers_json(on->agents), "pidfile", on->pidfile,
		"can_bind", master->sockets.can_bind, "generations", (int)master->fleet.generations,
		"processes", (int)config->processes, "threads", (int)config->threads,
		"asked_processes", (int)master->options.asked_processes, "asked_threads",
		(int)master->options.asked_threads, "listen", listen_json(&master->options),
		"addresses", addresses_json(&master->sockets), "seats",
		seats_json(&master->sockets), "fixed",
		options_fixed_json(&master->options, master->service), "log",
		bytes_json(logfile_name()), "tickets", resumption_file(master->options.worker.tls));
}

int
handover_write(const struct master *master, int channel, int commit)
{
	json_t *object = document(master, channel, commit);
	int fd = memfd_create("hubbub-handover", MFD_CLOEXEC);

	int error = object == NULL ? ENOMEM : fd == -1 ? errno : 0;

	if (error == 0 && json_dumpfd(object, fd, JSON_COMPACT) != 0)
		error = ENOMEM;
	if (error != 0 && fd != -1)
		close(fd);
	json_decref(object);
	if (error == 0)
		return fd;
	errno = error;
	return -1;
}

static void
keep(int fd)
{
	if (fd != -1)
		fcntl(fd, F_SETFD, 0);
}

void
handover_keep(const struct master *master, int document, int channel, int commit)
{
	const struct sockets *sockets = &master->sockets;
	const struct handed_on *on = &master->handed_on;
	char number[16];

	keep(document);
	keep(channel);
	keep(commit);
	keep(master->former->commit_file);
	keep(on->counters);
	keep(sockets->roll_file);
	keep(on->control);
	for (int i = 0; i < ADDRESSES_MAX; i++) {
		keep(on->admins[i]);
		keep(on->agents[i]);
	}
	keep(on->pidfile);
	keep(resumption_file(master->options.worker.tls));
	for (unsigned i = 0; i < sockets->address_count; i++) {
		keep(sockets->locks[i]);
		keep(sockets->shared[i]);
	}
	for (unsigned seat = 0; seat < sockets->seat_count; seat++)
		for (unsigned i = 0; i < sockets->address_count; i++)
			keep(sockets->seats[seat].fds[i]);
	snprintf(number, sizeof number, "%d", document);
	setenv(VARIABLE, number, 1);
}

/* ---- inheriting ---- */

bool
handover_is_there(void)
{
	return getenv(VARIABLE) != NULL;
}

static int
integer(const json_t *object, const char *key)
{
	return (int)json_integer_value(json_object_get(object, key));
}

/* An older release writes no such keys: then the identity is that of no file. */
static struct path_identity
read_identity(const json_t *object, const char *device, const char *inode)
{
	return (struct path_identity){(dev_t)json_integer_value(json_object_get(object, device)),
		(ino_t)json_integer_value(json_object_get(object, inode))};
}

/* Closes fd on the next exec again. Returns fd. */
static int
descriptor(int fd)
{
	if (fd != -1)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static void
inherit_fds(int fds[static ADDRESSES_MAX], const json_t *former)
{
	for (size_t i = 0; i < ADDRESSES_MAX && i < json_array_size(former); i++)
		fds[i] = descriptor((int)json_integer_value(json_array_get(former, i)));
}

static bool
read_address(const json_t *entry, struct address *address)
{
	const char *hex = json_string_value(json_object_get(entry, "socket"));
	unsigned char *bytes = (unsigned char *)&address->socket;
	size_t length = hex != NULL ? strlen(hex) / 2 : 0;

	memset(address, 0, sizeof *address);
	if (length == 0 || length > sizeof address->socket)
		return false;
	for (size_t i = 0; i < length; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &bytes[i]) != 1)
			return false;
	address->kind = (enum address_kind)integer(entry, "kind");
	address->length = (socklen_t)length;
	return true;
}

/* The sockets keep their addresses, whatever the names in --listen resolve to by now. If the texts
 * of --listen differ, they must resolve to the same addresses. */
static int
inherit_addresses(struct master *master, const json_t *object)
{
	struct sockets *sockets = &master->sockets;
	const json_t *former = json_object_get(object, "addresses");
	struct address addresses[ADDRESSES_MAX];
	size_t count = json_array_size(former);
	json_t *listen = listen_json(&master->options);
	bool is_same = json_equal(listen, json_object_get(object, "listen")) != 0;

	json_decref(listen);
	if (count == 0 || count > ADDRESSES_MAX)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (!read_address(json_array_get(former, i), &addresses[i]))
			return -1;
	if (!is_same && !addresses_are_meant(master->options.addresses,
				master->options.address_count, addresses, count))
		return -1;
	sockets_close(sockets);
	if (sockets_init(sockets, addresses, (unsigned)count, (int)master->options.backlog) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const json_t *entry = json_array_get(former, i);

		sockets->locks[i] = descriptor(integer(entry, "lock"));
		sockets->shared[i] = descriptor(integer(entry, "shared"));
		sockets->paths[i] = read_identity(entry, "device", "inode");
		/* The same fd as the first seat's or the shared one, and closed with that. */
		sockets->passed[i] = integer(entry, "passed");
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
	if (sockets->seats == NULL)
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

static int
inherit_sockets(struct master *master, const json_t *object)
{
	struct sockets *sockets = &master->sockets;

	if (inherit_addresses(master, object) != 0) {
		log_error("the --listen addresses differ from those of the running server; restart "
			  "to change them");
		return -1;
	}
	sockets->roll_file = descriptor(integer(object, "roll"));
	sockets->roll = roll_map(sockets->roll_file);
	if (sockets->roll == NULL ||
		inherit_seats(sockets, json_object_get(object, "seats")) != 0) {
		log_error("the former master's sockets cannot be taken over");
		return -1;
	}
	sockets->can_bind = json_is_true(json_object_get(object, "can_bind"));
	return 0;
}

/* Whether the options that an upgrade cannot change are the former master's. */
static bool
is_fixed_same(const struct master *master, const json_t *former)
{
	struct options_difference difference =
		options_compare_former(&master->options, master->service, former);

	if (difference.names[0] == '\0')
		return true;
	log_error("%s cannot change by an upgrade; restart the server for that", difference.names);
	return false;
}

static int
inherit_former(struct former *former, const json_t *object)
{
	int elder = descriptor(integer(object, "elder"));

	former->pid = integer(object, "master");
	former->channel = descriptor(integer(object, "channel"));
	former->processes = (unsigned)integer(object, "processes");
	former->threads = (unsigned)integer(object, "threads");
	former->asked_processes = (unsigned)integer(object, "asked_processes");
	former->asked_threads = (unsigned)integer(object, "asked_threads");
	former->generations = (unsigned)integer(object, "generations");
	former->commit_file = descriptor(integer(object, "commit"));
	former->commit = commit_map(former->commit_file);
	former->elder = elder != -1 ? commit_map(elder) : NULL;
	if (former->commit != NULL && (elder == -1) == (former->elder == NULL)) {
		if (elder != -1)
			close(elder);
		return 0;
	}
	log_error("the former master's commit word cannot be read");
	return -1;
}

static void
inherit_handed_on(struct handed_on *on, const json_t *object)
{
	on->control = descriptor(integer(object, "control"));
	bytes_read(
		json_object_get(object, "control_path"), on->control_path, sizeof on->control_path);
	on->control_file = read_identity(object, "control_device", "control_inode");
	inherit_fds(on->admins, json_object_get(object, "admin"));
	inherit_fds(on->agents, json_object_get(object, "agent"));
	on->pidfile = descriptor(integer(object, "pidfile"));
	on->counters = descriptor(integer(object, "counters"));
}

/* An older release writes no such key. */
static void
inherit_log(const json_t *object)
{
	char name[PATH_MAX] = "";

	bytes_read(json_object_get(object, "log"), name, sizeof name);
	logfile_inherit(name);
}

/* An older release has no keys of session tickets. */
static void
inherit_tickets(struct options *options, const json_t *object)
{
	const json_t *tickets = json_object_get(object, "tickets");
	int fd = tickets != NULL ? (int)json_integer_value(tickets) : -1;

	if (fd != -1)
		resumption_inherit(options->worker.tls, descriptor(fd));
}

static int
inherit_from(struct master *master, const json_t *object)
{
	if (integer(object, "version") != VERSION) {
		log_error("the former master speaks version %d of the handover, this program %d; "
			  "restart instead",
			integer(object, "version"), VERSION);
		return -1;
	}
	if (!is_fixed_same(master, json_object_get(object, "fixed")) ||
		inherit_former(master->former, object) != 0)
		return -1;
	inherit_handed_on(&master->handed_on, object);
	inherit_log(object);
	inherit_tickets(&master->options, object);
	master->counters = counters_map(master->handed_on.counters);
	if (master->counters == NULL) {
		log_error(errno == ENOSPC ? "the former master's counters have no room for those "
					    "of another program; restart instead"
					  : "the former master's counters are of another "
					    "version; restart instead");
		return -1;
	}
	return inherit_sockets(master, object);
}

int
handover_inherit(struct master *master)
{
	int fd = atoi(getenv(VARIABLE)), result = -1;
	json_error_t error;
	json_t *object;

	lseek(fd, 0, SEEK_SET);
	object = json_loadfd(fd, 0, &error);
	close(fd);
	unsetenv(VARIABLE);
	master->is_successor = true;
	if (object == NULL)
		log_error("the former master's handover cannot be read: %s", error.text);
	else
		result = inherit_from(master, object);
	json_decref(object);
	return result;
}
