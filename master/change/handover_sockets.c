/* What the document of a handover says of sockets. File descriptors keep their numbers through the
 * exec; whatever cannot be taken over is logged, and the new master ends. */
#include "master/change/handover_sockets.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/base/log.h"
#include "master/base/bytes.h"
#include "master/sockets/roll.h"

int
handover_integer(const json_t *object, const char *key)
{
	return (int)json_integer_value(json_object_get(object, key));
}

struct path_identity
handover_identity(const json_t *object, const char *device, const char *inode)
{
	return (struct path_identity){(dev_t)json_integer_value(json_object_get(object, device)),
		(ino_t)json_integer_value(json_object_get(object, inode))};
}

int
handover_descriptor(int fd)
{
	if (fd != -1)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

/* ---- writing ---- */

static json_t *
address_json(const struct sockets *sockets, unsigned index)
{
	const struct address *address = &sockets->addresses[index];
	char hex[2 * sizeof address->socket + 1];
	const unsigned char *bytes = (const unsigned char *)&address->socket;

	for (socklen_t i = 0; i < address->length; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return json_pack("{s:i, s:s, s:s, s:i, s:i, s:i, s:I, s:I}", "kind", (int)address->kind,
		"listener", address->listener, "socket", hex, "lock", sockets->locks[index],
		"shared", sockets->shared[index], "passed", sockets->passed[index], "device",
		(json_int_t)sockets->paths[index].device, "inode",
		(json_int_t)sockets->paths[index].inode);
}

json_t *
handover_addresses_json(const struct sockets *sockets)
{
	json_t *addresses = json_array();

	for (unsigned i = 0; i < sockets->address_count; i++)
		json_array_append_new(addresses, address_json(sockets, i));
	return addresses;
}

json_t *
handover_seats_json(const struct sockets *sockets)
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

/* The texts of --listen, as given. */
json_t *
handover_listen_json(const struct options *options)
{
	json_t *texts = json_array();

	for (size_t i = 0; i < options->listen.count; i++)
		json_array_append_new(texts, bytes_json(options->listen.items[i]));
	return texts;
}

/* ---- inheriting ---- */

static bool
read_address(const json_t *entry, struct address *address)
{
	const char *hex = json_string_value(json_object_get(entry, "socket"));
	/* An older release has no names, and writes no such key. */
	const char *listener = json_string_value(json_object_get(entry, "listener"));
	unsigned char *bytes = (unsigned char *)&address->socket;
	size_t length = hex != NULL ? strlen(hex) / 2 : 0;

	memset(address, 0, sizeof *address);
	if (length == 0 || length > sizeof address->socket)
		return false;
	for (size_t i = 0; i < length; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &bytes[i]) != 1)
			return false;
	address->kind = (enum address_kind)handover_integer(entry, "kind");
	address->length = (socklen_t)length;
	snprintf(address->listener, sizeof address->listener, "%s",
		listener != NULL ? listener : "");
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
	json_t *listen = handover_listen_json(&master->options);
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

		sockets->locks[i] = handover_descriptor(handover_integer(entry, "lock"));
		sockets->shared[i] = handover_descriptor(handover_integer(entry, "shared"));
		sockets->paths[i] = handover_identity(entry, "device", "inode");
		/* The same fd as the first seat's or the shared one, and closed with that. */
		sockets->passed[i] = handover_integer(entry, "passed");
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
			own[i] = handover_descriptor(
				(int)json_integer_value(json_array_get(fds, i)));
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

int
handover_inherit_sockets(struct master *master, const json_t *object)
{
	struct sockets *sockets = &master->sockets;

	if (inherit_addresses(master, object) != 0) {
		log_error("the --listen addresses differ from those of the running server; restart "
			  "to change them");
		return -1;
	}
	sockets->roll_file = handover_descriptor(handover_integer(object, "roll"));
	sockets->roll = roll_map(sockets->roll_file);
	if (sockets->roll == NULL ||
		inherit_seats(sockets, json_object_get(object, "seats")) != 0) {
		log_error("the former master's sockets cannot be taken over");
		return -1;
	}
	sockets->can_bind = json_is_true(json_object_get(object, "can_bind"));
	return 0;
}
