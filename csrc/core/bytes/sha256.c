/* The choice among the implementations. */
#include "sha256.h"

#include <stdatomic.h>
#include <string.h>

/* NULL until first used. Two threads that come first at once both choose, and both store the same
   value. What it points to is constant, so no order is needed. */
static const sc3_sha256_impl *_Atomic used;

/* The fastest first. The portable one is there on every machine. */
static const sc3_sha256_impl *(*const all[])(void) = {
    sc3_sha256_x86, sc3_sha256_arm, sc3_sha256_avx2, sc3_sha256_neon, sc3_sha256_portable};

static const sc3_sha256_impl *fastest(void) {
  const sc3_sha256_impl *impl = NULL;
  size_t i;
  for (i = 0; impl == NULL; i++)
    impl = all[i]();
  return impl;
}

const sc3_sha256_impl *sc3_sha256_find(const char *name) {
  size_t i;
  for (i = 0; i < sizeof all / sizeof *all; i++) {
    const sc3_sha256_impl *impl = all[i]();
    if (impl != NULL && strcmp(name, impl->name) == 0)
      return impl;
  }
  return NULL;
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

/* Lanes that stay empty cost as much as others: two messages are done sooner as a pair. */
void sc3_sha256_hex_many(const sc3_sha256_impl *impl, const sc3_sha256_message *messages,
                         size_t count) {
  while (count > 2 && impl->lanes > 2) {
    const size_t n = count < impl->lanes ? count : impl->lanes;
    impl->hex_lanes(messages, n);
    messages += n;
    count -= n;
  }
  for (; count > 1; messages += 2, count -= 2)
    impl->hex_pair(messages, messages + 1);
  if (count == 1)
    impl->hex(messages->p, messages->n, messages->hex);
}
