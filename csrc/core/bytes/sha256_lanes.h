/* SHA-256 of as many messages at once as a vector has words: a message is a lane, and no lane waits
 * for another. Of one block each, because messages of other lengths would leave lanes idle. The
 * including file defines LANES, INLINE with its target, and ROTR, by which a vector is rotated to
 * the right. */
#ifndef SC3_SHA256_LANES_H
#define SC3_SHA256_LANES_H

#include "sha256_impl.h"

/* The word at one place of every message. */
typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

/* A round renames the variables instead of moving them; eight come back to the names they began
 * with. Where a and b differ, b and c differ in the next round: it is kept in `before`. */
#define LANES_ROUND(a, b, c, d, e, f, g, h, i)                                                     \
  do {                                                                                             \
    const lanes differ = a ^ b;                                                                    \
    h += w[i] + sc3_sha256_k[i];                                                                   \
    h += (((f ^ g) & e) ^ g) + (ROTR(e, 6) ^ ROTR(e, 11) ^ ROTR(e, 25));                           \
    d += h;                                                                                        \
    h += (b ^ (differ & before)) + (ROTR(a, 2) ^ ROTR(a, 13) ^ ROTR(a, 22));                       \
    before = differ;                                                                               \
  } while (0)

/* From the sixteen words of each message's padded block, in `w`, to the digests. */
INLINE void lanes_digest(lanes w[64], lanes digest[8]) {
  static const uint32_t start[8] = {SC3_SHA256_START};
  lanes a = start[0] - (lanes){0}, b = start[1] - (lanes){0}, c = start[2] - (lanes){0},
        d = start[3] - (lanes){0}, e = start[4] - (lanes){0}, f = start[5] - (lanes){0},
        g = start[6] - (lanes){0}, h = start[7] - (lanes){0}, before = b ^ c;
  int i;
  for (i = 16; i < 64; i++) {
    const lanes x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (ROTR(x, 7) ^ ROTR(x, 18) ^ (x >> 3)) +
           (ROTR(y, 17) ^ ROTR(y, 19) ^ (y >> 10));
  }
  for (i = 0; i < 64; i += 8) {
    LANES_ROUND(a, b, c, d, e, f, g, h, i);
    LANES_ROUND(h, a, b, c, d, e, f, g, i + 1);
    LANES_ROUND(g, h, a, b, c, d, e, f, i + 2);
    LANES_ROUND(f, g, h, a, b, c, d, e, i + 3);
    LANES_ROUND(e, f, g, h, a, b, c, d, i + 4);
    LANES_ROUND(d, e, f, g, h, a, b, c, i + 5);
    LANES_ROUND(c, d, e, f, g, h, a, b, i + 6);
    LANES_ROUND(b, c, d, e, f, g, h, a, i + 7);
  }
  digest[0] = a + start[0];
  digest[1] = b + start[1];
  digest[2] = c + start[2];
  digest[3] = d + start[3];
  digest[4] = e + start[4];
  digest[5] = f + start[5];
  digest[6] = g + start[6];
  digest[7] = h + start[7];
}

#endif
