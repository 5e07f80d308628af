#include "master/change/handover_sockets.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>

#include "tests/support/complaint.h"
#include "tests/unit/master/seats.h"

/* A former master's sockets, and the new master that is to take them over. */
static struct sockets former;
static struct master new;

static json_t *
write_document(void)
{
	static const struct options options = {.listen = {{"admin=127.0.0.1:0"}, 1}};

	return json_pack("{s:o, s:o, s:o, s:i, s:b}", "listen", handover_listen_json(&options),
		"addresses", handover_addresses_json(&former), "seats",
		handover_seats_json(&former), "roll", former.roll_file, "can_bind", 1);
}

static void
begin(void)
{
	seats_open(&former, 2);
	strcpy(former.addresses[0].listener, "admin");
	new.options.listen = (struct hubbub_list){{"admin=127.0.0.1:0"}, 1};
}

TestSuite(handover_sockets, .init = begin);

Test(handover_sockets, a_listener_keeps_its_name_and_its_sockets)
{
	json_t *document = write_document();

	cr_assert_eq(handover_inherit_sockets(&new, document), 0);
	cr_assert_eq(new.sockets.address_count, 1);
	cr_assert_str_eq(new.sockets.addresses->listener, "admin");
	cr_assert(address_is_same(seats_own_address(&new.sockets), seats_own_address(&former)));
	cr_assert_eq(new.sockets.seat_count, 2);
	cr_assert_eq(seats_socket(&new.sockets, 1), seats_socket(&former, 1));
	cr_assert(new.sockets.can_bind);
	json_decref(document);
}

/* An older release has no names. */
Test(handover_sockets, a_document_without_names_is_read)
{
	json_t *document = write_document();

	json_object_del(json_array_get(json_object_get(document, "addresses"), 0), "listener");
	cr_assert_eq(handover_inherit_sockets(&new, document), 0);
	cr_assert_str_eq(new.sockets.addresses->listener, "");
	json_decref(document);
}

/* The texts differ, so the addresses count, and with them the names. */
Test(handover_sockets, another_name_for_an_address_is_another_listener)
{
	json_t *document = write_document();

	new.options.listen.items[0] = "other=127.0.0.1:0";
	new.options.addresses[0] = *seats_own_address(&former);
	new.options.address_count = 1;
	strcpy(new.options.addresses[0].listener, "other");
	complaint_listen();
	cr_assert_eq(handover_inherit_sockets(&new, document), -1);
	cr_assert_not_null(strstr(complaint_heard(), "--listen addresses differ"));
	strcpy(new.options.addresses[0].listener, "admin");
	cr_assert_eq(handover_inherit_sockets(&new, document), 0);
	json_decref(document);
}

Test(handover_sockets, what_is_no_document_is_refused)
{
	static const char *const keys[] = {"addresses", "seats", "roll"};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		json_t *document = write_document();

		json_object_del(document, keys[i]);
		complaint_listen();
		cr_assert_eq(handover_inherit_sockets(&new, document), -1, "%s", keys[i]);
		complaint_heard();
		json_decref(document);
	}
}

Test(handover_sockets, numbers_and_descriptors_are_read)
{
	json_t *object =
		json_pack("{s:i, s:I, s:I}", "a", 7, "d", (json_int_t)8, "i", (json_int_t)9);
	int fd = dup(0);

	cr_assert_eq(handover_integer(object, "a"), 7);
	cr_assert_eq(handover_integer(object, "none"), 0);
	cr_assert_eq(handover_identity(object, "d", "i").device, 8);
	cr_assert_eq(handover_identity(object, "d", "i").inode, 9);
	cr_assert_eq(handover_identity(object, "none", "none").inode, 0);
	cr_assert_eq(handover_descriptor(fd), fd);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(handover_descriptor(-1), -1);
	json_decref(object);
}
