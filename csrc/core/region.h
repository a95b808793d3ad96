/* Countries as people and exports write them. */
#ifndef SC3_REGION_H
#define SC3_REGION_H

#include "slice.h"

/* The numbering plan's region (see phone_plan.h) that a name means: ISO 3166 alpha-2 or alpha-3, or the English name, in any case, with or without
   accents, punctuation, "the", and what stands in brackets. SC3_REGION_NO_PLAN for countries without phones of their own, SC3_NO_REGION for what is not
   known. */
int sc3_region_find(sc3_slice name);

#endif
