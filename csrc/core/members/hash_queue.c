#include "hash_queue.h"

void sc3_hash_queue_open(sc3_hash_queue *q) {
  q->lanes = sc3_sha256_used()->lanes;
}

static void settle(sc3_hash_queue *q, sc3_buffer *staged) {
  char nowhere[SC3_SHA256_HEX]; /* for those of members that others took the place of */
  sc3_sha256_message messages[SC3_SHA256_LANES_MAX];
  size_t i;
  for (i = 0; i < q->count; i++) {
    sc3_sha256_message *m = &messages[i];
    m->p = q->of[i].text;
    m->n = q->of[i].n;
    m->hex = i < q->moved ? sc3_payload_place(q->of[i].payload, q->of[i].member, q->of[i].at)
                          : staged->p + q->of[i].at;
    if (m->hex == NULL)
      m->hex = nowhere;
  }
  sc3_sha256_hex_many(sc3_sha256_used(), messages, q->count);
  q->count = q->moved = 0;
}

void sc3_hash_queue_push(sc3_hash_queue *q, sc3_buffer *staged, size_t offset) {
  size_t i;
  for (i = 0; i < q->fresh.count; i++) {
    q->of[q->count].at = offset + q->fresh.of[i].at;
    q->of[q->count].n = q->fresh.of[i].n;
    memcpy(q->of[q->count].text, q->fresh.of[i].text, SC3_SHA256_ONE_BLOCK);
    if (++q->count >= q->lanes)
      settle(q, staged);
  }
}

void sc3_hash_queue_move(sc3_hash_queue *q, size_t offset, size_t length, sc3_payload *payload) {
  for (; q->moved < q->count && q->of[q->moved].at < offset + length; q->moved++) {
    q->of[q->moved].payload = payload;
    q->of[q->moved].member = sc3_payload_count(payload) - 1;
    q->of[q->moved].at -= offset;
  }
}

void sc3_hash_queue_close(sc3_hash_queue *q, sc3_buffer *staged) {
  settle(q, staged);
  q->lanes = 0;
}
