#include "placeholder.h"

#include "placeholder_table.h"
#include "text.h"

int sc3_placeholder(sc3_slice s) {
  size_t i;
  char first;
  if (s.n == 0)
    return 0;
  first = s.p[0] >= 'A' && s.p[0] <= 'Z' ? (char)(s.p[0] + ('a' - 'A')) : s.p[0];
  if (first == 'n' && sc3_text_begins(s, "noemail@"))
    return 1;
  if (s.n >= sizeof SC3_PLACEHOLDERS[0])
    return 0;
  for (i = 0; i < sizeof SC3_PLACEHOLDERS / sizeof SC3_PLACEHOLDERS[0]; i++) {
    const char *word = SC3_PLACEHOLDERS[i];
    if (word[0] == first && strlen(word) == s.n && sc3_text_begins(s, word))
      return 1;
  }
  return 0;
}

int sc3_placeholder_hash(const char hex[SC3_SHA256_HEX]) {
  size_t low = 0, high = sizeof SC3_PLACEHOLDER_HASHES / sizeof SC3_PLACEHOLDER_HASHES[0];
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = memcmp(hex, SC3_PLACEHOLDER_HASHES[middle], SC3_SHA256_HEX);
    if (order == 0)
      return 1;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return 0;
}
