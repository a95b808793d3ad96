#include "origins.h"

#include <time.h>

#include "../core/bytes/ascii.h"

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

uint64_t sc3_origin_of(const char *url) {
  uint64_t key = 14695981039346656037u; /* FNV-1a */
  int slashes = 0;
  for (; *url != '\0'; url++) {
    unsigned char c = (unsigned char)sc3_ascii_to_lower(*url);
    if (c == '/' && ++slashes == 3)
      break;
    key = (key ^ c) * 1099511628211u;
  }
  return key;
}

void sc3_origins_note(sc3_origins *o, uint64_t key, double seconds) {
  int i, at = 0;
  for (i = 0; i < SC3_ORIGINS && o->place[i].key != key; i++) {
    if (o->place[i].until < o->place[at].until)
      at = i;
  }
  if (i < SC3_ORIGINS)
    at = i;
  o->place[at].key = key;
  o->place[at].until = now() + seconds;
}

int sc3_origins_has(const sc3_origins *o, uint64_t key) {
  int i;
  for (i = 0; i < SC3_ORIGINS; i++) {
    if (o->place[i].key == key)
      return o->place[i].until > now();
  }
  return 0;
}
