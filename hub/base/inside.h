/* Marks what the libraries above this one need and users do not. The shared library exports such a
 * symbol under a name of its own and a private version (HUBBUB_PRIVATE_..., see versions.map.in):
 * only libraries of the same build ask for it, and no symbol of a program can take its place. The
 * static library does not show the symbol. The mark ends a declaration, before other attributes. */
#ifndef HUBBUB_BASE_INSIDE_H
#define HUBBUB_BASE_INSIDE_H

#ifdef HUB_ITSELF
/* Protected: the library that defines the symbol reaches it directly, as if no other library
 * did. */
#define HUB_INSIDE(name) __asm__("_hub_" #name) __attribute__((visibility("protected")))
#else
#define HUB_INSIDE(name) __asm__("_hub_" #name) __attribute__((visibility("default")))
#endif

#endif
