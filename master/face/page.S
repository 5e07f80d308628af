/* The live page of the admin server: page.html, byte for byte, between two symbols that admin.c
 * knows. */
	.section .rodata
	.globl admin_page
	.hidden admin_page
	.globl admin_page_end
	.hidden admin_page_end
admin_page:
	.incbin "master/face/page.html"
admin_page_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
