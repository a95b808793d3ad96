#include "spool_status.h"

#include <string.h>

const char *sc3_spool_describe(sc3_spool_status status, int error) {
  switch (status) {
    case SC3_SPOOL_OK: return "all is well";
    case SC3_SPOOL_LOCKED: return "the spool is in use";
    case SC3_SPOOL_FULL: return "full";
    case SC3_SPOOL_FOREIGN: return "the file is not a spool";
    case SC3_SPOOL_VERSION:
      return "the file is a spool of another version of this library: let that one send its "
             "members, or remove the file";
    case SC3_SPOOL_BYTE_ORDER: return "the file is a spool of a machine with another byte order";
    case SC3_SPOOL_HEADER: return "the file is a spool with a damaged header";
    case SC3_SPOOL_REMOVED: return "the spool's file was removed by somebody else";
    case SC3_SPOOL_TRUNCATED: return "the spool's file was cut short by somebody else";
    case SC3_SPOOL_FORKED: return "the spool belongs to the parent process";
    case SC3_SPOOL_SYSTEM: break;
  }
  return strerror(error);
}
