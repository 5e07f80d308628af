#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "tests/load/ask/random.h"
#include "tests/load/ask/sizes.h"
#include "tests/load/drive/message.h"

static char bytes[SIZES_LIMIT], stream[4096];

static const uint32_t lengths[] = {
	1, 2, 5, 23, 24, 25, 28, 64, 1000, 65535, 65536, 131072, 1000000};

#define LENGTHS (sizeof lengths / sizeof lengths[0])

static void
setup(void)
{
	message_setup(1, MESSAGE_RAW, MESSAGE_FULL, NULL);
}

TestSuite(message, .init = setup);

Test(message, upper_casing_changes_nothing_and_no_line_ends_in_the_middle)
{
	for (size_t i = 0; i < LENGTHS; i++) {
		struct message message = {12345678, 987654, lengths[i], 0};

		message_write(&message, 0, bytes, lengths[i]);
		for (uint32_t k = 0; k < lengths[i]; k++) {
			cr_assert_eq(bytes[k], toupper((unsigned char)bytes[k]));
			cr_assert(isprint((unsigned char)bytes[k]));
		}
	}
}

Test(message, parts_written_are_the_whole_whatever_the_cuts)
{
	static const enum message_framing framings[] = {MESSAGE_RAW, MESSAGE_LINE, MESSAGE_LEN32};
	uint64_t random = random_seed(2, 2);

	for (size_t f = 0; f < 3; f++) {
		message_setup(1, framings[f], MESSAGE_FULL, NULL);
		for (size_t i = 2; i < 9; i++) {
			struct message message = {77, i, lengths[i], 0};
			char part[1000];

			message_write(&message, 0, bytes, lengths[i]);
			for (uint32_t at = 0, length; at < lengths[i]; at += length) {
				length = 1 + (uint32_t)(random_unit(&random) * 40);
				if (length > lengths[i] - at)
					length = lengths[i] - at;
				message_write(&message, at, part, length);
				cr_assert_eq(memcmp(part, bytes + at, length), 0);
				cr_assert_eq(message_compare(&message, at, part, length), length,
					"framing %zu, %u bytes, %u from %u", f, lengths[i], length,
					at);
			}
		}
	}
}

Test(message, every_changed_byte_is_found_where_it_is)
{
	for (size_t i = 0; i < LENGTHS; i++) {
		struct message message = {3, 14, lengths[i], 0};
		uint32_t step = lengths[i] > 2000 ? lengths[i] / 97 : 1;

		message_write(&message, 0, bytes, lengths[i]);
		cr_assert_eq(message_compare(&message, 0, bytes, lengths[i]), lengths[i]);
		for (uint32_t at = 0; at < lengths[i]; at += step) {
			bytes[at] ^= 1;
			cr_assert_eq(message_compare(&message, 0, bytes, lengths[i]), at);
			bytes[at] ^= 1;
		}
	}
}

Test(message, no_two_messages_are_alike)
{
	struct message one = {1, 1, 64, 0}, other;

	message_write(&one, 0, bytes, 64);
	other = (struct message){1, 2, 64, 0};
	cr_assert_lt(message_compare(&other, 0, bytes, 64), 64);
	other = (struct message){2, 1, 64, 0};
	cr_assert_lt(message_compare(&other, 0, bytes, 64), 64);
	/* Short ones have no head, but their bodies differ. */
	one.length = other.length = 16;
	message_write(&one, 0, bytes, 16);
	cr_assert_lt(message_compare(&other, 0, bytes, 16), 16);
}

Test(message, a_line_ends_with_its_newline_alone_and_len32_begins_with_the_length)
{
	struct message message = {1, 1, 300, 0};

	message_setup(1, MESSAGE_LINE, MESSAGE_FULL, NULL);
	message_write(&message, 0, bytes, 300);
	cr_assert_eq(memchr(bytes, '\n', 300), bytes + 299);
	bytes[299] = 'x';
	cr_assert_eq(message_compare(&message, 0, bytes, 300), 299);
	message_setup(1, MESSAGE_LEN32, MESSAGE_FULL, NULL);
	message_write(&message, 0, bytes, 300);
	cr_assert_eq(memcmp(bytes, "\0\0\1\x28", 4), 0);
}

