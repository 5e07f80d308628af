/* The two routines of the switch that C cannot express. arch_entry is the first instruction of a
 * coroutine on aarch64. In: x29 is the coroutine (arch_context.fp), x0 the value of the first
 * switch, sp a multiple of 16. x30 is undefined for unwinders, since this is the outermost frame;
 * x29 = 0 ends the chain for tools that follow frame pointers. */
	.text
	.globl	arch_entry
	.hidden	arch_entry
	.hidden	hub_coroutine_main
	.type	arch_entry, %function
	.p2align 4
arch_entry:
	.cfi_startproc
	.cfi_undefined x30
	hint	#36
	mov	x1, x0
	mov	x0, x29
	mov	x29, #0
	mov	x30, #0
	bl	hub_coroutine_main
	brk	#1
	.cfi_endproc
	.size	arch_entry, .-arch_entry

/* void *arch_switch_tail(from x0, to x1, value x2): arch_switch as a function's last act. Saves the
 * registers that AAPCS64 6.1 calls callee-saved: x19-x28, x29, x30 and the low halves of v8-v15. */
	.globl	arch_switch_tail
	.hidden	arch_switch_tail
	.type	arch_switch_tail, %function
	.p2align 4
arch_switch_tail:
	.cfi_startproc
	hint	#34
	stp	x29, x30, [sp, #-160]!
	.cfi_def_cfa_offset 160
	.cfi_offset x29, -160
	.cfi_offset x30, -152
	stp	x19, x20, [sp, #16]
	.cfi_offset x19, -144
	.cfi_offset x20, -136
	stp	x21, x22, [sp, #32]
	.cfi_offset x21, -128
	.cfi_offset x22, -120
	stp	x23, x24, [sp, #48]
	.cfi_offset x23, -112
	.cfi_offset x24, -104
	stp	x25, x26, [sp, #64]
	.cfi_offset x25, -96
	.cfi_offset x26, -88
	stp	x27, x28, [sp, #80]
	.cfi_offset x27, -80
	.cfi_offset x28, -72
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	adr	x3, 1f
	mov	x4, sp
	stp	x4, x29, [x0]
	str	x3, [x0, #16]
	mov	x0, x2
	ldp	x4, x29, [x1]
	ldr	x3, [x1, #16]
	mov	sp, x4
	br	x3
1:	hint	#36
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	ldp	x29, x30, [sp], #160
	.cfi_def_cfa_offset 0
	br	x30
	.cfi_endproc
	.size	arch_switch_tail, .-arch_switch_tail
	.section .note.GNU-stack, "", %progbits
