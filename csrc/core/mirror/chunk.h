/* The entries of one cut of a night, in the order of its payloads and numbered from 1, as one blob:
 *
 *   format 1, run 4, count 4, entries, CRC-32C of all before 4
 *   entry: operation 1, audience 1, hash 8, cells 8, member 8, id (members_blob.h)
 *   note: the same without an id, because it is of a record that has one
 *   entry of somebody who was forgotten: operation 1, and nothing else
 *
 * It is read with the same distrust as members_blob.h. */
#ifndef SC3_MIRROR_CHUNK_H
#define SC3_MIRROR_CHUNK_H

#include "../bytes/buffer.h"
#include "entry.h"
#include "status.h"

typedef struct sc3_chunk_writer {
  sc3_buffer out;
  uint32_t run;
  uint32_t count;
} sc3_chunk_writer;

void sc3_chunk_begin(sc3_chunk_writer *w, uint32_t run);

/* `entry->run` is not read: all have that of the chunk. */
sc3_mirror_status sc3_chunk_put(sc3_chunk_writer *w, const sc3_mirror_entry *entry);

/* Takes the last entry back, which was put when the writer was as `before`. */
static inline void sc3_chunk_take_back(sc3_chunk_writer *w, const sc3_chunk_writer *before) {
  w->out.n = before->out.n;
  w->count = before->count;
}

/* The whole blob, which `w` owns until the next entry. */
sc3_mirror_status sc3_chunk_end(sc3_chunk_writer *w, sc3_slice *blob);

/* Takes all entries back, and keeps the room that they had. */
static inline void sc3_chunk_empty(sc3_chunk_writer *w) {
  w->out.n = 0;
  w->count = 0;
}

void sc3_chunk_free(sc3_chunk_writer *w);

typedef struct sc3_chunk_reader {
  const unsigned char *p, *end;
  uint32_t left, count, run;
  unsigned audiences; /* of the state */
  uint32_t number; /* of the chunk in its state, set by who reads it for what goes again; else 0 */
} sc3_chunk_reader;

sc3_mirror_status sc3_chunk_open(sc3_chunk_reader *r, sc3_slice blob, unsigned audiences);

/* The next entry; `entry->id.p` is NULL after the last. An id that the entry does not have is
 * empty. */
sc3_mirror_status sc3_chunk_next(sc3_chunk_reader *r, sc3_mirror_entry *entry);

#endif
