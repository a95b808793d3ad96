/* What a mirror knows of a person: a record for all audiences of a source. */
#ifndef SC3_MIRROR_RECORD_H
#define SC3_MIRROR_RECORD_H

#include <stdint.h>

#include "../bytes/slice.h"

enum {
  SC3_MIRROR_AUDIENCES = 16, /* at most in a state */
  SC3_MIRROR_ID_MAX = 65535, /* bytes of an id */
  SC3_MIRROR_PARTS_BITS = 12 /* 4,096 partitions at most */
};

/* How a person stands in an audience, in two bits. */
typedef enum sc3_standing {
  SC3_AWAY,
  SC3_KNOWN,  /* the service has exactly the version whose hash is `member` */
  SC3_UNSURE, /* the person may be there, in any version; never compared */
  SC3_ASKED   /* of candidates, never of a record: the person stays as before, unless excluded */
} sc3_standing;

/* `member` describes the version of every audience that is SC3_KNOWN. So does `cells`, but not
   where they are rejected, and not of those who refuse them. */
typedef struct sc3_mirror_record {
  /* Of the id. Two ids with the same one are taken for one: among 100 million that happens in 1 of
     3,700 states. */
  uint64_t hash;
  uint64_t cells;  /* of the row */
  uint64_t member; /* of the member */
  uint32_t run;    /* the night of the last acceptance; 0 = none */
  uint32_t standing;
  uint16_t refused;       /* audiences for which the service refused the member of these cells */
  unsigned char rejected; /* a row with these cells gives no member */
  sc3_slice id;           /* borrowed */
} sc3_mirror_record;

static inline sc3_standing sc3_stands(uint32_t standing, unsigned audience) {
  return (sc3_standing)(standing >> 2 * audience & 3);
}

static inline uint32_t sc3_with_standing(uint32_t standing, unsigned audience, sc3_standing to) {
  return (standing & ~(UINT32_C(3) << 2 * audience)) | (uint32_t)to << 2 * audience;
}

/* A bit for each audience that is SC3_KNOWN, at the lower bit of its standing. */
static inline uint32_t sc3_known(uint32_t standing) {
  return standing & UINT32_C(0x55555555);
}

/* The same where `those`, of sc3_known(), are SC3_UNSURE. */
static inline uint32_t sc3_as_unsure(uint32_t standing, uint32_t those) {
  return (standing & ~those) | those << 1;
}

/* A state's number of partitions is 2^bits; the first bits of a hash name its own. */
static inline size_t sc3_part_of(uint64_t hash, unsigned bits) {
  return bits > 0 ? (size_t)(hash >> (64 - bits)) : 0;
}

#endif
