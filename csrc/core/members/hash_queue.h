/* Hashes that are computed together: those of several rows, because a row has fewer than there are
 * lanes. Where a hash belongs, in the members of the row under way or in a payload, stand zeros
 * meanwhile. */
#ifndef SC3_HASH_QUEUE_H
#define SC3_HASH_QUEUE_H

#include "member.h"
#include "payload.h"

typedef struct sc3_hash_queue {
  size_t lanes; /* so many are computed together; 0: none is put off */
  size_t count;
  size_t moved; /* of them, the first so many belong into payloads, and the others into members that
                   are in none yet */
  struct {
    sc3_payload *payload;
    size_t member; /* of the payload */
    size_t at;     /* in its JSON, or in the bytes of the members that are in none */
    size_t n;
    char text[SC3_SHA256_ONE_BLOCK];
  } of[SC3_SHA256_LANES_MAX];
  sc3_unhashed fresh; /* of the member that is written now */
} sc3_hash_queue;

/* Puts hashes off from now on, where the processor gains by it. */
void sc3_hash_queue_open(sc3_hash_queue *q);

/* Takes the fresh ones in, of the member whose JSON begins at `offset` of `staged`. Computes all
 * once there are enough. */
void sc3_hash_queue_push(sc3_hash_queue *q, sc3_buffer *staged, size_t offset);

/* Says that the member at `offset` of the staged bytes, which is `length` bytes long, was copied
 * into the payload as its last. Members are moved in the order in which they were pushed. */
void sc3_hash_queue_move(sc3_hash_queue *q, size_t offset, size_t length, sc3_payload *payload);

/* Whether some belong into members that are in no payload. */
static inline int sc3_hash_queue_waits(const sc3_hash_queue *q) {
  return q->count > q->moved;
}

/* Forgets what belongs into members that are in no payload. */
static inline void sc3_hash_queue_forget_staged(sc3_hash_queue *q) {
  q->count = q->moved;
}

/* Computes all that are left, and puts off none from now on. No payload may have been emptied or
 * freed since one of its hashes was put off. */
void sc3_hash_queue_close(sc3_hash_queue *q, sc3_buffer *staged);

#endif
