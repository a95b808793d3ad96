#include "row_hash.h"

#include <string.h>

/* A word of the key of NH: SipHash-2-4, so that it is of no id. */
static uint64_t draw(sc3_sip_key from, size_t number) {
  static const char NAME[] = "scope3 nh ";
  enum { NAMED = sizeof NAME - 1, ROUNDS = 2, FINALS = 4 };
  char text[NAMED + 1];
  memcpy(text, NAME, NAMED);
  text[NAMED] = (char)number;
  return sc3_siphash(from, sc3_slice_of(text, sizeof text), ROUNDS, FINALS);
}

void sc3_row_key_init(sc3_row_key *key, sc3_sip_key from, sc3_slice version) {
  size_t i;
  key->key = from;
  key->version = sc3_key_hash(from, version);
  for (i = 0; i < SC3_NH_WORDS; i++)
    key->nh.words[i] = draw(from, i);
  key->nh.fold = draw(from, SC3_NH_WORDS);
}

uint64_t sc3_text_hash(const sc3_row_key *key, sc3_slice text) {
  sc3_nh h = sc3_nh_begin(&key->nh, 0);
  sc3_nh_pair(&h, text.n, 0);
  sc3_nh_bytes(&h, text);
  return sc3_nh_finish(h);
}
