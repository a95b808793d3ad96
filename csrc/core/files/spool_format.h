/* The bytes of a spool: its header, and the records after it.
 *
 * The file, in the byte order of the machine that wrote it. It ends in zeros.
 *
 *   offset   0  8 bytes  "sc3spool"
 *   offset   8  uint32   0x01020304, which shows the byte order
 *   offset  12  uint32   version, 3
 *   offset  16  uint32   the generation in the lower 16 bits, and the seed in the upper 16
 *   offset  20  uint32   0
 *   offset  24  uint64   the number of the last record that was kept, with its check; 0 for none
 *   offset  32  uint64   the number of the last record that was released, the same
 *   offset  40  records, each at a multiple of 8
 *
 * A record:
 *
 *   uint32  bytes of the member, at least 1; bit 31: it is a removal; bit 30: it has a label
 *   uint32  CRC-32C, continued from the seed, of the four bytes before and of all that follow
 *   uint32  the record's running number, from 1
 *   uint64  its stamp, the lower half first; never less than that of the record before
 *   bytes   the member, packed (../members/packed.h); then its label, if it has one, and the
 *           label's length in two bytes, the lower one first; these count as bytes of the member;
 *           then zeros up to a multiple of 8
 *
 * The seed is the CRC-32C of bytes 0 to 15 and of the generation as a uint32; the header holds its
 * lower 16 bits. The check of a number is the CRC-32C, continued from the seed, of the number and
 * of its offset; it takes the upper half of the uint64.
 *
 * Numbers show what is missing. A record that cannot be read is skipped and counted as lost, up to
 * the number of the last one that was kept. After that one, reading ends at the first bytes that
 * are no record. */
#ifndef SC3_SPOOL_FORMAT_H
#define SC3_SPOOL_FORMAT_H

#include "../bytes/slice.h"
#include "../members/member.h"
#include "../members/packed.h"
#include "spool_file.h"

enum {
  SC3_SPOOL_LABEL_MAX = 65535,
  SC3_SPOOL_LEAST_CAPACITY = 4096,
  SC3_SPOOL_RECORD_HEAD = 20 /* bytes of a record before the member */
};

/* The header as it lies in the file. */
typedef struct sc3_spool_header {
  char magic[8];
  uint32_t byte_order;
  uint32_t version;
  uint32_t generation; /* with its check, so that one store changes both */
  uint32_t unused;
  uint64_t kept, released; /* numbers with their checks */
} sc3_spool_header;

/* A spool's file and what its records are checked by. */
typedef struct sc3_spool_image {
  sc3_spool_file file;
  uint32_t generation, seed;
} sc3_spool_image;

typedef struct sc3_spool_record {
  sc3_slice packed, label; /* borrowed until the spool changes */
  sc3_op op;
  uint32_t number;
  uint64_t stamp;
} sc3_spool_record;

/* --- the header --- */

/* What a fresh header has: its generation and its numbers are 0. */
extern const sc3_spool_header sc3_spool_fresh_header;

/* Whether nothing was ever kept in the file: it holds zeros, and perhaps a header without its whole
 * magic, which a killed process left. Reads without the mapping. */
int sc3_spool_is_blank(const sc3_spool_file *file);

/* Reads the header without the mapping, and sets the generation. SC3_SPOOL_FOREIGN,
 * SC3_SPOOL_VERSION, SC3_SPOOL_BYTE_ORDER, SC3_SPOOL_HEADER, SC3_SPOOL_SYSTEM. */
sc3_spool_status sc3_spool_read_header(sc3_spool_image *image);

/* The generation with its check, as the header has it. */
uint32_t sc3_spool_generation_word(uint32_t generation);

/* Sets the generation, modulo 2^16, without a store to the file. */
void sc3_spool_set_generation(sc3_spool_image *image, uint32_t generation);

/* Sets it and stores it in one store, before all later stores and after all earlier ones. */
void sc3_spool_store_generation(sc3_spool_image *image, uint32_t generation);

/* Stores a number of the header with its check. `at` is the offset of `kept` or `released`. */
void sc3_spool_store_number(sc3_spool_image *image, size_t at, uint32_t number);

/* Reads such a number. 0 where its check is wrong, with `*number` 0. */
int sc3_spool_read_number(const sc3_spool_image *image, size_t at, uint32_t *number);

/* --- zeros --- */

int sc3_spool_is_zero(const char *p, size_t n);

/* The offset, at least `from`, after which the file holds only zeros. */
size_t sc3_spool_end_of_data(const sc3_spool_image *image, size_t from);

/* Writes zeros from `from` up to `to`, only where there is anything else: a page that is not
 * written to need not be written to the disk. */
void sc3_spool_wipe(sc3_spool_image *image, size_t from, size_t to);

/* --- records --- */

/* Bytes that a member takes with its label, without the head of the record and its padding. */
size_t sc3_spool_payload_size(size_t packed, size_t label);

/* Bytes that a record takes in the file. */
size_t sc3_spool_record_size(size_t packed, size_t label);

/* Whether a member of so many bytes is too long for a record, whatever its label. */
int sc3_spool_is_too_long(size_t packed);

/* What is looked for from `at` on. */
typedef struct sc3_spool_search {
  size_t at;
  uint32_t after; /* the first record with a number above this one */
  uint32_t kept;  /* the number of the last record that was kept: up to it, others are looked for */
} sc3_spool_search;

/* Finds a record. `*start` is where it was found. Returns where the next one starts, 0 when there
 * is none. */
size_t sc3_spool_find_record(const sc3_spool_image *image, const sc3_spool_search *search,
                             size_t *start, sc3_spool_record *record);

/* A record that is to be written: its member in parts, and the bytes that it has packed. */
typedef struct sc3_spool_new_record {
  sc3_packed parts;
  size_t packed;
  sc3_slice label;
  sc3_op op;
  uint32_t number;
  uint64_t stamp;
} sc3_spool_new_record;

/* Writes a record at `at` but for its first word, which is returned: until that is stored, no
 * reading finds the record. There must be room. */
uint32_t sc3_spool_write_record(sc3_spool_image *image, size_t at,
                                const sc3_spool_new_record *record);

/* Stores the first word of a record, in order with the stores before and after. */
void sc3_spool_store_word(sc3_spool_image *image, size_t at, uint32_t word);

#endif
