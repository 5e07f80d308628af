/* Apart from in_hub.c, so that a suite that does not ask need not link hub/arch's annotations. */
#include "hub/arch/annotate.h"
#include "tests/support/in_hub.h"

bool
on_valgrind(void)
{
	return annotate_on_valgrind();
}
