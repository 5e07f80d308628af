/* x86-64, System V ABI. Offsets of struct arch_context: sp 0, fp 8, ip 16. */
#ifndef HUBBUB_ARCH_X86_64_SWITCH_H
#define HUBBUB_ARCH_X86_64_SWITCH_H

#ifdef __AVX512F__
#define ARCH_CLOBBER_AVX512                                                                        \
	, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24",         \
		"xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3",   \
		"k4", "k5", "k6", "k7"
#else
#define ARCH_CLOBBER_AVX512
#endif

/* Saves the running stack's context in from, and continues to. Returns when something switches to
 * from again, with the value of that switch. rbp cannot be named as clobbered where it is the frame
 * pointer, and unwinders need it: so the assembly saves it. */
static inline __attribute__((always_inline)) void *
arch_switch(struct arch_context *from, const struct arch_context *to, void *value)
{
	__asm__ volatile("leaq 1f(%%rip), %%rcx\n\t"
			 "movq %%rsp, 0(%%rdi)\n\t"
			 "movq %%rbp, 8(%%rdi)\n\t"
			 "movq %%rcx, 16(%%rdi)\n\t"
			 "movq 0(%%rsi), %%rsp\n\t"
			 "movq 8(%%rsi), %%rbp\n\t"
			 "jmpq *16(%%rsi)\n\t"
			 "1:\n\t"
			 "endbr64\n\t"
			 : "+a"(value), "+D"(from), "+S"(to)
			 :
			 : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
			 "r15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
			 "mm0", "mm1", "mm2", "mm3", "mm4", "mm5", "mm6", "mm7", "xmm0", "xmm1",
			 "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
			 "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc",
			 "memory" ARCH_CLOBBER_AVX512);
	return value;
}

#endif
