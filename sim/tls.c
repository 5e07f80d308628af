/* OpenSSL in a simulated world: its random bytes are getrandom(2)'s, which the seed decides there
 * (random.c), and its time is time(2)'s, by which it judges certificates and tickets. A method
 * stands before all providers, even if they have drawn already. */
#define OPENSSL_API_COMPAT 0x10101000L /* methods are deprecated since 3.0 */
#include <errno.h>
#include <openssl/rand.h>
#include <sys/random.h>

static int
draw(unsigned char *bytes, int count)
{
	ssize_t got;

	for (int done = 0; done<count; done += got> 0 ? (int)got : 0) {
		got = getrandom(bytes + done, (size_t)(count - done), 0);
		if (got < 0 && errno != EINTR)
			return 0;
	}
	return 1;
}

static int
is_seeded(void)
{
	return 1;
}

static int
take_seed(const void *bytes, int count)
{
	(void)bytes, (void)count;
	return 1;
}

static int
add_seed(const void *bytes, int count, double randomness)
{
	(void)bytes, (void)count, (void)randomness;
	return 1;
}

__attribute__((constructor)) static void
stand_before_providers(void)
{
	static const RAND_METHOD method = {.seed = take_seed,
		.bytes = draw,
		.add = add_seed,
		.pseudorand = draw,
		.status = is_seeded};

	RAND_set_rand_method(&method);
}
