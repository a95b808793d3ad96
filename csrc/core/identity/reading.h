/* How the raw values of members are read: the options of a job. */
#ifndef SC3_READING_H
#define SC3_READING_H

#include "../bytes/slice.h"
#include "reason.h"
#include "region.h"

/* What becomes of an external id that is an email or a phone. */
typedef enum sc3_ids {
  SC3_IDS_REFUSE,
  SC3_IDS_HASH, /* the SHA-256 of the normalised email or of the phone in E.164 is the id */
  SC3_IDS_AS_IS
} sc3_ids;

typedef struct sc3_reading {
  int repair; /* as in sc3_email_normalize() */
  sc3_ids ids;
  int region;                /* of phones in national form, where a row names none; SC3_NO_REGION */
  sc3_repairs phone_repairs; /* as in sc3_phone_normalize() */
  sc3_region_memo *regions;  /* NULL at first; the owner frees it */
} sc3_reading;

/* The region of a row's phones: the one that `name` means, or the job's where `name` is blank. */
int sc3_reading_region(sc3_reading *reading, sc3_slice name);

#endif
