/* Bytes of a mapping's file, and its header: what ring_reader.c and ring_names.c stand on. */
#ifndef SM_RING_RING_FILE_H
#define SM_RING_RING_FILE_H

#include "ring/ring_reader.h"

/* What lies behind the end of the file reads as zeros. 0 or -errno. */
int sm_ring_file_read(int fd, void *to, size_t bytes, uint64_t offset);
int sm_ring_file_write(int fd, uint32_t value, uint64_t offset);

int sm_ring_file_check(const struct sm_ring_header *header, struct sm_error *reterr);
void sm_ring_file_end_texts(struct sm_ring_header *header); /* puts their NULs */
bool sm_ring_file_is_our_boot(const struct sm_ring_header *header);

/* A fresh copy of the header, unless it has become unreadable or another file's: then the last good one stays. */
int sm_ring_file_refresh(struct sm_ring_reader *reader);
uint64_t sm_ring_file_slot_offset(const struct sm_ring_reader *reader, uint32_t slot);
uint32_t sm_ring_file_slot_room(const struct sm_ring_reader *reader); /* bytes for words */
int sm_ring_file_segment(
	const struct sm_ring_reader *reader, uint32_t slot, struct sm_ring_segment *ret_segment);
int sm_ring_file_words(
	const struct sm_ring_reader *reader, uint32_t slot, void *to, size_t from, size_t bytes);
int sm_ring_file_order(const void *left, const void *right); /* of struct sm_ring_due, for qsort */

#endif
