/* Hosts to which HTTP/2 has failed, for a while. Inside csrc/http only. */
#ifndef SC3_ORIGINS_H
#define SC3_ORIGINS_H

#include <stdint.h>

enum { SC3_ORIGINS = 16 };

typedef struct sc3_origins {
  struct {
    uint64_t key; /* a hash of scheme, host and port: two that share one only lose HTTP/2 */
    double until; /* seconds of the monotonic clock; 0 = the place is free */
  } place[SC3_ORIGINS];
} sc3_origins;

/* What a URL's scheme, host and port come to. */
uint64_t sc3_origin_of(const char *url);

/* Notes one for so many seconds; where there is no place, the one that would end first makes room.
 */
void sc3_origins_note(sc3_origins *o, uint64_t key, double seconds);

/* Whether one is noted. */
int sc3_origins_has(const sc3_origins *o, uint64_t key);

#endif
