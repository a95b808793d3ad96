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

static const struct {
  const char *key;
  const char *text;
} REPAIRS[] = {
#define X(name, key, text) {key, text},
    SC3_REPAIRS(X)
#undef X
};

const char *sc3_repair_key(sc3_repair r) {
  return REPAIRS[r].key;
}

const char *sc3_repair_text(sc3_repair r) {
  return REPAIRS[r].text;
}
