#include "master/handover.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/log.h"
#include "master/commit.h"
#include "master/master.h"
#include "master/roll.h"

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
	return json_pack("{s:i, s:s, s:i, s:i, s:i}", "kind", (int)address->kind, "socket", hex,
		"lock", sockets->locks[index], "shared", sockets->shared[index], "passed",
		sockets->passed[index]);
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

/* Options that make descriptors which are handed over. */
static json_t *
fixed_json(const struct options *options)
{
	return json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?}", "admin", options->admin, "agent",
		options->agent, "control", options->control, "pidfile", options->pidfile, "user",
		options->user);
}

static json_t *
document(const struct master *master, int channel, int commit)
{
	const struct fleet_config *config = &master->fleet.serving->config;

	return json_pack(
		"{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s, s:i, s:i, s:i, s:b, s:i, s:i, s:i, "
		"s:i, s:i, s:o, s:o, s:o}",
		"version", VERSION, "master", (int)getpid(), "channel", channel, "commit", commit,
		"elder", master->former.commit_file, "counters", master->counters_file, "roll",
		master->sockets.roll_file, "control", control_fd(master->control), "control_path",
		control_path(master->control), "admin", admin_fd(master->admin), "agent",
		agent_fd(master->agent), "pidfile", master->pidfile, "can_bind",
		master->sockets.can_bind, "generations", (int)master->fleet.generations,
		"processes", (int)config->processes, "threads", (int)config->threads,
		"asked_processes", (int)master->options.asked_processes, "asked_threads",
		(int)master->options.asked_threads, "addresses", addresses_json(&master->sockets),
		"seats", seats_json(&master->sockets), "fixed", fixed_json(&master->options));
}

int
handover_write(const struct master *master, int channel, int commit)
{
	json_t *object = document(master, channel, commit);
	int fd = memfd_create("hubbub-handover", MFD_CLOEXEC);

	if (object == NULL || fd == -1 || json_dumpfd(object, fd, JSON_COMPACT) != 0) {
		if (fd != -1)
			close(fd);
		fd = -1;
	}
	json_decref(object);
	return fd;
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
	char number[16];

	keep(document);
	keep(channel);
	keep(commit);
	keep(master->former.commit_file);
	keep(master->counters_file);
	keep(sockets->roll_file);
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
inherit_sockets(struct sockets *sockets, const json_t *object)
{
	if (inherit_addresses(sockets, json_object_get(object, "addresses")) != 0) {
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

static int
inherit_from(struct master *master, const json_t *object)
{
	int control = -1;

	if (integer(object, "version") != VERSION) {
		log_error("the former master speaks version %d of the handover, this program %d; "
			  "restart instead",
			integer(object, "version"), VERSION);
		return -1;
	}
	if (!is_fixed_same(&master->options, json_object_get(object, "fixed")) ||
		inherit_former(&master->former, object) != 0)
		return -1;
	master->admin_socket = descriptor(integer(object, "admin"));
	master->agent_socket = descriptor(integer(object, "agent"));
	master->pidfile = descriptor(integer(object, "pidfile"));
	control = descriptor(integer(object, "control"));
	if (control != -1)
		master->control = control_inherit(master, control,
			json_string_value(json_object_get(object, "control_path")));
	master->counters_file = descriptor(integer(object, "counters"));
	master->counters = counters_map(master->counters_file);
	if (master->counters == NULL) {
		log_error("the former master's counters are of another version; restart instead");
		return -1;
	}
	return inherit_sockets(&master->sockets, object);
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
	master->is_heir = true;
	if (object == NULL)
		log_error("the former master's handover cannot be read: %s", error.text);
	else
		result = inherit_from(master, object);
	json_decref(object);
	return result;
}
