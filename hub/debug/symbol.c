/* Each look-up maps the ELF file that the address was loaded from, searches its table of symbols,
 * and unmaps it again: nothing is kept. Every offset in the file is checked against its size. */
#include "hub/debug/symbol_priv.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "hub/base/kernel.h"

/* An ELF file, mapped. Nothing that it says of itself is trusted beyond its size. */
struct image {
	const unsigned char *bytes;
	size_t size;
};

/* The records at an offset of the file; NULL if the file does not hold them all. */
static const void *
records_at(const struct image *image, uint64_t offset, uint64_t count, size_t size)
{
	return offset <= image->size && count <= (image->size - offset) / size &&
			       offset % _Alignof(ElfW(Sym)) == 0
		       ? image->bytes + offset
		       : NULL;
}

/* The symbol of the function that contains the address, which is relative to the file; NULL without
 * one. A function whose symbol has no size, as in assembly, ends where another begins. */
static const ElfW(Sym) * find_around(const ElfW(Sym) * symbols, size_t count, uintptr_t address)
{
	const ElfW(Sym) *best = NULL;

	for (size_t i = 0; i < count; i++) {
		const ElfW(Sym) *one = &symbols[i];

		if (ELF64_ST_TYPE(one->st_info) == STT_FUNC && one->st_shndx != SHN_UNDEF &&
			one->st_value <= address &&
			(one->st_size == 0 || address - one->st_value < one->st_size) &&
			(best == NULL || one->st_value > best->st_value))
			best = one;
	}
	return best;
}

/* Searches one table of symbols. */
static size_t
find_in_table(const struct image *image, const ElfW(Shdr) * table, const ElfW(Shdr) * strings,
	uintptr_t address, char *name, size_t size, size_t *offset)
{
	size_t count = table->sh_size / sizeof(ElfW(Sym)), length;
	const ElfW(Sym) *symbols = records_at(image, table->sh_offset, count, sizeof(ElfW(Sym)));
	const char *text = strings->sh_offset <= image->size &&
					   strings->sh_size <= image->size - strings->sh_offset
				   ? (const char *)image->bytes + strings->sh_offset
				   : NULL;
	const ElfW(Sym) *found =
		symbols != NULL && text != NULL ? find_around(symbols, count, address) : NULL;

	if (found == NULL || found->st_name >= strings->sh_size)
		return 0;
	length = strnlen(text + found->st_name, strings->sh_size - found->st_name);
	if (length > size - 1)
		length = size - 1;
	memcpy(name, text + found->st_name, length);
	name[length] = '\0';
	*offset = address - found->st_value;
	return length;
}

static size_t
find_in_image(const struct image *image, uintptr_t address, char *name, size_t size, size_t *offset)
{
	const ElfW(Ehdr) *head = (const ElfW(Ehdr) *)(const void *)image->bytes;
	const ElfW(Shdr) * sections;

	if (image->size < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
		head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_shentsize != sizeof *sections)
		return 0;
	sections = records_at(image, head->e_shoff, head->e_shnum, sizeof *sections);
	for (unsigned i = 0; sections != NULL && i < head->e_shnum; i++)
		if (sections[i].sh_type == SHT_SYMTAB && sections[i].sh_link < head->e_shnum)
			return find_in_table(image, &sections[i], &sections[sections[i].sh_link],
				address, name, size, offset);
	return 0;
}

static bool
open_image(const char *path, struct image *image)
{
	int fd = kernel_open(path, O_RDONLY | O_CLOEXEC, 0);
	struct stat status;
	void *bytes = MAP_FAILED;

	if (fd == -1)
		return false;
	if (kernel_fstat(fd, &status) == 0 && status.st_size > 0)
		bytes = kernel_mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	kernel_close(fd);
	if (bytes == MAP_FAILED)
		return false;
	*image = (struct image){bytes, (size_t)status.st_size};
	return true;
}

static size_t
find_in_file(
	const void *address, const struct link_map *map, char *name, size_t size, size_t *offset)
{
	struct image image;
	size_t length;

	/* The link map has no name for the program; the path that the program was started by may
	 * name another file by now. */
	if (!open_image(map->l_name[0] != '\0' ? map->l_name : "/proc/self/exe", &image))
		return 0;
	length = find_in_image(&image, (uintptr_t)address - map->l_addr, name, size, offset);
	kernel_munmap((void *)(uintptr_t)image.bytes, image.size);
	return length;
}

size_t
symbol_find(const void *address, char *name, size_t size, size_t *offset)
{
	struct link_map *map = NULL;
	size_t length;
	Dl_info info;

	if (dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) == 0 || map == NULL)
		return 0;
	length = find_in_file(address, map, name, size, offset);
	if (length > 0 || info.dli_sname == NULL)
		return length;
	/* A stripped file: names that it exports are left. */
	length = strnlen(info.dli_sname, size - 1);
	memcpy(name, info.dli_sname, length);
	name[length] = '\0';
	*offset = (size_t)((const char *)address - (const char *)info.dli_saddr);
	return length;
}
