#include "master/change/handover.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/change/commit.h"
#include "tests/unit/master/quiet.h"
#include "tests/unit/master/seats.h"
#include "worker/tally.h"

/* Both masters are in this process: what is handed over keeps its numbers, and both have it. */
struct scene {
	struct quiet old;
	struct quiet new;
	int channel[2];
	int commit;
	struct commit *word;
};

static bool
survives_exec(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
}

static void
scene_set(struct scene *scene)
{
	struct handed_on *on = &scene->old.master.handed_on;

	quiet_set(&scene->old);
	quiet_set_new(&scene->new);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, scene->channel), 0);
	scene->word = commit_new(&scene->commit);
	cr_assert_not_null(scene->word);
	on->control = memfd_create("control", MFD_CLOEXEC);
	strcpy(on->control_path, "/run/quiet.sock");
	on->control_file = (struct path_identity){.device = 77, .inode = (ino_t)1 << 40};
	scene->old.master.sockets.paths[0] = (struct path_identity){.device = 78, .inode = 99};
	on->admins[0] = memfd_create("admin", MFD_CLOEXEC);
	on->agents[1] = memfd_create("agent", MFD_CLOEXEC);
	on->pidfile = memfd_create("pidfile", MFD_CLOEXEC);
	scene->old.master.tally = tally_new(&on->tally);
	cr_assert_not_null(scene->old.master.tally);
	scene->old.master.fleet.serving->config.processes = 3;
	scene->old.master.options.asked_threads = 7;
}

/* What both have is not closed twice, but with the process. */
static void
scene_clear(struct scene *scene)
{
	ev_loop_destroy(scene->old.master.loop);
	ev_loop_destroy(scene->new.master.loop);
}

#define SCENE(name) struct scene name __attribute__((cleanup(scene_clear)))

static int
write_document(struct scene *scene)
{
	int fd = handover_write(&scene->old.master, scene->channel[1], scene->commit);

	cr_assert_neq(fd, -1);
	return fd;
}

/* Has the new master read a document, as if it were given that. */
static int
inherit(struct scene *scene, int document)
{
	char number[16];

	snprintf(number, sizeof number, "%d", document);
	setenv("HUBBUB_HANDOVER", number, 1);
	cr_assert(handover_is_there());
	return handover_inherit(&scene->new.master);
}

static int
inherit_text(struct scene *scene, const char *text)
{
	int fd = memfd_create("document", MFD_CLOEXEC);

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return inherit(scene, fd);
}

Test(handover, what_is_written_is_what_is_read)
{
	SCENE(scene);
	const struct handed_on *from = &scene.old.master.handed_on,
			       *to = &scene.new.master.handed_on;
	const struct former *former = &scene.new.former;
	int own_end;

	scene_set(&scene);
	own_end = scene.channel[1];
	cr_assert_eq(inherit(&scene, write_document(&scene)), 0);
	cr_assert(scene.new.master.is_successor);
	cr_assert_not(handover_is_there(), "its own children have none");
	cr_assert_eq(to->control, from->control);
	cr_assert_str_eq(to->control_path, from->control_path);
	cr_assert_eq(to->control_file.device, 77);
	cr_assert_eq(to->control_file.inode, (ino_t)1 << 40);
	cr_assert_eq(scene.new.master.sockets.paths->device, 78);
	cr_assert_eq(scene.new.master.sockets.paths->inode, 99);
	cr_assert_eq(memcmp(to->admins, from->admins, sizeof to->admins), 0);
	cr_assert_eq(memcmp(to->agents, from->agents, sizeof to->agents), 0);
	cr_assert_eq(to->pidfile, from->pidfile);
	cr_assert_eq(to->counters, from->counters);
	cr_assert_not_null(scene.new.master.counters);
	cr_assert_eq(to->tally, from->tally);
	cr_assert_not_null(scene.new.master.tally);
	cr_assert_eq(scene.new.master.tally->secret, scene.old.master.tally->secret);
	cr_assert_eq(former->pid, getpid());
	cr_assert_eq(former->channel, own_end);
	cr_assert_not_null(former->commit);
	cr_assert_null(former->elder);
	cr_assert_eq(former->processes, 3);
	cr_assert_eq(former->threads, 1);
	cr_assert_eq(former->asked_processes, 2);
	cr_assert_eq(former->asked_threads, 7);
	cr_assert_eq(former->generations, scene.old.master.fleet.generations);
}

