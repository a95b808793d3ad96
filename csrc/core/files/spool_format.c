#include "spool_format.h"

#include <stdatomic.h>

#include "../bytes/crc32c.h"

enum { RECORD_HEAD = SC3_SPOOL_RECORD_HEAD, LABEL_FOOT = 2, CHUNK = 4096 };

/* Generations come again, which is harmless: no record of an earlier one is left. */
enum { GENERATIONS = 1 << 16 };

static const uint32_t REMOVAL = UINT32_C(1) << 31, LABELLED = UINT32_C(1) << 30;

const sc3_spool_header sc3_spool_fresh_header = {
    {'s', 'c', '3', 's', 'p', 'o', 'o', 'l'}, UINT32_C(0x01020304), 3, 0, 0, 0, 0};

static size_t padded(size_t n) {
  return (n + 7) & ~(size_t)7;
}

/* `at` is a multiple of 4, and a mapping starts at a page. */
static uint32_t *word_at(const sc3_spool_image *image, size_t at) {
  return (uint32_t *)(void *)(image->file.bytes + at);
}

/* A process that is killed has made the stores of all instructions that it ran. So only the
 * compiler has to be kept from moving them. */
void sc3_spool_store_word(sc3_spool_image *image, size_t at, uint32_t word) {
  atomic_store_explicit((_Atomic uint32_t *)word_at(image, at), word, memory_order_release);
  atomic_signal_fence(memory_order_seq_cst);
}

/* --- generations --- */

static uint32_t seed_of(uint32_t generation) {
  return sc3_crc32c(sc3_crc32c(0, &sc3_spool_fresh_header, offsetof(sc3_spool_header, generation)),
                    &generation, sizeof generation);
}

uint32_t sc3_spool_generation_word(uint32_t generation) {
  return seed_of(generation) << 16 | generation;
}

void sc3_spool_set_generation(sc3_spool_image *image, uint32_t generation) {
  image->generation = generation % GENERATIONS;
  image->seed = seed_of(image->generation);
}

void sc3_spool_store_generation(sc3_spool_image *image, uint32_t generation) {
  sc3_spool_set_generation(image, generation);
  sc3_spool_store_word(image, offsetof(sc3_spool_header, generation),
                       sc3_spool_generation_word(image->generation));
}

/* --- numbers in the header --- */

static uint64_t with_check(const sc3_spool_image *image, size_t at, uint32_t number) {
  uint32_t words[2] = {number, (uint32_t)at};
  return number == 0 ? 0 : (uint64_t)sc3_crc32c(image->seed, words, sizeof words) << 32 | number;
}

/* In one store, so that a number never stands with the check of another one. Where the machine has
   no such store, a kill between two of them makes the number unreadable, as damage does. */
void sc3_spool_store_number(sc3_spool_image *image, size_t at, uint32_t number) {
  uint64_t value = with_check(image, at, number);
  char *place = image->file.bytes + at;
#if ATOMIC_LLONG_LOCK_FREE == 2
  atomic_store_explicit((_Atomic uint64_t *)(void *)place, value, memory_order_release);
#else
  memcpy(place, &value, sizeof value);
#endif
  atomic_signal_fence(memory_order_seq_cst);
}

int sc3_spool_read_number(const sc3_spool_image *image, size_t at, uint32_t *number) {
  uint64_t value;
  memcpy(&value, image->file.bytes + at, sizeof value);
  *number = (uint32_t)value;
  if (value == with_check(image, at, *number))
    return 1;
  *number = 0;
  return 0;
}

/* --- zeros --- */

int sc3_spool_is_zero(const char *p, size_t n) {
  return n == 0 || (*p == 0 && memcmp(p, p + 1, n - 1) == 0);
}

size_t sc3_spool_end_of_data(const sc3_spool_image *image, size_t from) {
  const char *bytes = image->file.bytes;
  size_t end = image->file.size;
  while (end - from >= CHUNK && sc3_spool_is_zero(bytes + end - CHUNK, CHUNK))
    end -= CHUNK;
  while (end > from && bytes[end - 1] == 0)
    end--;
  return end;
}

void sc3_spool_wipe(sc3_spool_image *image, size_t from, size_t to) {
  while (from < to) {
    size_t n = to - from < CHUNK ? to - from : CHUNK;
    if (!sc3_spool_is_zero(image->file.bytes + from, n))
      memset(image->file.bytes + from, 0, n);
    from += n;
  }
}

/* --- opening --- */

int sc3_spool_is_blank(const sc3_spool_file *f) {
  char chunk[CHUNK];
  sc3_spool_header fresh = sc3_spool_fresh_header;
  const char *own = (const char *)&fresh;
  size_t i, at = 0;
  fresh.generation = sc3_spool_generation_word(0);
  if (f->size >= SC3_SPOOL_LEAST_CAPACITY) {
    at = sizeof fresh;
    if (!sc3_spool_file_read(f, 0, chunk, at) || memcmp(chunk, own, sizeof fresh.magic) == 0)
      return 0;
    for (i = 0; i < at; i++) {
      if (chunk[i] != 0 && chunk[i] != own[i])
        return 0;
    }
  }
  while (at < f->size) {
    size_t n = f->size - at < CHUNK ? f->size - at : CHUNK;
    if (!sc3_spool_file_read(f, at, chunk, n) || !sc3_spool_is_zero(chunk, n))
      return 0;
    at += n;
  }
  return 1;
}

