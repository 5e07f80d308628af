/* The keys of tickets, as several processes see them. */
#include "hub/io/tickets.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned char identity[TICKETS_IDENTITY_SIZE] = "a certificate's";
static const unsigned char stranger[TICKETS_IDENTITY_SIZE] = "another one's";
static struct tickets *tickets;

static void
begin(void)
{
	tickets = tickets_new(identity);
	cr_assert_not_null(tickets);
}

static void
end(void)
{
	tickets_free(tickets);
}

TestSuite(tickets, .init = begin, .fini = end, .timeout = 60);

static struct ticket_key
newest(void)
{
	struct ticket_key key;

	tickets_newest(tickets, &key);
	return key;
}

Test(tickets, a_key_is_newest_then_former_then_gone)
{
	struct ticket_key first = newest(), found;
	bool is_newest;

	cr_assert(tickets_find(tickets, first.name, &found, &is_newest));
	cr_assert(is_newest);
	cr_assert_eq(memcmp(&found, &first, sizeof first), 0);
	cr_assert(tickets_rotate(tickets, 0));
	cr_assert(tickets_find(tickets, first.name, &found, &is_newest));
	cr_assert_not(is_newest);
	cr_assert_eq(memcmp(&found, &first, sizeof first), 0);
	found = newest();
	cr_assert_neq(memcmp(found.name, first.name, sizeof first.name), 0);
	cr_assert_neq(memcmp(found.cipher, first.cipher, sizeof first.cipher), 0);
	cr_assert_neq(memcmp(found.mac, first.mac, sizeof first.mac), 0);
	cr_assert(tickets_rotate(tickets, 0));
	cr_assert_not(tickets_find(tickets, first.name, &found, &is_newest));
}

Test(tickets, no_key_is_changed_before_its_time)
{
	struct ticket_key first = newest(), still;

	cr_assert_not(tickets_rotate(tickets, INT64_C(3600000000000)));
	still = newest();
	cr_assert_eq(memcmp(&first, &still, sizeof first), 0);
}

/* The place of the former key is empty at first. */
Test(tickets, zeros_are_no_name)
{
	static const unsigned char nobody[TICKETS_NAME_SIZE];
	struct ticket_key found;
	bool is_newest;

	cr_assert_not(tickets_find(tickets, nobody, &found, &is_newest));
}

static bool
memory_has(const unsigned char *bytes, size_t length)
{
	struct stat status;
	unsigned char *memory;
	bool has;

	cr_assert_eq(fstat(tickets_file(tickets), &status), 0);
	memory =
		mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, tickets_file(tickets), 0);
	cr_assert_neq(memory, MAP_FAILED);
	has = memmem(memory, (size_t)status.st_size, bytes, length) != NULL;
	munmap(memory, (size_t)status.st_size);
	return has;
}

Test(tickets, what_is_too_old_is_wiped)
{
	struct ticket_key first = newest();

	cr_assert(memory_has(first.cipher, sizeof first.cipher));
	tickets_rotate(tickets, 0);
	cr_assert(memory_has(first.cipher, sizeof first.cipher));
	tickets_rotate(tickets, 0);
	cr_assert_not(memory_has(first.cipher, sizeof first.cipher));
	cr_assert_not(memory_has(first.mac, sizeof first.mac));
}

Test(tickets, another_process_maps_them_if_it_has_the_certificate)
{
	struct tickets *mapped = tickets_map(dup(tickets_file(tickets)), identity);
	struct ticket_key key, found;
	bool is_newest;
	int foreign = memfd_create("foreign", MFD_CLOEXEC), other = dup(tickets_file(tickets));

	cr_assert_not_null(mapped);
	cr_assert(tickets_are_of(mapped, identity));
	cr_assert_not(tickets_are_of(mapped, stranger));
	tickets_rotate(mapped, 0);
	tickets_newest(mapped, &key);
	cr_assert(tickets_find(tickets, key.name, &found, &is_newest));
	cr_assert(is_newest);
	tickets_free(mapped);
	cr_assert_null(tickets_map(other, stranger));
	cr_assert_null(tickets_map(foreign, identity));
	cr_assert_eq(close(other) + close(foreign), 0, "they are the caller's");
}

Test(tickets, the_last_owner_frees_them)
{
	struct ticket_key key;

	tickets_free(tickets_share(tickets));
	key = newest();
	cr_assert(memory_has(key.name, sizeof key.name));
	tickets_free(NULL);
}

static atomic_bool is_over;
static atomic_int torn;

/* Names, ciphers and codes belong together: the bytes of each key are one that was made. */
static void *
look(void *argument)
{
	struct ticket_key key, found;
	bool is_newest;

	(void)argument;
	while (!is_over) {
		tickets_newest(tickets, &key);
		if (tickets_find(tickets, key.name, &found, &is_newest) &&
			memcmp(&key, &found, sizeof key) != 0)
			torn++;
		if (key.cipher[0] == 0 && memcmp(key.cipher, key.cipher + 1, 31) == 0)
			torn++;
	}
	return NULL;
}

Test(tickets, readers_see_whole_keys_while_they_change)
{
	pthread_t readers[2];

	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&readers[i], NULL, look, NULL), 0);
	for (int i = 0; i < 20000; i++)
		tickets_rotate(tickets, 0);
	is_over = true;
	for (int i = 0; i < 2; i++)
		pthread_join(readers[i], NULL);
	cr_assert_eq(torn, 0);
}
