/* The files of the live page, byte for byte, each between two symbols that admin.c knows. */
	.macro file name, path
	.globl \name
	.hidden \name
	.globl \name\()_end
	.hidden \name\()_end
\name:
	.incbin "\path"
\name\()_end:
	.byte 0
	.endm

	.section .rodata
	file admin_page, "master/face/page/page.html"
	file admin_style, "master/face/page/page.css"
	file admin_script, "master/face/page/page.js"
	.section .note.GNU-stack, "", %progbits
