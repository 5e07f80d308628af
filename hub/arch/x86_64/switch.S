/* The two routines of the switch that C cannot express. arch_entry is the first instruction of a
 * coroutine on x86-64. In: rbp is the coroutine (arch_context.fp), rax the value of the first
 * switch, rsp a multiple of 16. rip is undefined for unwinders, since this is the outermost frame;
 * rbp = 0 ends the chain for tools that follow frame pointers. */
	.text
	.globl	arch_entry
	.hidden	arch_entry
	.hidden	hub_coroutine_main
	.type	arch_entry, @function
	.p2align 4
arch_entry:
	.cfi_startproc
	.cfi_undefined rip
	endbr64
	movq	%rbp, %rdi
	movq	%rax, %rsi
	xorl	%ebp, %ebp
	call	hub_coroutine_main
	ud2
	.cfi_endproc
	.size	arch_entry, .-arch_entry

/* void *arch_switch_tail(from rdi, to rsi, value rdx): arch_switch as a function's last act. The
 * callee-saved registers are pushed. The return is a jump, because the return predictor holds the
 * callers of the other coroutine. `notrack`: its target is a return site, without endbr64. */
	.globl	arch_switch_tail
	.hidden	arch_switch_tail
	.type	arch_switch_tail, @function
	.p2align 4
arch_switch_tail:
	.cfi_startproc
	endbr64
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r13, 0
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r14, 0
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r15, 0
	leaq	1f(%rip), %rcx
	movq	%rsp, 0(%rdi)
	movq	%rbp, 8(%rdi)
	movq	%rcx, 16(%rdi)
	movq	%rdx, %rax
	movq	0(%rsi), %rsp
	movq	8(%rsi), %rbp
	jmpq	*16(%rsi)
1:	endbr64
	popq	%r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore r15
	popq	%r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore r14
	popq	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore r13
	popq	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	popq	%rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register rip, rcx
	notrack jmpq *%rcx
	.cfi_endproc
	.size	arch_switch_tail, .-arch_switch_tail
	.section .note.GNU-stack, "", @progbits
