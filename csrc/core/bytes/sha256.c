/* The choice among the implementations. */
#include "sha256.h"

#include <stdatomic.h>
#include <string.h>

/* NULL until first used. Two threads that come first at once both choose, and both store the same
   value. What it points to is constant, so no order is needed. */
static const sc3_sha256_impl *_Atomic used;

static const sc3_sha256_impl *fastest(void) {
  const sc3_sha256_impl *impl = sc3_sha256_x86();
  if (impl == NULL)
    impl = sc3_sha256_arm();
  return impl != NULL ? impl : sc3_sha256_portable();
}

const sc3_sha256_impl *sc3_sha256_find(const char *name) {
  const sc3_sha256_impl *portable = sc3_sha256_portable(), *impl = fastest();
  if (strcmp(name, portable->name) == 0)
    return portable;
  return strcmp(name, impl->name) == 0 ? impl : NULL;
}

const sc3_sha256_impl *sc3_sha256_used(void) {
  const sc3_sha256_impl *impl = atomic_load_explicit(&used, memory_order_relaxed);
  if (impl == NULL) {
    impl = fastest();
    atomic_store_explicit(&used, impl, memory_order_relaxed);
  }
  return impl;
}

void sc3_sha256_use(const sc3_sha256_impl *impl) {
  atomic_store_explicit(&used, impl, memory_order_relaxed);
}

void sc3_sha256_hex(const void *p, size_t n, char hex[SC3_SHA256_HEX]) {
  sc3_sha256_used()->hex(p, n, hex);
}

void sc3_sha256_hex_pair(const sc3_sha256_message *a, const sc3_sha256_message *b) {
  sc3_sha256_used()->hex_pair(a, b);
}
