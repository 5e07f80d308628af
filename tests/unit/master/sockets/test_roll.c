#include "master/sockets/roll.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "master/sockets/steering.h"

Test(roll, another_master_reads_what_was_written_last)
{
	int fd;
	struct roll *written = roll_new(&fd), *read = roll_map(fd);
	unsigned order[STEERING_MEMBERS_MAX];

	cr_assert(written != NULL && read != NULL);
	cr_assert_eq(roll_read(read, order), 0);
	for (unsigned count = 0; count <= STEERING_MEMBERS_MAX; count += 250) {
		for (unsigned i = 0; i < count; i++)
			order[i] = count - i;
		roll_write(written, order, count);
		for (unsigned i = 0; i < count; i++)
			order[i] = 0;
		cr_assert_eq(roll_read(read, order), count);
		for (unsigned i = 0; i < count; i++)
			cr_assert_eq(order[i], count - i);
	}
	roll_free(&written);
	roll_free(&read);
	close(fd);
}
