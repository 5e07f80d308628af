/* A file on its way is open, though it has no descriptor. A descriptor of the real kernel is on its
 * way as a duplicate, which becomes the receiver's. */
#include "sim/kernel/cargo_priv.h"

#include <stdlib.h>
#include <string.h>

#include "hub/base/check.h"
#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "hub/base/list.h"
#include "sim/kernel/file_priv.h"
#include "sim/world/world_priv.h"

#define MOST 253 /* Linux's SCM_MAX_FD */

struct parcel {
	struct file *file; /* on its way; NULL: a real one */
	int real;          /* owned */
};

struct cargo {
	struct list link; /* in cargos */
	size_t count;
	struct parcel parcels[MOST];
};

/* All that are on their way. */
static struct list cargos = {&cargos, &cargos};

/* ---- parcels ---- */

static int
parcel_pack(struct parcel *parcel, int fd)
{
	*parcel = (struct parcel){.real = -1};
	if (!files_has(fd)) {
		parcel->real = real_fcntl(fd, F_DUPFD_CLOEXEC, 0);
		return parcel->real != -1 ? 0 : failed(EBADF);
	}
	parcel->file = files_get(fd);
	if (parcel->file == NULL)
		return -1;
	file_depart(parcel->file);
	return 0;
}

static void
parcel_drop(const struct parcel *parcel)
{
	if (parcel->file != NULL)
		file_arrive(parcel->file);
	else
		real_close(parcel->real);
}

/* A descriptor of the receiver's; -1 without room. The parcel stays. */
static int
parcel_open(const struct parcel *parcel, bool is_cloexec)
{
	int fd;

	if (world_chance(world_options()->no_files))
		return -1;
	if (parcel->file == NULL)
		return real_fcntl(parcel->real, is_cloexec ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
	file_hold(parcel->file);
	fd = files_open(parcel->file, 0, is_cloexec);
	if (fd == -1)
		file_release(parcel->file);
	return fd;
}

/* ---- packing ---- */

static struct cargo *
cargo_new(void)
{
	struct cargo *cargo = malloc(sizeof *cargo);

	CHECK_WHY(cargo != NULL, "no memory for a simulated world");
	cargo->count = 0;
	list_append(&cargos, &cargo->link);
	return cargo;
}

void
cargo_drop(struct cargo *cargo)
{
	if (cargo == NULL)
		return;
	list_remove(&cargo->link);
	while (cargo->count > 0)
		parcel_drop(&cargo->parcels[--cargo->count]);
	free(cargo);
}

/* One control message. */
static int
pack(struct cargo *cargo, const struct cmsghdr *header)
{
	size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd;

	if (header->cmsg_level != SOL_SOCKET)
		return 0;
	/* The world has one user, who is who he says. */
	if (header->cmsg_type == SCM_CREDENTIALS)
		return header->cmsg_len == CMSG_LEN(sizeof(struct ucred)) ? 0 : failed(EINVAL);
	if (header->cmsg_type != SCM_RIGHTS || count > MOST - cargo->count)
		return failed(EINVAL);
	for (size_t i = 0; i < count; i++) {
		memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
		if (parcel_pack(&cargo->parcels[cargo->count], fd) != 0)
			return -1;
		cargo->count++;
	}
	return 0;
}

int
cargo_pack(const struct msghdr *message, struct cargo **cargo)
{
	const char *end = (const char *)message->msg_control + message->msg_controllen;
	int result = 0;

	*cargo = NULL;
	if (message->msg_control == NULL || message->msg_controllen == 0)
		return 0;
	*cargo = cargo_new();
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL && result == 0;
		header = CMSG_NXTHDR((struct msghdr *)(uintptr_t)message, header)) {
		if (header->cmsg_len < CMSG_LEN(0) ||
			header->cmsg_len > (size_t)(end - (const char *)header))
			result = failed(EINVAL);
		else
			result = pack(*cargo, header);
	}
	if (result == 0 && (*cargo)->count != 0)
		return 0;
	cargo_drop(*cargo);
	*cargo = NULL;
	return result;
}

struct cargo *
cargo_copy(const struct cargo *cargo)
{
	struct cargo *copy = cargo_new();

	for (size_t i = 0; i < cargo->count; i++) {
		const struct parcel *parcel = &cargo->parcels[i];

		copy->parcels[i] = *parcel;
		if (parcel->file != NULL)
			file_depart(parcel->file);
		else
			copy->parcels[i].real = real_fcntl(parcel->real, F_DUPFD_CLOEXEC, 0);
	}
	copy->count = cargo->count;
	return copy;
}

/* ---- unpacking ---- */

void
cargo_unpack(struct cargo *cargo, struct msghdr *message, int flags)
{
	size_t room = message->msg_control != NULL ? message->msg_controllen : 0, given = 0;
	struct cmsghdr *header = message->msg_control;
	int fd;

	message->msg_controllen = 0;
	if (cargo == NULL)
		return;
	for (; given < cargo->count && CMSG_LEN((given + 1) * sizeof fd) <= room; given++) {
		fd = parcel_open(&cargo->parcels[given], flags & MSG_CMSG_CLOEXEC);
		if (fd == -1)
			break;
		memcpy(CMSG_DATA(header) + given * sizeof fd, &fd, sizeof fd);
	}
	if (given < cargo->count)
		message->msg_flags |= MSG_CTRUNC;
	if (given != 0) {
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(given * sizeof fd);
		message->msg_controllen = CMSG_SPACE(given * sizeof fd);
		if (message->msg_controllen > room)
			message->msg_controllen = room;
	}
	cargo_drop(cargo);
}

void
cargos_end(void)
{
	while (!list_is_empty(&cargos)) {
		struct cargo *first = CONTAINER_OF(cargos.next, struct cargo, link), taken = *first;

		/* With the last of its files goes the socket that the cargo is in. */
		first->count = 0;
		list_remove(&first->link);
		while (taken.count > 0)
			parcel_drop(&taken.parcels[--taken.count]);
	}
}
