/* What every public header begins and ends with: C linkage, and visibility in the shared library,
 * where everything else is hidden. */
#ifndef HUBBUB_API_H
#define HUBBUB_API_H

#ifdef __cplusplus
#define HUBBUB_API_BEGIN                                                                           \
	extern "C" {                                                                               \
	_Pragma("GCC visibility push(default)")
#define HUBBUB_API_END                                                                             \
	_Pragma("GCC visibility pop")                                                              \
	}
#else
#define HUBBUB_API_BEGIN _Pragma("GCC visibility push(default)")
#define HUBBUB_API_END _Pragma("GCC visibility pop")
#endif

#endif
