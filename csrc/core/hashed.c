#include "hashed.h"

static const char HASH_OF_EMPTY[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

sc3_hashed sc3_hashed_recognize(sc3_slice s, char hex[SC3_SHA256_HEX], sc3_reason *why) {
  size_t i;
  *why = SC3_R_NONE;
  if (s.n != 64 && s.n != 40 && s.n != 32)
    return SC3_HASHED_NOT;
  for (i = 0; i < s.n; i++) {
    char c = s.p[i];
    if (c >= 'A' && c <= 'F')
      c = (char)(c + ('a' - 'A'));
    else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
      return SC3_HASHED_NOT;
    hex[i] = c;
  }
  if (s.n == 32)
    *why = SC3_R_HASH_MD5;
  else if (s.n == 40)
    *why = SC3_R_HASH_SHA1;
  else if (memcmp(hex, HASH_OF_EMPTY, 64) == 0)
    *why = SC3_R_HASH_OF_EMPTY;
  return *why == SC3_R_NONE ? SC3_HASHED_SHA256 : SC3_HASHED_REFUSED;
}