Test(message, verifying_less_finds_less)
{
	struct message message = {1, 1, 64, 0};

	message_setup(1, MESSAGE_RAW, MESSAGE_HEADER, NULL);
	message_write(&message, 0, bytes, 64);
	bytes[40] ^= 1;
	cr_assert_eq(message_compare(&message, 0, bytes, 64), 64);
	bytes[5] ^= 1;
	cr_assert_eq(message_compare(&message, 0, bytes, 64), 5);
	message_setup(1, MESSAGE_RAW, MESSAGE_NONE, NULL);
	cr_assert_eq(message_compare(&message, 0, bytes, 64), 64);
}

Test(message, a_head_is_read_back_and_a_damaged_one_is_not)
{
	struct message message = {(UINT64_C(1) << 39) + 5, (UINT64_C(1) << 38) + 7, 1000, 0}, read;

	message_write(&message, 0, bytes, 64);
	cr_assert(message_read_head(bytes, 64, &read));
	cr_assert_eq(read.connection, message.connection);
	cr_assert_eq(read.sequence, message.sequence);
	cr_assert_eq(read.length, message.length);
	cr_assert_not(message_read_head(bytes, 23, &read));
	bytes[3] = 'z';
	cr_assert_not(message_read_head(bytes, 64, &read));
}

/* Three messages of connection 5, one after the other; the first is what is expected. */
static struct message
write_stream(uint32_t length)
{
	for (uint64_t i = 0; i < 3; i++) {
		struct message each = {5, 10 + i, length, 0};

		message_write(&each, 0, stream + i * length, length);
	}
	return (struct message){5, 10, length, 0};
}

static enum message_fault
diagnose(const struct message *message, size_t length, struct message *other)
{
	size_t wrong = 0;

	for (uint64_t i = 0; i < 3; i++) {
		struct message each = {5, 10 + i, message->length, 0};
		size_t start = i * message->length, part = message->length;

		if (start >= length)
			break;
		if (part > length - start)
			part = length - start;
		wrong = start + message_compare(&each, 0, stream + start, (uint32_t)part);
		if (wrong < start + part)
			return message_diagnose(
				&each, stream, length, (ptrdiff_t)start, wrong, other);
	}
	cr_assert_fail("nothing is wrong");
	return MESSAGE_FAULT_MAX;
}

Test(message, a_flipped_bit_is_corruption_wherever_it_is)
{
	struct message message = write_stream(64), other;

	for (int at = 0; at < 192; at++) {
		write_stream(64);
		stream[at] ^= 4;
		cr_assert_eq(diagnose(&message, 192, &other), MESSAGE_CORRUPT, "byte %d", at);
		/* Also where only one message has come. */
		if (at < 64)
			cr_assert_eq(
				diagnose(&message, 64, &other), MESSAGE_CORRUPT, "byte %d", at);
	}
}

Test(message, a_missing_byte_is_truncation_wherever_it_is)
{
	struct message message, other;

	for (int at = 0; at < 128; at++) {
		message = write_stream(64);
		memmove(stream + at, stream + at + 1, (size_t)(191 - at));
		cr_assert_eq(diagnose(&message, 191, &other), MESSAGE_TRUNCATED, "byte %d", at);
	}
}

Test(message, a_byte_too_many_is_extra_wherever_it_is)
{
	struct message message, other;

	for (int at = 0; at < 128; at++) {
		message = write_stream(64);
		memmove(stream + at + 1, stream + at, (size_t)(192 - at));
		stream[at] = '~';
		cr_assert_eq(diagnose(&message, 193, &other), MESSAGE_EXTRA, "byte %d", at);
	}
}

Test(message, other_messages_are_told_by_their_heads)
{
	struct message message = write_stream(64), other, crossed = {6, 10, 64, 0};

	message_write(&crossed, 0, stream, 64);
	cr_assert_eq(diagnose(&message, 64, &other), MESSAGE_CROSSED);
	cr_assert_eq(other.connection, 6);
	write_stream(64);
	memmove(stream, stream + 64, 64);
	cr_assert_eq(diagnose(&message, 192, &other), MESSAGE_REORDERED);
	cr_assert_eq(other.sequence, 11);
	write_stream(64);
	memmove(stream + 64, stream, 64);
	cr_assert_eq(diagnose(&message, 192, &other), MESSAGE_DUPLICATE);
	cr_assert_eq(other.sequence, 10);
}
