/* Chunks that are not in the partitions of a state yet, and what they say of each partition. All
   chunks are given first, in order, and then each partition is asked for once. Memory is that of
   one partition; the entries wait in a temporary file. */
#ifndef SC3_MIRROR_UNFOLDED_H
#define SC3_MIRROR_UNFOLDED_H

#include "gather.h"

typedef struct sc3_unfolded_options {
  unsigned bits;      /* 2^bits partitions, at most SC3_MIRROR_PARTS_BITS */
  unsigned audiences; /* 1 to SC3_MIRROR_AUDIENCES */
  const char *folder; /* of the temporary file */
} sc3_unfolded_options;

typedef struct sc3_unfolded {
  unsigned bits, audiences;
  sc3_blocks blocks;
  sc3_part_spool spool;
  sc3_gather gather;   /* the partition that was read last */
  unsigned char *read; /* of each partition */
  int begun;           /* a partition was read: no chunk comes any more */
  sc3_mirror_status status;
  int error; /* the errno of `status` */
} sc3_unfolded;

/* Of zeros. */
sc3_mirror_status sc3_unfolded_open(sc3_unfolded *u, const sc3_unfolded_options *options);

/* Leaves errno as it is. Also after an open that failed. */
void sc3_unfolded_close(sc3_unfolded *u);

/* Notes a failure. After one, here or in a caller, every call gives it again. */
sc3_mirror_status sc3_unfolded_keep(sc3_unfolded *u, sc3_mirror_status status);

sc3_mirror_status sc3_unfolded_chunk(sc3_unfolded *u, sc3_slice blob,
                                     const sc3_outcome_range *ranges, size_t count);

/* Reads what there is of a partition into `gather`. */
sc3_mirror_status sc3_unfolded_read(sc3_unfolded *u, size_t part);

#endif
