/* What the libraries above this one need of it, and users do not: the shared library has it under a
 * name and a version of its own (HUBBUB_PRIVATE_..., see versions.map.in), which only libraries of
 * the same build ask for, and with which nothing of a program can be confused; the static one does
 * not show it. The mark ends a declaration, before other attributes. */
#ifndef HUBBUB_BASE_INSIDE_H
#define HUBBUB_BASE_INSIDE_H

#ifdef HUB_ITSELF
/* In the library that has it, it is reached as if nobody else did. */
#define HUB_INSIDE(name) __asm__("_hub_" #name) __attribute__((visibility("protected")))
#else
#define HUB_INSIDE(name) __asm__("_hub_" #name) __attribute__((visibility("default")))
#endif

#endif
