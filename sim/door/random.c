/* What the kernel gives as random bytes: in the world they come from the seed. They have a state of
 * their own, so that how many bytes a program asks for changes nothing else that is drawn. */
#include "sim/door/random_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

#include "hub/base/failed.h"
#include "hub/base/kernel.h"
#include "sim/world/draw_priv.h"
#include "sim/world/world_priv.h"

#define EXPORT __attribute__((visibility("default")))
#define ENTROPY_MOST 256 /* bytes of one getentropy(3) */

static uint64_t state;

void
random_begin(uint64_t seed)
{
	state = ~seed;
}

static void
fill(void *buffer, size_t length)
{
	unsigned char *at = buffer;

	while (length > 0) {
		uint64_t drawn = draw_next(&state);
		size_t part = length < sizeof drawn ? length : sizeof drawn;

		memcpy(at, &drawn, part);
		at += part;
		length -= part;
	}
}

/* ---- libc's names ---- */

EXPORT ssize_t
getrandom(void *buffer, size_t length, unsigned flags)
{
	if (!world_exists() || bypass_is_on())
		return syscall(SYS_getrandom, buffer, length, flags);
	fill(buffer, length);
	return (ssize_t)length;
}

EXPORT int
getentropy(void *buffer, size_t length)
{
	if (length > ENTROPY_MOST)
		return failed(EIO);
	return getrandom(buffer, length, 0) == (ssize_t)length ? 0 : -1;
}

EXPORT void
arc4random_buf(void *buffer, size_t length)
{
	ssize_t got;

	for (size_t done = 0; done<length; done += got> 0 ? (size_t)got : 0)
		got = getrandom((char *)buffer + done, length - done, 0);
}

EXPORT uint32_t
arc4random(void)
{
	uint32_t number;

	arc4random_buf(&number, sizeof number);
	return number;
}

EXPORT uint32_t
arc4random_uniform(uint32_t limit)
{
	return (uint32_t)((uint64_t)arc4random() * limit >> 32);
}
