#include "reading.h"

#include "../bytes/text.h"

int sc3_reading_region(sc3_reading *reading, sc3_slice name) {
  name = sc3_text_trim(name);
  return name.n > 0 ? sc3_region_recall(&reading->regions, name) : reading->region;
}
