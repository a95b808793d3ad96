/* Leavers of a night on their way into a payload of removals and a chunk. All of one audience, the
   first. */
#ifndef SC3_MIRROR_LEAVING_H
#define SC3_MIRROR_LEAVING_H

#include "building.h"

/* Takes leavers until the payload has no room: then `*full` is 1, and 0 after the last one. Each is
   a removal in the payload and an entry in the chunk, in the same order; with a list, those whose
   entry goes again. Who had no room stays in the night. SC3_MIRROR_FULL: the payload is too small
   for a removal. */
sc3_mirror_status sc3_building_leave(sc3_building *g, sc3_night *n, sc3_tally *tally,
                                     const sc3_building_to *to, int *full);

#endif
