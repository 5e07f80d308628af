/* A member is a pair of descriptor and file: a number that another file has by now is not a member,
 * and a file that is open elsewhere stays one after its number is closed. */
#include "sim/kernel/set_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "hub/base/failed.h"

struct set {
	struct file file; /* must be first */
	struct list members;
};

struct member {
	struct file_member of_file;
	struct list of_set;
	struct set *set;
	struct file *file;
	int fd;
	struct epoll_event event;
	bool has_changed; /* since it was taken; what EPOLLET waits for */
};

static struct set *
set_of(struct file *file)
{
	return (struct set *)(void *)file;
}

static bool
is_ready(const struct member *member)
{
	uint32_t wanted = member->event.events | EPOLLERR | EPOLLHUP;

	return ((uint32_t)member->file->kind->ready(member->file) & wanted) != 0 &&
	       (member->has_changed || !(member->event.events & EPOLLET));
}

static void
leave(struct member *member)
{
	list_remove(&member->of_set);
	list_remove(&member->of_file.link);
	free(member);
}

static void
member_changed(struct file_member *of_file)
{
	struct member *member = CONTAINER_OF(of_file, struct member, of_file);

	member->has_changed = true;
	file_changed(&member->set->file);
}

static void
member_closed(struct file_member *of_file)
{
	leave(CONTAINER_OF(of_file, struct member, of_file));
}

static short
ready(const struct file *file)
{
	const struct set *set = (const struct set *)(const void *)file;

	LIST_EACH (link, &set->members)
		if (is_ready(CONTAINER_OF(link, struct member, of_set)))
			return POLLIN;
	return 0;
}

static void
close_set(struct file *file)
{
	struct set *set = set_of(file);

	while (!list_is_empty(&set->members))
		leave(CONTAINER_OF(set->members.next, struct member, of_set));
}

static const struct file_kind set_kind = {.what = "epoll set", .ready = ready, .free = close_set};

struct file *
set_new(void)
{
	struct set *set = malloc(sizeof *set);

	if (set == NULL)
		return NULL;
	file_init(&set->file, &set_kind, 0);
	list_init(&set->members);
	return &set->file;
}

static struct member *
find(const struct set *set, int fd, const struct file *file)
{
	LIST_EACH (link, &set->members) {
		struct member *member = CONTAINER_OF(link, struct member, of_set);

		if (member->fd == fd && member->file == file)
			return member;
	}
	return NULL;
}

static int
add(struct set *set, int fd, struct file *file, const struct epoll_event *event)
{
	struct member *member = malloc(sizeof *member);

	if (member == NULL)
		return failed(ENOMEM);
	*member = (struct member){.of_file = {.changed = member_changed, .closed = member_closed},
		.set = set,
		.file = file,
		.fd = fd,
		.event = *event,
		.has_changed = true};
	list_append(&set->members, &member->of_set);
	list_append(&file->members, &member->of_file.link);
	file_changed(&set->file);
	return 0;
}

int
set_change(struct file *file, int operation, int fd, const struct epoll_event *event)
{
	struct set *set = set_of(file);
	struct file *other = files_get(fd);
	struct member *member;

	if (other == NULL)
		return -1;
	if (file->kind != &set_kind || other == file)
		return failed(EINVAL);
	member = find(set, fd, other);
	if (operation == EPOLL_CTL_ADD)
		return member != NULL ? failed(EEXIST) : add(set, fd, other, event);
	if (member == NULL)
		return failed(ENOENT);
	if (operation == EPOLL_CTL_DEL) {
		leave(member);
		return 0;
	}
	member->event = *event;
	member->has_changed = true;
	file_changed(file);
	return 0;
}

int
set_take(struct file *file, struct epoll_event *events, int most)
{
	struct set *set = set_of(file);
	int count = 0;

	if (file->kind != &set_kind)
		return failed(EINVAL);
	LIST_EACH (link, &set->members) {
		struct member *member = CONTAINER_OF(link, struct member, of_set);

		if (count == most)
			break;
		if (!is_ready(member))
			continue;
		events[count] = member->event;
		events[count++].events = (uint32_t)member->file->kind->ready(member->file) &
					 (member->event.events | EPOLLERR | EPOLLHUP);
		member->has_changed = false;
	}
	return count;
}
