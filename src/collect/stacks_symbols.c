/* The tables are found by the file's section headers: those of the dynamic symbols stay when a file is stripped. Every
 * number in the file is an outsider's and is checked against a bound before it is used; what is read is copied, never
 * mapped, so a file that is cut short meanwhile costs a failed read and not a SIGBUS. */
#include "collect/stacks_symbols.h"

#include "base/err.h"
#include "base/mem.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { SECTIONS_MAX = 1024, PARTS_MAX = 64, TABLE_BYTES_MAX = 64 * 1024 * 1024 };

struct table {
	void *bytes; /* owned */
	size_t length;
};

static int read_at(int fd, void *to, size_t bytes, uint64_t offset)
{
	ssize_t got = pread(fd, to, bytes, (off_t)offset);
	return got < 0 ? -errno : (size_t)got == bytes ? 0 : -SM_ERR_FORMAT;
}

static int read_table(int fd, uint64_t offset, uint64_t bytes, struct table *ret_table)
{
	if (!bytes || bytes > TABLE_BYTES_MAX || offset > INT64_MAX - bytes) {
		return -SM_ERR_FORMAT;
	}
	void *memory = sm_mem_alloc((size_t)bytes);
	int r = memory ? read_at(fd, memory, (size_t)bytes, offset) : -ENOMEM;
	if (r) {
		sm_mem_free(memory);
		return r;
	}
	*ret_table = (struct table){memory, (size_t)bytes};
	return 0;
}

static bool is_fitting(const Elf64_Ehdr *header)
{
	return !memcmp(header->e_ident, ELFMAG, SELFMAG) &&
	       header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
	       header->e_shentsize == sizeof(Elf64_Shdr) && header->e_shnum &&
	       header->e_shnum <= SECTIONS_MAX && header->e_phentsize == sizeof(Elf64_Phdr) &&
	       header->e_phnum && header->e_phnum <= PARTS_MAX;
}

static int find_first_address(int fd, const Elf64_Ehdr *header, uint64_t *ret_address)
{
	Elf64_Phdr parts[PARTS_MAX];
	int r = read_at(fd, parts, header->e_phnum * sizeof(*parts), header->e_phoff);
	for (int i = 0; !r && i < header->e_phnum; i++) {
		if (parts[i].p_type == PT_LOAD && !parts[i].p_offset) {
			*ret_address = parts[i].p_vaddr;
			return 0;
		}
	}
	return r ? r : -SM_ERR_FORMAT;
}

static bool is_name(const struct table *names, uint32_t at, const char *name)
{
	size_t length = strlen(name) + 1;
	return at < names->length && length <= names->length - at &&
	       !memcmp((const char *)names->bytes + at, name, length);
}

static void look_through(
	const struct table *symbols, const struct table *names, struct sm_stacks_symbols *found)
{
	const Elf64_Sym *symbol = symbols->bytes;
	for (size_t i = 0; i < symbols->length / sizeof(*symbol); i++) {
		if (symbol[i].st_shndx == SHN_UNDEF) {
			continue;
		}
		if (is_name(names, symbol[i].st_name, "_PyRuntime")) {
			found->runtime = symbol[i].st_value;
		} else if (is_name(names, symbol[i].st_name, "Py_Version")) {
			found->version = symbol[i].st_value;
		}
	}
}

static int look_into(int fd, const Elf64_Shdr *sections, int count, const Elf64_Shdr *section,
	struct sm_stacks_symbols *found)
{
	struct table symbols = {0}, names = {0};
	if (section->sh_link >= (uint32_t)count) {
		return -SM_ERR_FORMAT;
	}
	const Elf64_Shdr *texts = &sections[section->sh_link];
	int r = read_table(fd, section->sh_offset, section->sh_size, &symbols);
	r = r ? r : read_table(fd, texts->sh_offset, texts->sh_size, &names);
	if (!r) {
		look_through(&symbols, &names, found);
	}
	sm_mem_free(symbols.bytes);
	sm_mem_free(names.bytes);
	return r;
}

static int search(int fd, const Elf64_Ehdr *header, uint32_t kind, struct sm_stacks_symbols *found)
{
	struct table table = {0};
	int r = read_table(fd, header->e_shoff, header->e_shnum * sizeof(Elf64_Shdr), &table);
	const Elf64_Shdr *sections = table.bytes;
	for (int i = 0; !r && i < header->e_shnum && !found->runtime; i++) {
		if (sections[i].sh_type == kind) {
			r = look_into(fd, sections, header->e_shnum, &sections[i], found);
		}
	}
	sm_mem_free(table.bytes);
	return r;
}

static int read_file(int fd, struct sm_stacks_symbols *found)
{
	Elf64_Ehdr header;
	int r = read_at(fd, &header, sizeof(header), 0);
	r = r ? r : is_fitting(&header) ? 0 : -SM_ERR_FORMAT;
	r = r ? r : find_first_address(fd, &header, &found->first_address);
	r = r ? r : search(fd, &header, SHT_DYNSYM, found);
	if (!r && !found->runtime) {
		r = search(fd, &header, SHT_SYMTAB, found); /* linked without -rdynamic */
	}
	return r ? r : found->runtime ? 0 : -ENOENT;
}

int sm_stacks_symbols_read(const char *path, struct sm_stacks_symbols *ret_symbols)
{
	struct sm_stacks_symbols found = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	int r = read_file(fd, &found);
	close(fd);
	if (!r) {
		*ret_symbols = found;
	}
	return r;
}
