/* What stands for a row, before its member is built: the hash of its id and of all values that the
   map takes, as they stand in their cells. Two rows with the same one give the same member. */
#ifndef SC3_MIRROR_CELLS_H
#define SC3_MIRROR_CELLS_H

#include "../members/member.h"
#include "night.h"

/* `id` as it is sent. What the row does not have is told apart from all that it may have. A value
   that the map cannot use, such as true for an email, is none. */
sc3_row_hash sc3_night_values(const sc3_night *n, sc3_slice id, const sc3_values *values);

#endif
