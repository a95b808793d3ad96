#include "reason.h"

static const struct {
  const char *key;
  const char *text;
} REASONS[] = {
#define X(name, key, text) {key, text},
  SC3_REASONS(X)
#undef X
};

const char *sc3_reason_key(sc3_reason r) {
  return REASONS[r].key;
}

const char *sc3_reason_text(sc3_reason r) {
  return REASONS[r].text;
}