static uint32_t swapped(uint32_t n) {
  return n >> 24 | (n >> 8 & 0xff00) | (n << 8 & 0xff0000) | n << 24;
}

sc3_spool_status sc3_spool_read_header(sc3_spool_image *image) {
  const sc3_spool_header *fresh = &sc3_spool_fresh_header;
  sc3_spool_header h;
  if (image->file.size < sizeof h)
    return SC3_SPOOL_FOREIGN;
  if (!sc3_spool_file_read(&image->file, 0, &h, sizeof h))
    return SC3_SPOOL_SYSTEM;
  if (memcmp(h.magic, fresh->magic, sizeof h.magic) != 0)
    return SC3_SPOOL_FOREIGN;
  if (h.byte_order == swapped(fresh->byte_order))
    return SC3_SPOOL_BYTE_ORDER;
  if (h.version != fresh->version)
    return SC3_SPOOL_VERSION;
  sc3_spool_set_generation(image, h.generation);
  if (h.byte_order != fresh->byte_order ||
      h.generation != sc3_spool_generation_word(image->generation) || h.unused != 0)
    return SC3_SPOOL_HEADER;
  return SC3_SPOOL_OK;
}

/* --- records --- */

static size_t size_of_record(size_t n) {
  return padded(RECORD_HEAD + n);
}

size_t sc3_spool_payload_size(size_t packed, size_t label) {
  return label > 0 ? packed + label + LABEL_FOOT : packed;
}

size_t sc3_spool_record_size(size_t packed, size_t label) {
  return size_of_record(sc3_spool_payload_size(packed, label));
}

int sc3_spool_is_too_long(size_t packed) {
  return packed >= LABELLED - SC3_SPOOL_LABEL_MAX - LABEL_FOOT;
}

static uint32_t checksum(const sc3_spool_image *image, size_t at, uint32_t size, size_t n) {
  return sc3_crc32c(sc3_crc32c(image->seed, &size, sizeof size), image->file.bytes + at + 8,
                    size_of_record(n) - 8);
}

/* Splits a member from the label that follows it; 0 where that cannot be. */
static int split_label(sc3_slice *packed, sc3_slice *label) {
  const unsigned char *end = (const unsigned char *)packed->p + packed->n;
  size_t n;
  if (packed->n < LABEL_FOOT)
    return 0;
  n = (size_t)end[-2] | (size_t)end[-1] << 8;
  if (n >= packed->n - LABEL_FOOT)
    return 0;
  packed->n -= LABEL_FOOT + n;
  *label = sc3_slice_of(packed->p + packed->n, n);
  return 1;
}

/* Reads the record at `at`. Where the next one starts; 0 when there is none. */
static size_t read_record(const sc3_spool_image *image, size_t at, sc3_spool_record *r) {
  const size_t file_size = image->file.size;
  uint32_t size;
  size_t n;
  if (at > file_size || file_size - at < RECORD_HEAD)
    return 0;
  size = *word_at(image, at);
  n = size & ~(REMOVAL | LABELLED);
  if (n == 0 || n > file_size - at || size_of_record(n) > file_size - at ||
      *word_at(image, at + 4) != checksum(image, at, size, n))
    return 0;
  r->packed = sc3_slice_of(image->file.bytes + at + RECORD_HEAD, n);
  r->label = sc3_slice_of(NULL, 0);
  if ((size & LABELLED) != 0 && !split_label(&r->packed, &r->label))
    return 0;
  r->op = size & REMOVAL ? SC3_REMOVE : SC3_ADD;
  r->number = *word_at(image, at + 8);
  r->stamp = (uint64_t)*word_at(image, at + 16) << 32 | *word_at(image, at + 12);
  return at + size_of_record(n);
}

/* Most often the record is at `search->at`. Where it is not, and one that was kept must be further
   on, every later place is tried. */
size_t sc3_spool_find_record(const sc3_spool_image *image, const sc3_spool_search *search,
                             size_t *start, sc3_spool_record *r) {
  size_t at = search->at, next = read_record(image, at, r);
  *start = at;
  if (next != 0 && r->number == search->after + 1)
    return next;
  for (at = search->after < search->kept ? at : image->file.size; at < image->file.size; at += 8) {
    next = read_record(image, at, r);
    *start = at;
    if (next != 0 && r->number > search->after && r->number <= search->kept)
      return next;
  }
  return 0;
}

uint32_t sc3_spool_write_record(sc3_spool_image *image, size_t at, const sc3_spool_new_record *r) {
  const sc3_slice label = r->label;
  size_t n = sc3_spool_payload_size(r->packed, label.n);
  uint32_t size = (uint32_t)n | (r->op == SC3_REMOVE ? REMOVAL : 0) | (label.n > 0 ? LABELLED : 0);
  *word_at(image, at + 8) = r->number;
  *word_at(image, at + 12) = (uint32_t)r->stamp;
  *word_at(image, at + 16) = (uint32_t)(r->stamp >> 32);
  sc3_packed_write(&r->parts, image->file.bytes + at + RECORD_HEAD);
  if (label.n > 0) {
    unsigned char *foot = (unsigned char *)image->file.bytes + at + RECORD_HEAD + r->packed;
    memcpy(foot, label.p, label.n);
    foot[label.n] = (unsigned char)(label.n & 0xff);
    foot[label.n + 1] = (unsigned char)(label.n >> 8);
  }
  *word_at(image, at + 4) = checksum(image, at, size, n);
  return size;
}
