#include "siphash.h"

uint64_t sc3_key_hash(sc3_sip_key key, sc3_slice text) {
  return sc3_siphash(key, text, SC3_SIP_ROUNDS, SC3_SIP_FINALS);
}

void sc3_sip_cell(sc3_sip *s, sc3_slice cell) {
  sc3_sip_take_cell(s, cell);
}
