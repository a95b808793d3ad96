/* Blocks of one size in a temporary file that has no name. Chains of them share the file, and a
   block that was read is given to the next that is written: the file grows to what is waiting to be
   read, not to all that went through. Blocks by which it grows are written several at once, which
   costs the system half as much: what fails may be told of by a later call. */
#ifndef SC3_BLOCKS_H
#define SC3_BLOCKS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "status.h"

enum { SC3_BLOCK = 8192, SC3_BLOCKS_AT_ONCE = 8 };
#define SC3_NO_BLOCK UINT32_MAX

typedef struct sc3_blocks {
  int fd;                          /* -1 = closed */
  pid_t owner;                     /* a child of fork would write over its parent's blocks */
  uint32_t count;                  /* of the file */
  uint32_t free;                   /* the first of those that may be written anew */
  uint32_t *next;                  /* of each block, in its chain or among the free ones */
  size_t capacity;                 /* of `next` */
  unsigned char *last;             /* room for the last blocks of the file; NULL = none yet */
  uint32_t last_first, last_count; /* those that are not written yet */
  uint64_t largest; /* bytes that the file may have: beyond, the system would end the process */
} sc3_blocks;

typedef struct sc3_chain {
  uint32_t first, last; /* SC3_NO_BLOCK = empty */
} sc3_chain;

/* Makes the file in `folder`, mode 0600, and takes its name away. */
sc3_mirror_status sc3_blocks_open(sc3_blocks *b, const char *folder);

/* Gives the file back. Idempotent after sc3_blocks_open(), whatever that answered. */
void sc3_blocks_close(sc3_blocks *b);

/* Writes a block behind the others of a chain. A failure leaves the chain as it was. */
sc3_mirror_status sc3_blocks_put(sc3_blocks *b, sc3_chain *chain, const unsigned char *block);

/* A block at the end of the file: its number, and room that is to be filled at once and is written
   later. */
sc3_mirror_status sc3_blocks_append(sc3_blocks *b, uint32_t *number, unsigned char **room);

/* Reads `n` bytes from `from` on of a block that was written, which stays. */
sc3_mirror_status sc3_blocks_read(const sc3_blocks *b, uint32_t number, size_t from, size_t n,
                                  unsigned char *to);

/* Reads the first block of a chain that is not empty, and takes it out. */
sc3_mirror_status sc3_blocks_take(sc3_blocks *b, sc3_chain *chain, unsigned char *block);

#endif
