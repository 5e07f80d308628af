/* What sanitizers and valgrind must be told about stacks and leaks, behind one header. Without them
 * each of these is empty. AddressSanitizer keeps fake stacks and shadow per stack, ThreadSanitizer
 * a fiber per stack, valgrind a range per stack. */
#ifndef HUBBUB_ARCH_ANNOTATE_H
#define HUBBUB_ARCH_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define ANNOTATE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ANNOTATE_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define ANNOTATE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ANNOTATE_TSAN 1
#endif
#endif

#ifdef ANNOTATE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef ANNOTATE_TSAN
#include <sanitizer/tsan_interface.h>
#endif
/* Found by CMake and not by __has_include: when valgrind is installed later, everything that knows
 * the layout of struct annotate has to be built again. */
#if defined(HUBBUB_VALGRIND) && !defined(ANNOTATE_ASAN) && !defined(ANNOTATE_TSAN)
#include <valgrind/memcheck.h>
#include <valgrind/valgrind.h>
#define ANNOTATE_VALGRIND 1
#endif

/* Whether valgrind runs this, which knows nothing of guard markers and dies of them. */
static inline bool
annotate_on_valgrind(void)
{
#ifdef ANNOTATE_VALGRIND
	return RUNNING_ON_VALGRIND;
#else
	return false;
#endif
}

/* The memory may be read and written, though no frame is there. */
static inline void
annotate_readable(const void *address, size_t size)
{
#ifdef ANNOTATE_VALGRIND
	VALGRIND_MAKE_MEM_DEFINED(address, size);
#else
	(void)address, (void)size;
#endif
}

/* The memory holds pointers to what is not leaked, though malloc did not make it. */
static inline void
annotate_holder(const void *address, size_t size)
{
#ifdef ANNOTATE_ASAN
	__lsan_register_root_region(address, size);
#else
	(void)address, (void)size;
#endif
}

static inline void
annotate_holder_gone(const void *address, size_t size)
{
#ifdef ANNOTATE_ASAN
	__lsan_unregister_root_region(address, size);
#else
	(void)address, (void)size;
#endif
}

/* _exit, but not before leaks are looked for. */
static inline _Noreturn void
annotate_exit(int code)
{
#ifdef ANNOTATE_ASAN
	__lsan_do_leak_check();
#endif
	_exit(code);
}

/* What the tools know of one stack. */
struct annotate {
#ifdef ANNOTATE_ASAN
	void *fake_stack;
	const void *low;
	size_t size;
#endif
#ifdef ANNOTATE_TSAN
	void *fiber;
	unsigned lives; /* coroutines that used the fiber */
#endif
#ifdef ANNOTATE_VALGRIND
	unsigned valgrind_id;
#endif
	char empty[0];
};

/* A coroutine's stack exists from now on, from low, size bytes. */
static inline void
annotate_stack_new(struct annotate *stack, const void *low, size_t size)
{
	(void)stack, (void)low, (void)size;
#ifdef ANNOTATE_ASAN
	*stack = (struct annotate){.low = low, .size = size};
#endif
#ifdef ANNOTATE_TSAN
	stack->fiber = __tsan_create_fiber(0);
#endif
#ifdef ANNOTATE_VALGRIND
	stack->valgrind_id = VALGRIND_STACK_REGISTER(low, (const char *)low + size);
#endif
}

/* The same for the stack that the thread came with. */
void annotate_stack_native(struct annotate *stack);

/* Frames that were never returned from left poison behind; another coroutine takes the stack. */
static inline void
annotate_stack_clean(const struct annotate *stack, const void *low, size_t size)
{
	(void)stack, (void)low, (void)size;
#ifdef ANNOTATE_ASAN
	__asan_unpoison_memory_region(low, size);
#endif
}

/* Another coroutine begins on the stack, which nothing runs on. ThreadSanitizer counts calls and
 * returns per fiber, in 65536 places, and no coroutine ever returns from its first few functions; a
 * new fiber costs much, so one serves many coroutines. */
static inline void
annotate_stack_renew(struct annotate *stack)
{
	(void)stack;
#ifdef ANNOTATE_TSAN
	if (++stack->lives % 1024 != 0)
		return;
	__tsan_destroy_fiber(stack->fiber);
	stack->fiber = __tsan_create_fiber(0);
#endif
}

static inline void
annotate_stack_free(struct annotate *stack)
{
	(void)stack;
#ifdef ANNOTATE_TSAN
	__tsan_destroy_fiber(stack->fiber);
#endif
#ifdef ANNOTATE_VALGRIND
	VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
#endif
}

/* On from's stack, right before the switch; from_ends: nothing will ever switch back to it. */
static inline __attribute__((always_inline)) void
annotate_switch(struct annotate *from, struct annotate *to, bool from_ends)
{
	(void)from, (void)to, (void)from_ends;
#ifdef ANNOTATE_ASAN
	__sanitizer_start_switch_fiber(from_ends ? NULL : &from->fake_stack, to->low, to->size);
#endif
#ifdef ANNOTATE_TSAN
	__tsan_switch_to_fiber(to->fiber, 0);
#endif
}

/* On self's stack, right after a switch brought the thread here. */
static inline __attribute__((always_inline)) void
annotate_arrive(struct annotate *self)
{
	(void)self;
#ifdef ANNOTATE_ASAN
	__sanitizer_finish_switch_fiber(self->fake_stack, NULL, NULL);
	self->fake_stack = NULL;
#endif
}

#endif
