#include "hub/arch/annotate.h"
#include "tests/support/in_hub.h"

bool
on_valgrind(void)
{
	return annotate_on_valgrind();
}
