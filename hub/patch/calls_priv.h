/* For each call of the table (calls.h): its index, and the declaration of its cooperative form.
 * Every file that defines such forms includes this. */
#ifndef HUBBUB_PATCH_CALLS_PRIV_H
#define HUBBUB_PATCH_CALLS_PRIV_H

#include "hub/patch/calls.h"

/* Each call's index in the table. */
enum patch_call {
#define NUMBER(kind, family, result, name, parameters, arguments) CALL_##name,
	PATCH_CALLS(NUMBER)
#undef NUMBER
		CALL_MAX
};

/* The cooperative forms, patch_NAME, of calls that wait or are noted. */
#define DECLARE(kind, family, result, name, parameters, arguments)                                 \
	DECLARE_##kind(result, name, parameters)
#define DECLARE_WAITS(result, name, parameters) result patch_##name parameters;
#define DECLARE_NOTES(result, name, parameters) result patch_##name parameters;
#define DECLARE_BLOCKS(result, name, parameters)
PATCH_CALLS(DECLARE)
#undef DECLARE
#undef DECLARE_WAITS
#undef DECLARE_NOTES
#undef DECLARE_BLOCKS

/* For functions that stand before libc's: visible outside of the library. */
#define PATCH_EXPORT __attribute__((visibility("default")))

#endif
