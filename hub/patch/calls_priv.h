/* One number and one declaration for each call of the table: what a part of the library that
 * defines some of them includes. */
#ifndef HUBBUB_PATCH_CALLS_PRIV_H
#define HUBBUB_PATCH_CALLS_PRIV_H

#include "hub/patch/calls.h"

/* Each call's number, in the table's order. */
enum patch_call {
#define NUMBER(kind, family, result, name, parameters, arguments) CALL_##name,
	PATCH_CALLS(NUMBER)
#undef NUMBER
		CALL_MAX
};

/* The cooperative forms, one for each call that waits or is noted. */
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

/* What is exported. */
#define PATCH_EXPORT __attribute__((visibility("default")))

#endif
