/* The native stack of a thread: of all that annotate.h tells the tools, only its bounds have to be
 * asked for. */
#include "hub/arch/annotate.h"

#include <pthread.h>

void
annotate_stack_native(struct annotate *stack)
{
	(void)stack;
#ifdef ANNOTATE_ASAN
	pthread_attr_t attributes;
	void *low;

	*stack = (struct annotate){0};
	if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
		pthread_attr_getstack(&attributes, &low, &stack->size);
		stack->low = low;
		pthread_attr_destroy(&attributes);
	}
#endif
#ifdef ANNOTATE_TSAN
	stack->fiber = __tsan_get_current_fiber();
#endif
}
