/* Bytes in partitions: what is put into each comes out again in order, once. A few kilobytes of
   each partition lie in memory, the rest in blocks of a temporary file. */
#ifndef SC3_PART_SPOOL_H
#define SC3_PART_SPOOL_H

#include <string.h>

#include "../bytes/buffer.h"
#include "../bytes/fetch.h"
#include "blocks.h"
#include "row_place.h"

typedef struct sc3_spool_part {
  unsigned char *tail; /* a block that is being filled; NULL = none yet */
  uint32_t n;          /* bytes of it */
  uint32_t entries;    /* that were put, as a hint; it stands still at its end */
  sc3_chain chain;
  sc3_row_place before; /* of the row that was put last: the next one is written beside it */
} sc3_spool_part;

typedef struct sc3_part_spool {
  sc3_blocks *blocks;
  sc3_spool_part *parts;
  size_t count;
} sc3_part_spool;

sc3_mirror_status sc3_part_spool_open(sc3_part_spool *s, sc3_blocks *blocks, size_t count);

/* Idempotent after sc3_part_spool_open(), whatever that answered. */
void sc3_part_spool_close(sc3_part_spool *s);

/* What sc3_part_put() does where the block is full. */
sc3_mirror_status sc3_part_spill(sc3_part_spool *s, size_t part, const void *p, size_t n);

/* Appends an entry of `n` bytes, which is to be written where this points to; NULL where the block
   under way has no room: then sc3_part_spill() appends it. An entry that is written in pieces and
   then copied is waited for. */
static inline unsigned char *sc3_part_room(sc3_part_spool *s, size_t part, size_t n) {
  sc3_spool_part *to = &s->parts[part];
  unsigned char *room = NULL;
  to->entries += to->entries < UINT32_MAX;
  if (to->tail != NULL && SC3_BLOCK - to->n >= n) {
    room = to->tail + to->n;
    to->n += (uint32_t)n;
  }
  return room;
}

/* Fetches what sc3_part_room() of that partition begins with. */
static inline void sc3_part_expect(const sc3_part_spool *s, size_t part) {
  const unsigned char *of = (const unsigned char *)&s->parts[part];
  SC3_FETCH_TO_WRITE(of);
  SC3_FETCH_TO_WRITE(of + sizeof *s->parts - 1);
}

/* Fetches the lines of the cache that the next entry of the partition is written to, where it and
   the last one, at `room`, are of `n` bytes. When it comes, those of many other partitions have
   been written. It may lie behind the block: then nothing comes of it. */
static inline void sc3_part_prefetch(const unsigned char *room, size_t n) {
  const uintptr_t next = (uintptr_t)room + n;
  SC3_FETCH_TO_WRITE_LATER((const void *)next);
  SC3_FETCH_TO_WRITE_LATER((const void *)(next + n - 1));
}

/* Appends an entry. After a failure a part of it may be there: nothing of the spool is of use then.
 */
static inline sc3_mirror_status sc3_part_put(sc3_part_spool *s, size_t part, const void *p,
                                             size_t n) {
  unsigned char *room = sc3_part_room(s, part, n);
  if (room == NULL)
    return sc3_part_spill(s, part, p, n);
  memcpy(room, p, n);
  return SC3_MIRROR_OK;
}

/* Reads a partition, which is empty afterwards. */
typedef struct sc3_part_reader {
  sc3_part_spool *spool;
  sc3_spool_part *part; /* NULL = nothing is being read */
  unsigned char *block; /* its own, or the partition's last */
  size_t at, n;
  sc3_row_place before; /* of the row that was read last */
  sc3_mirror_status status;
} sc3_part_reader;

sc3_mirror_status sc3_part_begin(sc3_part_reader *r, sc3_part_spool *s, size_t part);

/* What sc3_part_read() does at the end of a block. */
int sc3_part_refill(sc3_part_reader *r, void *to, size_t n);

/* The next `n` bytes; 0 at the end, or where r->status says what went wrong. */
static inline int sc3_part_read(sc3_part_reader *r, void *to, size_t n) {
  if (r->n - r->at < n)
    return sc3_part_refill(r, to, n);
  memcpy(to, r->block + r->at, n);
  r->at += n;
  return 1;
}

/* The same where they lie, or in `aside` where a block ends between them; NULL in place of 0. */
static inline const unsigned char *sc3_part_view(sc3_part_reader *r, unsigned char *aside,
                                                 size_t n) {
  const unsigned char *p = r->block + r->at;
  if (r->n - r->at < n)
    return sc3_part_refill(r, aside, n) ? aside : NULL;
  r->at += n;
  return p;
}

/* Gives back what the reading holds, and the rest of the partition. Idempotent; also for zeros. */
void sc3_part_end(sc3_part_reader *r);

/* Reads a partition at once, in place of what is in `to`. */
sc3_mirror_status sc3_part_take(sc3_part_spool *s, size_t part, sc3_buffer *to);

#endif
