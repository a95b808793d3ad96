/* What stands for a row and for a member: keyed hashes, so that a file of them tells nobody what
 * they are of. An id has SipHash-1-3, which says where it lies. Cells and members are only compared
 * with others of the same id, so NH does for them. */
#ifndef SC3_ROW_HASH_H
#define SC3_ROW_HASH_H

#include "nh.h"

/* With what rows are hashed. */
typedef struct sc3_row_key {
  sc3_sip_key key;
  sc3_nh_key nh;    /* drawn from it */
  uint64_t version; /* the hash of what changes the hashes of all cells */
} sc3_row_key;

typedef struct sc3_row_hash {
  uint64_t id;    /* sc3_key_hash() of it */
  uint64_t cells; /* of the id and all cells */
} sc3_row_hash;

void sc3_row_key_init(sc3_row_key *key, sc3_sip_key from, sc3_slice version);

/* The hash of a member or another single text. */
uint64_t sc3_text_hash(const sc3_row_key *key, sc3_slice text);

/* A row under way: sc3_row_begin(), sc3_row_cell() for each cell, sc3_row_end(). The hash of its
   cells goes on from that of its id, by these pairs: `first`, and the version and `mark`; of each
   cell its mark and length, and its bytes. */
typedef struct sc3_row_hasher {
  sc3_nh nh;
  uint64_t id;
} sc3_row_hasher;

SC3_INLINE sc3_row_hasher sc3_row_begin(const sc3_row_key *key, sc3_slice id, uint64_t first,
                                        uint32_t mark) {
  sc3_row_hasher r;
  r.id = sc3_siphash(key->key, id, SC3_SIP_ROUNDS, SC3_SIP_FINALS);
  r.nh = sc3_nh_begin(&key->nh, r.id);
  sc3_nh_pair(&r.nh, first, key->version + mark);
  return r;
}

/* A cell with a mark; one that is absent has a length that no other has. */
static inline void sc3_row_cell(sc3_row_hasher *r, uint64_t mark, sc3_slice cell) {
  const size_t n = cell.p != NULL ? cell.n : 0;
  sc3_nh_pair(&r->nh, mark, cell.p != NULL ? n : UINT64_MAX);
  sc3_nh_bytes(&r->nh, sc3_slice_of(cell.p, n));
}

SC3_INLINE sc3_row_hash sc3_row_end(const sc3_row_hasher *r) {
  sc3_row_hash hash;
  hash.id = r->id;
  hash.cells = sc3_nh_finish(r->nh);
  return hash;
}

#endif