/* A path is any bytes. */
Test(handover, paths_that_are_no_utf_8_are_handed_on)
{
	SCENE(scene);
	SCENE(other);

	scene_set(&scene);
	strcpy(scene.old.master.handed_on.control_path, "/run/c\xff");
	scene.old.master.options.listen.items[0] = "unix:/run/s\xff";
	scene.new.master.options.listen.items[0] = "unix:/run/s\xff";
	cr_assert_eq(inherit(&scene, write_document(&scene)), 0);
	cr_assert_str_eq(scene.new.master.handed_on.control_path, "/run/c\xff");

	scene_set(&other);
	other.old.master.options.listen.items[0] = "unix:/run/s\xff";
	other.new.master.options.listen.items[0] = "unix:/run/s\xfe";
	other.new.master.options.address_count = 1;
	other.new.master.options.addresses[0] = other.old.master.sockets.addresses[0];
	address_set_port(&other.new.master.options.addresses[0], 1);
	cr_assert_eq(inherit(&other, write_document(&other)), -1);
}

Test(handover, the_sockets_are_the_same)
{
	SCENE(scene);
	const struct sockets *from = &scene.old.master.sockets, *to = &scene.new.master.sockets;

	scene_set(&scene);
	cr_assert_eq(inherit(&scene, write_document(&scene)), 0);
	cr_assert(address_is_same(seats_own_address(to), seats_own_address(from)));
	cr_assert_neq(address_port(seats_own_address(to)), 0);
	cr_assert_eq(to->seat_count, from->seat_count);
	for (unsigned seat = 0; seat < to->seat_count; seat++)
		cr_assert_eq(seats_socket(to, seat), seats_socket(from, seat));
	cr_assert_eq(*to->locks, *from->locks);
	cr_assert(to->can_bind);
	cr_assert_not_null(to->roll);
}

/* What the document names goes through the exec, and not through the next one. */
Test(handover, what_is_named_is_kept_open)
{
	SCENE(scene);
	int document, stranger = memfd_create("stranger", MFD_CLOEXEC), former_end;

	scene_set(&scene);
	former_end = scene.channel[0];

	const struct handed_on *on = &scene.old.master.handed_on;
	const struct sockets *sockets = &scene.old.master.sockets;
	const struct {
		const char *name;
		int fd;
	} named[] = {
		{"the channel", scene.channel[1]},
		{"the commit", scene.commit},
		{"the control socket", on->control},
		{"--admin", on->admins[0]},
		{"--agent", on->agents[1]},
		{"the PID file", on->pidfile},
		{"the counters", on->counters},
		{"the tally", on->tally},
		{"the roll", sockets->roll_file},
		{"a seat", seats_socket(sockets, 1)},
	};

	document = write_document(&scene);
	cr_assert_not(survives_exec(document));
	handover_keep(&scene.old.master, document, scene.channel[1], scene.commit);
	cr_assert(survives_exec(document));
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		cr_assert(survives_exec(named[i].fd), "%s", named[i].name);
	cr_assert_not(survives_exec(former_end));
	cr_assert_not(survives_exec(stranger));
	cr_assert_eq(atoi(getenv("HUBBUB_HANDOVER")), document);
	cr_assert_eq(handover_inherit(&scene.new.master), 0);
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		cr_assert_not(survives_exec(named[i].fd), "%s", named[i].name);
}

/* Writes the document anew with another value for a key; NULL takes the key out. */
static int
inherit_changed(struct scene *scene, const char *key, json_t *value)
{
	int fd = write_document(scene), result;
	json_t *object;
	char *text;

	lseek(fd, 0, SEEK_SET);
	object = json_loadfd(fd, 0, NULL);
	cr_assert(json_object_get(object, key), "%s", key);
	if (value != NULL)
		json_object_set_new(object, key, value);
	else
		json_object_del(object, key);
	text = json_dumps(object, 0);
	result = inherit_text(scene, text);
	free(text);
	json_decref(object);
	close(fd);
	return result;
}

