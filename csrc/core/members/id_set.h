/* The external ids that an epoch has sealed, as fingerprints: under 10 bytes an id, so that ten
   million fit beside a job. Two ids that share one are taken for one: the second waits as if it
   were the first again, which costs it a later request and loses nothing. */
#ifndef SC3_ID_SET_H
#define SC3_ID_SET_H

#include <stddef.h>
#include <stdint.h>

#include "../bytes/status.h"

typedef struct sc3_id_set sc3_id_set;

/* An empty set; NULL when memory is out. */
sc3_id_set *sc3_id_set_new(void);
void sc3_id_set_free(sc3_id_set *set);

/* Forgets everything and gives the memory back. */
void sc3_id_set_clear(sc3_id_set *set);

/* Fetches the memory where a fingerprint belongs, for a call that comes soon. */
void sc3_id_set_prefetch(const sc3_id_set *set, uint64_t fingerprint);

int sc3_id_set_contains(const sc3_id_set *set, uint64_t fingerprint);

/* SC3_ENOMEM leaves the set as it was. One that is there already stays. */
sc3_status sc3_id_set_insert(sc3_id_set *set, uint64_t fingerprint);

size_t sc3_id_set_count(const sc3_id_set *set);
size_t sc3_id_set_bytes(const sc3_id_set *set); /* of its tables */

#endif
