/* Where an interpreter keeps what it exports: addresses of symbols in an ELF file. */
#ifndef SM_COLLECT_STACKS_SYMBOLS_H
#define SM_COLLECT_STACKS_SYMBOLS_H

#include <stdint.h>

struct sm_stacks_symbols {
	uint64_t runtime;	/* _PyRuntime; as the file counts addresses */
	uint64_t version;	/* Py_Version; 0: not there, before 3.11 */
	uint64_t first_address; /* of the part that begins at the start of the file */
};

/* 0, -ENOENT where it exports no _PyRuntime, -SM_ERR_FORMAT for what is no such file, or -errno. */
int sm_stacks_symbols_read(const char *path, struct sm_stacks_symbols *ret_symbols);

#endif
