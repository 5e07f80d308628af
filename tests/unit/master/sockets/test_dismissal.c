#include "master/sockets/dismissal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/fleet/seating.h"
#include "tests/support/folder.h"
#include "tests/unit/master/fake_fleet.h"

#define CLIENTS 5

static struct fake_fleet fake;
static int clients[CLIENTS];

static void
begin_at(const char *text)
{
	fake_open(&fake, text, 2, 1);
	cr_assert_eq(sockets_listen(&fake.sockets, 0), 0);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = fake_client(&fake);
		cr_assert_eq(send(clients[i], "some", 4, 0), 4);
	}
}

static void
begin(void)
{
	begin_at(NULL);
}

static void
end(void)
{
	for (int i = 0; i < CLIENTS; i++)
		close(clients[i]);
	fake_close(&fake);
}

TestSuite(dismissal, .init = begin, .fini = end);

Test(dismissal, all_who_are_queued_see_an_end_and_no_reset)
{
	char byte;

	cr_assert_eq(dismissal_of_queued(&fake.sockets), CLIENTS);
	sockets_leave_group(&fake.sockets, 0);
	for (int i = 0; i < CLIENTS; i++)
		cr_assert_eq(recv(clients[i], &byte, 1, 0), 0, "client %d", i);
}

Test(dismissal, a_queue_that_a_service_manager_keeps_is_left_to_it)
{
	int client;

	fake.sockets.passed[0] = fake.sockets.seats[0].fds[0];
	cr_assert_eq(dismissal_of_queued(&fake.sockets), 0);
	client = accept(fake.sockets.seats[0].fds[0], NULL, NULL);
	cr_assert_geq(client, 0, "it is gone");
	close(client);
	fake.sockets.passed[0] = -1;
}

Test(dismissal, what_is_another_masters_is_left_to_it)
{
	int client;

	sockets_forget(&fake.sockets);
	cr_assert_eq(dismissal_of_queued(&fake.sockets), 0);
	client = accept(fake.sockets.seats[0].fds[0], NULL, NULL);
	cr_assert_geq(client, 0);
	close(client);
}

static char folder[FOLDER_SIZE];

static void
begin_at_path(void)
{
	char text[FOLDER_SIZE + 16];

	cr_assert(folder_make(folder));
	snprintf(text, sizeof text, "unix:%s/socket", folder);
	begin_at(text);
}

static void
end_at_path(void)
{
	end();
	folder_remove(folder);
}

TestSuite(dismissal_at_path, .init = begin_at_path, .fini = end_at_path);

/* All seats share its queue, which outlives them. */
Test(dismissal_at_path, who_is_queued_sees_an_end_though_no_seat_is_left)
{
	char byte;

	sockets_leave_group(&fake.sockets, 0);
	cr_assert_eq(fake.sockets.listening, 0);
	cr_assert_eq(dismissal_of_queued(&fake.sockets), CLIENTS);
	for (int i = 0; i < CLIENTS; i++)
		cr_assert_eq(recv(clients[i], &byte, 1, 0), 0, "client %d", i);
}
