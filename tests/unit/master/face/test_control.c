#include "master/face/control.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/complaint.h"
#include "tests/support/folder.h"
#include "tests/support/in_hub.h"
#include "tests/unit/master/quiet.h"

/* A master that can be asked at a socket in a folder of its own. */
struct scene {
	struct quiet quiet;
	char folder[FOLDER_SIZE];
	char path[FOLDER_SIZE + 16];
	struct control *control;
};

static void
scene_set(struct scene *scene)
{
	struct handed_on *on = &scene->quiet.master.handed_on;
	bool is_fatal;

	cr_assert(folder_make(scene->folder));
	snprintf(scene->path, sizeof scene->path, "%s/control", scene->folder);
	quiet_set(&scene->quiet);
	cr_assert_neq(control_listen(&scene->quiet.master, scene->path, on, &is_fatal), -1);
	cr_assert(is_fatal);
	scene->control = control_new(&scene->quiet.master);
	cr_assert_not_null(scene->control);
	control_start(scene->control);
}

static void
scene_clear(struct scene *scene)
{
	folder_remove(scene->folder);
	quiet_clear(&scene->quiet);
}

/* A socket that listens at the scene's path, of somebody else. */
static int
put_another(const struct scene *scene)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(scene->path);
	snprintf(name.sun_path, sizeof name.sun_path, "%s", scene->path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	cr_assert_eq(listen(fd, 1), 0);
	return fd;
}

/* Whether somebody answers there. */
static bool
is_answered(struct scene *scene)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte = 0;

	snprintf(name.sun_path, sizeof name.sun_path, "%s", scene->path);
	if (connect(fd, (struct sockaddr *)&name, sizeof name) != 0) {
		close(fd);
		return false;
	}
	cr_assert_eq(send(fd, "what\n", 5, MSG_NOSIGNAL), 5);
	for (int turn = 0; turn < 4; turn++)
		ev_run(scene->quiet.master.loop, EVRUN_NOWAIT);
	cr_assert_eq(recv(fd, &byte, 1, MSG_DONTWAIT), 1);
	close(fd);
	return byte == '?';
}

static bool
is_there(const struct scene *scene)
{
	return access(scene->path, F_OK) == 0;
}

Test(control, answers_and_goes_with_its_file)
{
	struct scene scene;

	scene_set(&scene);
	cr_assert(is_answered(&scene));
	control_look(scene.control);
	cr_assert(is_answered(&scene));
	control_close(scene.control, true);
	cr_assert_not(is_there(&scene));
	scene_clear(&scene);
}

Test(control, of_another_masters_the_file_stays)
{
	struct scene scene;

	scene_set(&scene);
	control_close(scene.control, false);
	cr_assert(is_there(&scene));
	scene_clear(&scene);
}

Test(control, a_file_that_is_removed_is_made_again)
{
	struct scene scene;
	const char *heard;
	int before;

	scene_set(&scene);
	before = open_descriptors();
	cr_assert_eq(unlink(scene.path), 0);
	complaint_listen();
	control_look(scene.control);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "had been removed, and was made again"), "%s", heard);
	cr_assert(is_answered(&scene));
	cr_assert_eq(open_descriptors(), before);
	control_close(scene.control, true);
	cr_assert_not(is_there(&scene));
	scene_clear(&scene);
}

/* Nor is it told of each second. */
Test(control, of_somebody_else_it_is_neither_taken_nor_removed)
{
	struct scene scene;
	const char *heard;
	int other;

	scene_set(&scene);
	other = put_another(&scene);
	complaint_listen();
	control_look(scene.control);
	heard = complaint_heard();
	cr_assert_not_null(
		strstr(heard, "cannot be made again: Address already in use"), "%s", heard);
	complaint_listen();
	control_look(scene.control);
	cr_assert_str_eq(complaint_heard(), "");
	/* Once nobody listens on that one any more, it is made again. */
	close(other);
	complaint_listen();
	control_look(scene.control);
	complaint_heard();
	cr_assert(is_answered(&scene));
	other = put_another(&scene);
	control_close(scene.control, true);
	cr_assert(is_there(&scene));
	close(other);
	scene_clear(&scene);
}

/* A successor knows which file is its former master's, though another's is there by now. */
Test(control, an_heir_does_not_take_anothers_file_for_its_own)
{
	struct scene scene;
	int other;

	scene_set(&scene);
	control_pause(scene.control);
	other = put_another(&scene);
	control_start(scene.control);
	control_close(scene.control, true);
	cr_assert(is_there(&scene));
	close(other);
	scene_clear(&scene);
}

/* ---- when accepting fails ---- */

static int
come(const struct scene *scene)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(name.sun_path, sizeof name.sun_path, "%s", scene->path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
	return fd;
}

static void
limit_files(rlim_t most)
{
	struct rlimit limit = {most, 4096};

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void
on_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer, (void)events;
	ev_break(loop, EVBREAK_ALL);
}

/* How often the loop turns in half a second: some ten times, if it tries each tenth. */
static unsigned
turns(const struct scene *scene)
{
	struct ev_loop *loop = scene->quiet.master.loop;
	unsigned before = ev_iteration(loop);
	ev_timer over;

	ev_now_update(loop);
	ev_timer_init(&over, on_over, 0.5, 0.);
	ev_timer_start(loop, &over);
	ev_run(loop, 0);
	return ev_iteration(loop) - before;
}

Test(control, without_files_it_does_not_spin_and_answers_later)
{
	struct scene scene;
	int fd;

	scene_set(&scene);
	fd = come(&scene);
	limit_files((rlim_t)fd + 1);
	cr_assert_lt(turns(&scene), 100);
	limit_files(1024);
	turns(&scene);
	cr_assert(is_answered(&scene));
	close(fd);
	control_close(scene.control, true);
	scene_clear(&scene);
}

/* What is no socket at all stands for a call that is always refused: ENOTSOCK, with a byte that
 * waits. */
Test(control, an_error_that_stays_does_not_make_it_spin)
{
	struct scene scene;
	int ends[2];

	scene_set(&scene);
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], "", 1), 1);
	cr_assert_neq(dup2(ends[0], scene.quiet.master.handed_on.control), -1);
	cr_assert_lt(turns(&scene), 100);
	close(ends[0]);
	close(ends[1]);
	control_close(scene.control, true);
	scene_clear(&scene);
}
