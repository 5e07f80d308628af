/* Bytes: a text that is somebody else's, and a buffer that grows. */
#ifndef KV_BYTES_H
#define KV_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a request or of the store, NULs perhaps among them. */
struct text {
	const char *bytes;
	size_t length;
};

/* Reads a whole number, of nothing but a sign and digits. */
bool text_number(struct text text, int64_t *number);

/* A buffer; {0} is empty. */
struct bytes {
	char *data;
	size_t length;
	size_t room;
	bool is_cut; /* something was left out: there was no memory, or BYTES_MOST is reached */
};

#define BYTES_MOST ((size_t)64 << 20)

/* Adds all, or nothing and sets is_cut. */
void bytes_add(struct bytes *bytes, const void *data, size_t length);

/* As bytes_add, of what printf(3) prints: less than 512 bytes. */
void bytes_print(struct bytes *bytes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Leaves the first length bytes, all of which were added whole. */
void bytes_cut_back(struct bytes *bytes, size_t length);

/* Frees what the buffer has; it is empty again. */
void bytes_free(struct bytes *bytes);

#endif
