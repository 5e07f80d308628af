#include "hub/debug/symbol_priv.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

static __attribute__((noinline, noclone)) int
not_exported(int number)
{
	return number * 3 + 1;
}

static const char *
at(const void *address, size_t *offset)
{
	static char name[64];

	*offset = SIZE_MAX;
	return symbol_find(address, name, sizeof name, offset) > 0 ? name : "";
}

Test(symbol, names_functions_that_are_not_exported)
{
	int (*volatile function)(int) = not_exported;
	const char *code = (const char *)(uintptr_t)function;
	size_t offset;

	cr_assert_str_eq(at(code, &offset), "not_exported");
	cr_assert_eq(offset, 0);
	cr_assert_str_eq(at(code + 3, &offset), "not_exported");
	cr_assert_eq(offset, 3);
}

Test(symbol, names_functions_of_libraries)
{
	size_t offset;

	cr_assert_neq(strstr(at(dlsym(RTLD_DEFAULT, "qsort"), &offset), "qsort"), NULL);
	cr_assert_eq(offset, 0);
}

Test(symbol, cuts_a_name_that_is_too_long)
{
	int (*volatile function)(int) = not_exported;
	char name[4];
	size_t offset;

	cr_assert_eq(symbol_find((const void *)(uintptr_t)function, name, sizeof name, &offset), 3);
	cr_assert_str_eq(name, "not");
}

Test(symbol, knows_no_name_where_there_is_no_function)
{
	static int data[64];
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t offset;

	cr_assert_str_eq(at(page, &offset), "");
	cr_assert_str_eq(at(NULL, &offset), "");
	cr_assert_str_neq(at(data, &offset), "not_exported");
	munmap(page, 4096);
}
