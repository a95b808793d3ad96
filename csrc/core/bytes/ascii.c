#include "ascii.h"

int sc3_ascii_begins_with_all(sc3_slice s, const char *prefix) {
  size_t i;
  for (i = 0; prefix[i] != '\0'; i++) {
    if (i == s.n || sc3_ascii_to_lower(s.p[i]) != prefix[i])
      return 0;
  }
  return 1;
}
