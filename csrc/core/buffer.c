#include "buffer.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void sc3_buffer_init(sc3_buffer *b, size_t cap) {
  b->p = NULL;
  b->n = 0;
  b->capacity = 0;
  b->cap = cap;
}

void sc3_buffer_free(sc3_buffer *b) {
  free(b->p);
  b->p = NULL;
  b->n = 0;
  b->capacity = 0;
}

sc3_status sc3_buffer_grow(sc3_buffer *b, size_t more) {
  size_t need, capacity;
  char *p;
  if (more > b->cap || b->n > b->cap - more)
    return SC3_ECAP;
  need = b->n + more;
  capacity = b->capacity > 0 ? b->capacity : FIRST_CAPACITY;
  while (capacity < need)
    capacity *= 4;
  if (capacity > b->cap)
    capacity = b->cap;
  p = realloc(b->p, capacity);
  if (p == NULL)
    return SC3_ENOMEM;
  b->p = p;
  b->capacity = capacity;
  return SC3_OK;
}
