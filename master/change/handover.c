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
#include "master/change/handover_sockets.h"
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
numbers_json(const int numbers[static ADDRESSES_MAX])
{
	json_t *array = json_array();

	for (int i = 0; i < ADDRESSES_MAX; i++)
		json_array_append_new(array, json_integer(numbers[i]));
	return array;
}

static json_t *
document(const struct master *master, int channel, int commit)
{
	const struct fleet_config *config = &master->fleet.serving->config;
	const struct handed_on *on = &master->handed_on;

	return json_pack(
		"{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:I, s:I, s:o, s:o, s:i, s:b, s:i, "
		"s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:i, s:i}",
		"version", VERSION, "master", (int)getpid(), "channel", channel, "commit", commit,
		"elder", master->former->commit_file, "counters", on->counters, "roll",
		master->sockets.roll_file, "control", on->control, "control_path",
		bytes_json(on->control_path), "control_device", (json_int_t)on->control_file.device,
		"control_inode", (json_int_t)on->control_file.inode, "admin",
		numbers_json(on->admins), "agent", numbers_json(on->agents), "pidfile", on->pidfile,
		"can_bind", master->sockets.can_bind, "generations", (int)master->fleet.generations,
		"processes", (int)config->processes, "threads", (int)config->threads,
		"asked_processes", (int)master->options.asked_processes, "asked_threads",
		(int)master->options.asked_threads, "listen",
		handover_listen_json(&master->options), "addresses",
		handover_addresses_json(&master->sockets), "seats",
		handover_seats_json(&master->sockets), "fixed",
		options_fixed_json(&master->options, master->service), "log",
		bytes_json(logfile_name()), "tickets", resumption_file(master->options.worker.tls),
		"tally", on->tally);
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
	keep(on->tally);
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

static void
inherit_fds(int fds[static ADDRESSES_MAX], const json_t *former)
{
	for (size_t i = 0; i < ADDRESSES_MAX && i < json_array_size(former); i++)
		fds[i] = handover_descriptor((int)json_integer_value(json_array_get(former, i)));
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
	int elder = handover_descriptor(handover_integer(object, "elder"));

	former->pid = handover_integer(object, "master");
	former->channel = handover_descriptor(handover_integer(object, "channel"));
	former->processes = (unsigned)handover_integer(object, "processes");
	former->threads = (unsigned)handover_integer(object, "threads");
	former->asked_processes = (unsigned)handover_integer(object, "asked_processes");
	former->asked_threads = (unsigned)handover_integer(object, "asked_threads");
	former->generations = (unsigned)handover_integer(object, "generations");
	former->commit_file = handover_descriptor(handover_integer(object, "commit"));
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
	on->control = handover_descriptor(handover_integer(object, "control"));
	bytes_read(
		json_object_get(object, "control_path"), on->control_path, sizeof on->control_path);
	on->control_file = handover_identity(object, "control_device", "control_inode");
	inherit_fds(on->admins, json_object_get(object, "admin"));
	inherit_fds(on->agents, json_object_get(object, "agent"));
	on->pidfile = handover_descriptor(handover_integer(object, "pidfile"));
	on->counters = handover_descriptor(handover_integer(object, "counters"));
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
		resumption_inherit(options->worker.tls, handover_descriptor(fd));
}

/* An older release has no tally, and a tally of another version is left to its master: then this
 * master makes one of its own, in which the former workers' connections do not count. */
static void
inherit_tally(struct master *master, const json_t *object)
{
	const json_t *tally = json_object_get(object, "tally");
	int fd = tally != NULL ? handover_descriptor((int)json_integer_value(tally)) : -1;

	if (fd == -1)
		return;
	master->tally = tally_map(fd);
	if (master->tally != NULL)
		master->handed_on.tally = fd;
	else
		close(fd);
}

static int
inherit_from(struct master *master, const json_t *object)
{
	if (handover_integer(object, "version") != VERSION) {
		log_error("the former master speaks version %d of the handover, this program %d; "
			  "restart instead",
			handover_integer(object, "version"), VERSION);
		return -1;
	}
	if (!is_fixed_same(master, json_object_get(object, "fixed")) ||
		inherit_former(master->former, object) != 0)
		return -1;
	inherit_handed_on(&master->handed_on, object);
	inherit_log(object);
	inherit_tickets(&master->options, object);
	inherit_tally(master, object);
	master->counters = counters_map(master->handed_on.counters);
	if (master->counters == NULL) {
		log_error(errno == ENOSPC ? "the former master's counters have no room for those "
					    "of another program; restart instead"
					  : "the former master's counters are of another "
					    "version; restart instead");
		return -1;
	}
	return handover_inherit_sockets(master, object);
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
