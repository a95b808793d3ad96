#include "status.h"

#include <string.h>

const char *sc3_mirror_describe(sc3_mirror_status status, int error) {
  switch (status) {
    case SC3_MIRROR_OK: return "all is well";
    case SC3_MIRROR_MEMORY: return "not enough memory";
    case SC3_MIRROR_FORKED: return "the temporary file belongs to the parent process";
    case SC3_MIRROR_FULL: return "it would be larger than its format allows";
    case SC3_MIRROR_DAMAGED: return "the state is damaged";
    case SC3_MIRROR_OPEN: return "an entry is open, and cannot be folded";
    case SC3_MIRROR_ORDER: return "rows, partitions or reads come out of their order";
    case SC3_MIRROR_SYSTEM: break;
  }
  return strerror(error);
}
