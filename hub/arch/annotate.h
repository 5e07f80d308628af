/* What sanitizers and valgrind must be told about stacks and leaks. AddressSanitizer keeps fake
 * stacks and shadow memory for each stack, ThreadSanitizer a fiber, valgrind a range. Built for
 * none of these tools, every function here is empty. */
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
/* CMake sets HUBBUB_VALGRIND. With __has_include, a valgrind that is installed later would change
 * struct annotate in only those files that happen to be built again. */
#if defined(HUBBUB_VALGRIND) && !defined(ANNOTATE_ASAN) && !defined(ANNOTATE_TSAN)
#include <valgrind/memcheck.h>
#include <valgrind/valgrind.h>
#define ANNOTATE_VALGRIND 1
#endif

/* Whether valgrind runs the process: it knows nothing of guard markers, and dies of them. */
static inline bool
annotate_on_valgrind(void)
{
#ifdef ANNOTATE_VALGRIND
	return RUNNING_ON_VALGRIND;
#else
	return false;
#endif
}

/* Marks memory as readable and writable, though no frame is there. */
static inline void
annotate_readable(const void *address, size_t size)
{
#ifdef ANNOTATE_VALGRIND
	VALGRIND_MAKE_MEM_DEFINED(address, size);
#else
	(void)address, (void)size;
#endif
}

/* Marks memory, not from malloc, that holds pointers: what they point to is not leaked. */
static inline void
annotate_holder(const void *address, size_t size)
{
#ifdef ANNOTATE_ASAN
	__lsan_register_root_region(address, size);
#else
	(void)address, (void)size;
#endif
}

/* Takes the mark of annotate_holder away. */
static inline void
annotate_holder_gone(const void *address, size_t size)
{
#ifdef ANNOTATE_ASAN
	__lsan_unregister_root_region(address, size);
#else
	(void)address, (void)size;
#endif
}

/* _exit, after a search for leaks. */
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
	void *fake_stack; /* AddressSanitizer's, while another stack runs */
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

/* A coroutine's stack has come into being: size bytes from low. */
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

/* The same for the stack that the thread came with. Call in that thread. */
void annotate_stack_native(struct annotate *stack);

/* Another coroutine takes the stack over: clears the poison of frames that have never returned. */
static inline void
annotate_stack_clean(const struct annotate *stack, const void *low, size_t size)
{
	(void)stack, (void)low, (void)size;
#ifdef ANNOTATE_ASAN
	__asan_unpoison_memory_region(low, size);
#endif
}

/* Another coroutine begins on the stack, on which nothing runs. ThreadSanitizer keeps a stack of
 * calls for each fiber, of 65536 entries, and no coroutine ever returns from its first few
 * functions. A new fiber costs much, so one serves 1024 coroutines. */
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

/* The stack is gone. */
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

/* Call on from's stack, right before the switch. from_ends: nothing will ever switch back to it. */
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

/* Call on self's stack, right after a switch has brought the thread there. */
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