/* An older release has none, another release may have another: this master goes on without. */
Test(handover, without_a_tally_that_it_knows_a_master_has_none)
{
	for (int i = 0; i < 2; i++) {
		SCENE(scene);

		scene_set(&scene);
		if (i == 0)
			scene.old.master.tally->version++;
		cr_assert_eq(
			inherit_changed(&scene, "tally",
				i == 0 ? json_integer(scene.old.master.handed_on.tally) : NULL),
			0);
		cr_assert_null(scene.new.master.tally);
		cr_assert_eq(scene.new.master.handed_on.tally, -1);
	}
}

Test(handover, another_version_is_refused)
{
	static const int versions[] = {0, 3, 5, 1000};

	for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
		SCENE(scene);

		scene_set(&scene);
		cr_assert_eq(inherit_changed(&scene, "version", json_integer(versions[i])), -1,
			"version %d", versions[i]);
		cr_assert_null(scene.new.master.counters, "nothing was taken");
	}
}

Test(handover, what_is_no_document_is_refused)
{
	static const char *const texts[] = {"", "{", "[]", "4", "null", "{}",
		"{\"version\": \"4\"}", "{\"version\": 4}",
		"{\"version\": 4, \"fixed\": [], \"seats\": 7}"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		SCENE(scene);

		scene_set(&scene);
		cr_assert_eq(inherit_text(&scene, texts[i]), -1, "%s", texts[i]);
	}
}

Test(handover, what_lacks_a_part_is_refused)
{
	static const char *const keys[] = {
		"version", "commit", "counters", "roll", "addresses", "seats"};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		SCENE(scene);

		scene_set(&scene);
		cr_assert_eq(inherit_changed(&scene, keys[i], NULL), -1, "without %s", keys[i]);
	}
}

/* A former master may be of a time before it. */
Test(handover, the_keys_of_tickets_may_be_missing)
{
	SCENE(scene);

	scene_set(&scene);
	cr_assert_eq(inherit_changed(&scene, "tickets", NULL), 0);
}

Test(handover, addresses_that_cannot_be_are_refused)
{
	static const char *const texts[] = {
		"[]", "[{}]", "[{\"socket\": \"\"}]", "[{\"socket\": \"zz\"}]", "7"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		SCENE(scene);

		scene_set(&scene);
		cr_assert_eq(inherit_changed(&scene, "addresses",
				     json_loads(texts[i], JSON_DECODE_ANY, NULL)),
			-1, "%s", texts[i]);
	}
}

Test(handover, other_options_than_those_of_the_running_server_are_refused)
{
	SCENE(scene);
	SCENE(other);

	scene_set(&scene);
	scene.new.master.options.pidfile = "/run/other.pid";
	cr_assert_eq(inherit(&scene, write_document(&scene)), -1);

	scene_set(&other);
	other.new.master.options.listen.items[0] = "127.0.0.1:1";
	other.new.master.options.address_count = 1;
	other.new.master.options.addresses[0] = other.old.master.sockets.addresses[0];
	address_set_port(&other.new.master.options.addresses[0], 1);
	cr_assert_eq(inherit(&other, write_document(&other)), -1);
}

/* Of three masters the last one has the word of the first two, too, until it has taken over. */
Test(handover, the_word_of_the_one_before_is_handed_on)
{
	SCENE(scene);
	struct commit *elder;

	scene_set(&scene);
	elder = commit_new(&scene.old.former.commit_file);
	cr_assert_not_null(elder);
	cr_assert_eq(inherit(&scene, write_document(&scene)), 0);
	cr_assert_not_null(scene.new.former.elder);
	commit_offer(elder);
	cr_assert_eq(commit_state(scene.new.former.elder), COMMIT_OFFERED);
	cr_assert_eq(commit_state(scene.new.former.commit), COMMIT_PREPARING);
}
