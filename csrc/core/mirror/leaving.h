/* Leavers of a night on their way into payloads of removals and chunks, one of each for an
 * audience.
 */
#ifndef SC3_MIRROR_LEAVING_H
#define SC3_MIRROR_LEAVING_H

#include "building.h"

/* Takes leavers until the payloads have no room: then `*full` is 1, and 0 after the last one. Each
   is a removal in the payload of each audience that they leave, and an entry in its chunk, in the
   same order; with lists, those whose entry goes again. Who had no room stays in the night.
   SC3_MIRROR_FULL: a payload is too small for a removal. */
sc3_mirror_status sc3_building_leave(sc3_building *g, sc3_night *n, sc3_tally *tally,
                                     sc3_building_to *to, int *full);

#endif
