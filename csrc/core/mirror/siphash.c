#include "siphash.h"

uint64_t sc3_key_hash(sc3_sip_key key, sc3_slice text) {
  return sc3_siphash(key, text, SC3_SIP_ROUNDS, SC3_SIP_FINALS);
}
