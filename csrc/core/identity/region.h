/* Countries as people and exports write them. */
#ifndef SC3_REGION_H
#define SC3_REGION_H

#include <stdint.h>

#include "../bytes/slice.h"

enum { SC3_MEMO_SLOTS = 128, SC3_MEMO_NAME = 29 };

/* Names that were looked up already: a file says the same few over and over. */
typedef struct sc3_region_memo {
  struct {
    int16_t region;
    unsigned char n;
    char name[SC3_MEMO_NAME];
  } slots[SC3_MEMO_SLOTS];
} sc3_region_memo;

/* The numbering plan's region (see phone_plan.h) that a name means: ISO 3166 alpha-2 or alpha-3, or
   the English name, or of many countries one in German, Spanish, French, Italian, Dutch or
   Portuguese, in any case, with or without accents, punctuation, "the", and what stands in
   brackets; or a text that sc3_region_find_tagged() knows. SC3_REGION_NO_PLAN for countries without
   phones of their own, SC3_NO_REGION for what is not known. */
int sc3_region_find(sc3_slice name);

/* The country in a text such as US-WA (ISO 3166-2: capitals and a dash, the country first) or en_US
   (a locale: the country after the language); SC3_NO_REGION where it is none, or where it may be
   one of two. */
int sc3_region_find_tagged(sc3_slice name);

/* The same, by way of a memo, which is made at its first use; free() it. Without memory for one it
 * is slower, and no more. */
int sc3_region_recall(sc3_region_memo **memo, sc3_slice name);

#endif
