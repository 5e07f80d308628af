/* aarch64, AAPCS64. Offsets of struct arch_context: sp 0, fp 8, ip 16. */
#ifndef HUBBUB_ARCH_AARCH64_SWITCH_H
#define HUBBUB_ARCH_AARCH64_SWITCH_H

/* As on x86-64. x18 is clobbered, too: some platforms reserve it, but compilers use it on Linux.
 * The assembly saves x29, the frame pointer. It ends in `br`, not `ret`, because the return
 * predictor does not know this target; `hint 36` is `bti j`. */
static inline __attribute__((always_inline)) void *
arch_switch(struct arch_context *from, const struct arch_context *to, void *value)
{
	register void *x0 __asm__("x0") = value;
	register struct arch_context *x1 __asm__("x1") = from;
	register const struct arch_context *x2 __asm__("x2") = to;

	__asm__ volatile("adr x3, 1f\n\t"
			 "mov x4, sp\n\t"
			 "stp x4, x29, [x1]\n\t"
			 "str x3, [x1, #16]\n\t"
			 "ldp x4, x29, [x2]\n\t"
			 "ldr x3, [x2, #16]\n\t"
			 "mov sp, x4\n\t"
			 "br x3\n\t"
			 "1:\n\t"
			 "hint #36\n\t"
			 : "+r"(x0), "+r"(x1), "+r"(x2)
			 :
			 : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
			 "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
			 "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4",
			 "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
			 "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",
			 "v26", "v27", "v28", "v29", "v30", "v31", "cc", "memory");
	return x0;
}

#endif
