/* Regions that nobody knows, by name, so that someone can fix the export. Only what looks like a
   country's name is kept, and only what several rows have is told: a column that was mapped by
   mistake must not put emails, phones or names of people into a report. */
#ifndef SC3_REGION_TALLY_H
#define SC3_REGION_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "../bytes/slice.h"
#include "../bytes/status.h"

enum {
  SC3_TALLY_NAMES = 64,
  SC3_TALLY_NAME_BYTES = 48,
  SC3_TALLY_TOLD = 10 /* rows that must have a name before it is told */
};

typedef struct sc3_region_tally {
  struct {
    uint64_t count;
    unsigned char n;
    char text[SC3_TALLY_NAME_BYTES];
  } names[SC3_TALLY_NAMES];
  size_t n;
  uint64_t others; /* names beyond the first ones, and what is no name */
} sc3_region_tally;

/* Counts a name (trimmed) in a tally that is made at its first use; free() it. SC3_OK or
 * SC3_ENOMEM. */
sc3_status sc3_region_tally_add(sc3_region_tally **t, sc3_slice name);

#endif
