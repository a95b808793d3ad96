#include "siphash.h"

enum { ROUNDS = 1, FINALS = 3, LENGTH = 4 };

uint64_t sc3_key_hash(sc3_sip_key key, sc3_slice text) {
  return sc3_siphash(key, text, ROUNDS, FINALS);
}

void sc3_sip_cell(sc3_sip *s, sc3_slice cell) {
  const unsigned char *p = (const unsigned char *)cell.p;
  const size_t n = p != NULL ? cell.n : 0;
  /* No row holds a cell of 4 GiB. */
  uint64_t word = p != NULL ? (uint32_t)n : UINT32_MAX;
  size_t at = LENGTH;
  if (n < LENGTH) {
    sc3_sip_compress(s, word | sc3_sip_rest(p, n) << 32, ROUNDS);
    s->bytes += 8;
    return;
  }
  sc3_sip_compress(s, word | (uint64_t)sc3_load32(p) << 32, ROUNDS);
  for (; n - at >= 8; at += 8)
    sc3_sip_compress(s, sc3_load64(p + at), ROUNDS);
  if (at < n) {
    /* The bytes before are the cell's own: the last eight are read at once where there are as many.
     */
    word = n >= 8 ? sc3_load64(p + n - 8) >> 8 * (8 - (n - at)) : sc3_sip_rest(p + at, n - at);
    sc3_sip_compress(s, word, ROUNDS);
  }
  s->bytes += (LENGTH + n + 7) & ~(uint64_t)7;
}

uint64_t sc3_cells_hash(const sc3_sip *s) {
  return sc3_sip_end(*s, 0, 0, ROUNDS, FINALS);
}
