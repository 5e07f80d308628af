/* What a worker and a master have besides, and nothing is here: crashes, the kernel's lack of
 * memory, backtraces, TLS. */
#include <errno.h>

#include "hub/hub.h"
#include "master/fleet/lookup.h"
#include "master/fleet/oom.h"
#include "worker/crash.h"

void
crash_install(struct worker_row *row)
{
	(void)row;
}

void
crash_use_row(struct worker_row *row)
{
	(void)row;
}

void
oom_begin(const struct oom_places *given)
{
	(void)given;
}

void
oom_look(void)
{
}

void
oom_explain(char text[static OOM_TEXT_SIZE])
{
	*text = '\0';
}

void
lookup_start(struct ev_loop *loop, const char *whose, const struct worker_crash *crash)
{
	(void)loop, (void)whose, (void)crash;
}

/* No settings of these scenes have TLS. */
__attribute__((weak)) int
hub_tls_accept(int client, struct hub_tls *tls)
{
	(void)client, (void)tls;
	errno = EOPNOTSUPP;
	return -1;
}

__attribute__((weak)) const char *
hub_tls_why(void)
{
	return "there is no TLS here";
}
