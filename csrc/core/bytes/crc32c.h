/* CRC-32C (Castagnoli), the checksum of iSCSI and ext4: RFC 3720 section 12.1, vectors in its
 * appendix B.4. It finds every change within 32 bits in a row. */
#ifndef SC3_CRC32C_H
#define SC3_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `n` bytes after bytes whose checksum is `crc`; 0 to begin with. The first bytes
   never change what a difference in `crc` does: two texts that differ only in `crc` never have the
   same checksum. */
uint32_t sc3_crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
