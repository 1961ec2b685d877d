/* CRC-32C (Castagnoli), as iSCSI and ext4 use it: what guards a sealed segment of a ring and a
 * block of a trace. */
#ifndef SM_BASE_CRC32C_H
#define SM_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`, the value over the bytes before; 0 to begin with. */
uint32_t sm_crc32c_add(uint32_t crc, const void *bytes, size_t length);

#endif
