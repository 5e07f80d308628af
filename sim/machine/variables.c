/* A simulated thread has thread-local variables of its own, though it runs in a real one with
 * others: they are exchanged with it. Not by their names, of which one would be forgotten, but as
 * the linker has laid them out: the whole block of the program, of this library, and of each
 * library that needs this one. Those of other libraries stay the real thread's: libc's allocator
 * has its own there. */
#include "sim/machine/variables_priv.h"

#include <link.h>
#include <stdbool.h>
#include <string.h>

#include "hub/base/check.h"

#define BLOCKS_MOST 32
#define NAME "libhubbub-sim"

/* The variables of one program or library. */
struct block {
	unsigned char *here; /* in this thread */
	size_t size;
	const unsigned char *image; /* what they begin with; zeros follow */
	size_t image_size;
};

static struct block blocks[BLOCKS_MOST];
static int count;

static const ElfW(Phdr) * header_of(const struct dl_phdr_info *library, ElfW(Word) type)
{
	for (int i = 0; i < library->dlpi_phnum; i++)
		if (library->dlpi_phdr[i].p_type == type)
			return &library->dlpi_phdr[i];
	return NULL;
}

/* Whether a library needs this one. */
static bool
needs_this(const struct dl_phdr_info *library)
{
	const ElfW(Phdr) *header = header_of(library, PT_DYNAMIC);
	const char *texts = NULL;

	if (header == NULL)
		return false;
	const ElfW(Dyn) *entries = (const void *)(library->dlpi_addr + header->p_vaddr);
	for (const ElfW(Dyn) *entry = entries; entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_STRTAB)
			texts = (const char *)entry->d_un.d_ptr;
	for (const ElfW(Dyn) *entry = entries; entry->d_tag != DT_NULL && texts != NULL; entry++)
		if (entry->d_tag == DT_NEEDED &&
			strncmp(texts + entry->d_un.d_val, NAME, strlen(NAME)) == 0)
			return true;
	return false;
}

static bool
contains(const struct dl_phdr_info *library, const void *address)
{
	for (int i = 0; i < library->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &library->dlpi_phdr[i];

		if (header->p_type == PT_LOAD &&
			(ElfW(Addr))address - library->dlpi_addr - header->p_vaddr <
				header->p_memsz)
			return true;
	}
	return false;
}

/* dl_iterate_phdr(3) begins with the program. */
static int
add(struct dl_phdr_info *library, size_t size, void *is_first)
{
	const ElfW(Phdr) *variables = header_of(library, PT_TLS);
	bool is_meant = *(bool *)is_first;

	(void)size;
	*(bool *)is_first = false;
	if (variables == NULL || library->dlpi_tls_data == NULL)
		return 0;
	if (!is_meant && !contains(library, blocks) && !needs_this(library))
		return 0;
	CHECK_WHY(count < BLOCKS_MOST, "too many libraries for a simulated world");
	blocks[count++] = (struct block){library->dlpi_tls_data, variables->p_memsz,
		(const unsigned char *)(library->dlpi_addr + variables->p_vaddr),
		variables->p_filesz};
	return 0;
}

size_t
variables_find(void)
{
	bool is_first = true;
	size_t size = 0;

	count = 0;
	dl_iterate_phdr(add, &is_first);
	for (int i = 0; i < count; i++)
		size += blocks[i].size;
	return size;
}

bool
variables_have(const void *variable)
{
	for (int i = 0; i < count; i++)
		if ((size_t)((const unsigned char *)variable - blocks[i].here) < blocks[i].size)
			return true;
	return false;
}

void
variables_init(unsigned char *kept)
{
	for (int i = 0; i < count; kept += blocks[i++].size) {
		memset(kept, 0, blocks[i].size);
		memcpy(kept, blocks[i].image, blocks[i].image_size);
	}
}

void
variables_keep(unsigned char *kept)
{
	for (int i = 0; i < count; kept += blocks[i++].size)
		memcpy(kept, blocks[i].here, blocks[i].size);
}

void
variables_bring(const unsigned char *kept)
{
	for (int i = 0; i < count; kept += blocks[i++].size)
		memcpy(blocks[i].here, kept, blocks[i].size);
}
