#include "spool.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "crc32c.h"
#include "fork_mark.h"
#include "spool_file.h"

enum { STEP = 1 << 20, RECORD_HEAD = 8, CHUNK = 4096 };

static const uint32_t REMOVAL = UINT32_C(1) << 31;

/* The header as it lies in the file. */
typedef struct header {
  char magic[8];
  uint32_t byte_order;
  uint32_t version;
  uint32_t generation; /* with its check, so that one store changes both */
  uint32_t unused;
} header;

static const header PLAIN = {{'s', 'c', '3', 's', 'p', 'o', 'o', 'l'}, UINT32_C(0x01020304), 1, 0, 0};

struct sc3_spool {
  sc3_spool_file file;
  sc3_fork_mark mark;
  size_t capacity;
  size_t end;     /* of the last record that can be read */
  size_t count;
  size_t damaged;
  uint32_t generation, seed;
  int ready; /* zeros alone lie behind `end` */
};

const char *sc3_spool_text(sc3_spool_status status, int error) {
  switch (status) {
  case SC3_SPOOL_OK: return "all is well";
  case SC3_SPOOL_LOCKED: return "the spool is in use";
  case SC3_SPOOL_FULL: return "full";
  case SC3_SPOOL_FOREIGN: return "the file is not a spool";
  case SC3_SPOOL_VERSION: return "the file is a spool of another version";
  case SC3_SPOOL_BYTE_ORDER: return "the file is a spool of a machine with another byte order";
  case SC3_SPOOL_HEADER: return "the file is a spool with a damaged header";
  case SC3_SPOOL_REMOVED: return "the spool's file was removed by somebody else";
  case SC3_SPOOL_TRUNCATED: return "the spool's file was cut short by somebody else";
  case SC3_SPOOL_FORKED: return "the spool belongs to the parent process";
  case SC3_SPOOL_SYSTEM: break;
  }
  return strerror(error);
}

static size_t padded(size_t n) {
  return (n + 7) & ~(size_t)7;
}

static uint32_t *word_at(const sc3_spool *s, size_t at) {
  return (uint32_t *)(void *)(s->file.bytes + at); /* `at` is a multiple of 4, and a mapping starts at a page */
}

/* A store that stays between those before it and those behind. A process that is killed has made the stores of all instructions that it ran, so the
   compiler alone has to be kept from moving them. */
static void store_word(sc3_spool *s, size_t at, uint32_t word) {
  atomic_store_explicit((_Atomic uint32_t *)word_at(s, at), word, memory_order_release);
  atomic_signal_fence(memory_order_seq_cst);
}

/* --- zeros ----------------------------------------------------------------------------------------------------------- */

static int all_zero(const char *p, size_t n) {
  return n == 0 || (*p == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Where zeros alone follow, from `from` on. */
static size_t end_of_data(const sc3_spool *s, size_t from) {
  size_t end = s->file.size;
  while (end - from >= CHUNK && all_zero(s->file.bytes + end - CHUNK, CHUNK))
    end -= CHUNK;
  while (end > from && s->file.bytes[end - 1] == 0)
    end--;
  return end;
}

/* Writes zeros where there is something else: what is not written to need not be written to the disk. */
static void wipe(sc3_spool *s, size_t from, size_t to) {
  while (from < to) {
    size_t n = to - from < CHUNK ? to - from : CHUNK;
    if (!all_zero(s->file.bytes + from, n))
      memset(s->file.bytes + from, 0, n);
    from += n;
  }
}

/* --- generations ------------------------------------------------------------------------------------------------------ */

enum { GENERATIONS = 1 << 16 }; /* they come again, which is harmless: no record of an earlier one is left */

static uint32_t seed_of(uint32_t generation) {
  return sc3_crc32c(sc3_crc32c(0, &PLAIN, offsetof(header, generation)), &generation, sizeof generation);
}

static uint32_t generation_word(uint32_t generation) {
  return seed_of(generation) << 16 | generation;
}

static void store_generation(sc3_spool *s, uint32_t generation) {
  s->generation = generation % GENERATIONS;
  s->seed = seed_of(s->generation);
  store_word(s, offsetof(header, generation), generation_word(s->generation));
}

/* From an odd generation to an even one: nothing that was written before `to` is left. */
static void finish_reset(sc3_spool *s, size_t to) {
  wipe(s, sizeof(header), to);
  store_generation(s, s->generation + 1);
  s->end = sizeof(header);
  s->count = s->damaged = 0;
}

/* --- records ---------------------------------------------------------------------------------------------------------- */

static uint32_t checksum(const sc3_spool *s, size_t at, uint32_t size, size_t n) {
  return sc3_crc32c(sc3_crc32c(s->seed, &size, sizeof size), s->file.bytes + at + RECORD_HEAD, padded(n));
}

/* The record at `at`; returns where the next one starts, 0 when there is none. */
static size_t read_record(const sc3_spool *s, size_t at, sc3_slice *json, sc3_op *op) {
  uint32_t size;
  size_t n;
  if (at > s->file.size || s->file.size - at < RECORD_HEAD)
    return 0;
  size = *word_at(s, at);
  n = size & ~REMOVAL;
  if (n == 0 || padded(n) > s->file.size - at - RECORD_HEAD || *word_at(s, at + 4) != checksum(s, at, size, n))
    return 0;
  *json = sc3_slice_of(s->file.bytes + at + RECORD_HEAD, n);
  *op = size & REMOVAL ? SC3_REMOVE : SC3_ADD;
  return at + RECORD_HEAD + padded(n);
}

/* Finds out what can be read. */
static void scan(sc3_spool *s) {
  sc3_slice json;
  sc3_op op;
  size_t next;
  s->end = sizeof(header);
  s->count = 0;
  for (; (next = read_record(s, s->end, &json, &op)) != 0; s->end = next)
    s->count++;
  s->damaged = s->end < s->file.size ? end_of_data(s, s->end) - s->end : 0;
  s->ready = 0;
}

/* --- opening ---------------------------------------------------------------------------------------------------------- */

/* Whether nothing was ever kept in the file: zeros, but for a header that somebody was killed over, whose magic is not whole. */
static int is_blank(const sc3_spool_file *f) {
  char chunk[CHUNK];
  header fresh = PLAIN;
  const char *own = (const char *)&fresh;
  size_t i, at = 0;
  fresh.generation = generation_word(0);
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
    if (!sc3_spool_file_read(f, at, chunk, n) || !all_zero(chunk, n))
      return 0;
    at += n;
  }
  return 1;
}

static sc3_spool_status begin(sc3_spool *s) {
  size_t first = s->capacity < STEP ? s->capacity : STEP;
  sc3_spool_status status = sc3_spool_file_protect(&s->file);
  header *h;
  if (status == SC3_SPOOL_OK)
    status = sc3_spool_file_map(&s->file);
  if (status == SC3_SPOOL_OK && s->file.size < first)
    status = sc3_spool_file_grow(&s->file, first);
  if (status != SC3_SPOOL_OK)
    return status;
  h = (header *)(void *)s->file.bytes;
  h->byte_order = PLAIN.byte_order;
  h->version = PLAIN.version;
  store_generation(s, 0); /* and orders what stands before it */
  memcpy(h->magic, PLAIN.magic, sizeof h->magic);
  s->end = sizeof *h;
  s->ready = 1;
  return SC3_SPOOL_OK;
}

static uint32_t swapped(uint32_t n) {
  return n >> 24 | (n >> 8 & 0xff00) | (n << 8 & 0xff0000) | n << 24;
}

static sc3_spool_status resume(sc3_spool *s) {
  header h;
  sc3_spool_status status;
  if (s->file.size < sizeof h)
    return SC3_SPOOL_FOREIGN;
  if (!sc3_spool_file_read(&s->file, 0, &h, sizeof h))
    return SC3_SPOOL_SYSTEM;
  if (memcmp(h.magic, PLAIN.magic, sizeof h.magic) != 0)
    return SC3_SPOOL_FOREIGN;
  if (h.byte_order == swapped(PLAIN.byte_order))
    return SC3_SPOOL_BYTE_ORDER;
  if (h.version != PLAIN.version)
    return SC3_SPOOL_VERSION;
  s->generation = h.generation % GENERATIONS;
  s->seed = seed_of(s->generation);
  if (h.byte_order != PLAIN.byte_order || h.generation != generation_word(s->generation) || h.unused != 0)
    return SC3_SPOOL_HEADER;
  status = sc3_spool_file_protect(&s->file);
  if (status == SC3_SPOOL_OK)
    status = sc3_spool_file_map(&s->file);
  if (status != SC3_SPOOL_OK)
    return status;
  if (s->generation % 2 != 0)
    finish_reset(s, s->file.size);
  scan(s);
  return SC3_SPOOL_OK;
}

sc3_spool_status sc3_spool_open(sc3_spool **out, const char *path, size_t capacity) {
  sc3_spool_status status;
  sc3_spool *s = calloc(1, sizeof *s);
  int error;
  *out = NULL;
  if (s == NULL)
    return SC3_SPOOL_SYSTEM;
  s->capacity = capacity > SC3_SPOOL_LEAST_CAPACITY ? capacity : SC3_SPOOL_LEAST_CAPACITY;
  sc3_fork_mark_set(&s->mark);
  status = sc3_spool_file_open(&s->file, path);
  if (status == SC3_SPOOL_OK)
    status = is_blank(&s->file) ? begin(s) : resume(s);
  if (status == SC3_SPOOL_OK) {
    *out = s;
    return status;
  }
  error = errno;
  sc3_spool_close(s);
  errno = error;
  return status;
}

void sc3_spool_close(sc3_spool *s) {
  if (s == NULL)
    return;
  sc3_spool_file_close(&s->file);
  sc3_fork_mark_clear(&s->mark);
  free(s);
}

/* --- keeping ---------------------------------------------------------------------------------------------------------- */

/* Once after opening: what lies behind the end could become part of a record. */
static sc3_spool_status make_ready(sc3_spool *s) {
  sc3_spool_status status = sc3_spool_file_check(&s->file);
  if (status != SC3_SPOOL_OK)
    return status;
  if (s->file.size - s->end >= RECORD_HEAD)
    store_word(s, s->end, 0);
  wipe(s, s->end, s->file.size);
  s->ready = 1;
  return SC3_SPOOL_OK;
}

static sc3_spool_status make_room(sc3_spool *s, size_t more) {
  sc3_spool_status status = SC3_SPOOL_OK;
  size_t needed, size;
  if (s->end > s->capacity || more > s->capacity - s->end)
    return SC3_SPOOL_FULL;
  if (!s->ready)
    status = make_ready(s);
  needed = s->end + more;
  if (status != SC3_SPOOL_OK || needed <= s->file.size)
    return status;
  status = sc3_spool_file_check(&s->file);
  if (status != SC3_SPOOL_OK)
    return status;
  size = s->capacity - needed < STEP ? s->capacity : (needed + STEP - 1) / STEP * STEP;
  return sc3_spool_file_grow(&s->file, size);
}

/* Writes a record but for its size, which it returns. */
static uint32_t write_record(sc3_spool *s, size_t at, sc3_slice json, sc3_op op) {
  uint32_t size = (uint32_t)json.n | (op == SC3_REMOVE ? REMOVAL : 0);
  memcpy(s->file.bytes + at + RECORD_HEAD, json.p, json.n);
  *word_at(s, at + 4) = checksum(s, at, size, json.n);
  return size;
}

sc3_spool_status sc3_spool_keep(sc3_spool *s, const sc3_payload *p, size_t first, size_t last) {
  size_t i, at, needed = 0, members = 0;
  uint32_t first_size = 0;
  sc3_spool_status status;
  sc3_op op;
  if (!sc3_fork_mark_mine(&s->mark))
    return SC3_SPOOL_FORKED;
  if (last > sc3_payload_count(p))
    last = sc3_payload_count(p);
  for (i = first; i < last; i++) {
    sc3_slice json = sc3_payload_member(p, i, &op);
    if (json.p == NULL)
      continue;
    if (json.n >= REMOVAL || needed > s->capacity)
      return SC3_SPOOL_FULL;
    needed += RECORD_HEAD + padded(json.n);
    members++;
  }
  if (members == 0)
    return SC3_SPOOL_OK;
  status = make_room(s, needed);
  if (status != SC3_SPOOL_OK)
    return status;
  for (i = first, at = s->end; i < last; i++) {
    sc3_slice json = sc3_payload_member(p, i, &op);
    uint32_t size;
    if (json.p == NULL)
      continue;
    size = write_record(s, at, json, op);
    if (at == s->end)
      first_size = size;
    else
      store_word(s, at, size);
    at += RECORD_HEAD + padded(json.n);
  }
  store_word(s, s->end, first_size); /* from this instruction on they are kept */
  s->end = at;
  s->count += members;
  return SC3_SPOOL_OK;
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */

sc3_spool_status sc3_spool_next(sc3_spool *s, sc3_spool_cursor *cursor, sc3_slice *json, sc3_op *op) {
  size_t next;
  *json = sc3_slice_of(NULL, 0);
  if (!sc3_fork_mark_mine(&s->mark))
    return SC3_SPOOL_FORKED;
  if (cursor->at == 0) {
    cursor->at = sizeof(header);
    cursor->generation = s->generation;
  }
  if (cursor->generation != s->generation || cursor->at >= s->end)
    return SC3_SPOOL_OK;
  next = read_record(s, cursor->at, json, op);
  if (next != 0)
    cursor->at = next;
  else /* it could be read before: somebody wrote to the file */
    scan(s);
  return SC3_SPOOL_OK;
}

size_t sc3_spool_count(const sc3_spool *s) {
  return s->count;
}

size_t sc3_spool_bytes(const sc3_spool *s) {
  return s->end;
}

size_t sc3_spool_damaged(const sc3_spool *s) {
  return s->damaged;
}

/* --- emptying --------------------------------------------------------------------------------------------------------- */

sc3_spool_status sc3_spool_reset(sc3_spool *s) {
  sc3_spool_status status;
  size_t written;
  if (!sc3_fork_mark_mine(&s->mark))
    return SC3_SPOOL_FORKED;
  status = sc3_spool_file_check(&s->file);
  if (status != SC3_SPOOL_OK)
    return status;
  store_generation(s, s->generation | 1);
  if (s->file.size > STEP)
    (void)sc3_spool_file_shrink(&s->file, STEP); /* where it cannot, there is more to wipe */
  written = s->ready && s->end < s->file.size ? s->end : s->file.size;
  finish_reset(s, written);
  return SC3_SPOOL_OK;
}

sc3_spool_status sc3_spool_remove(sc3_spool *s) {
  sc3_spool_status status = sc3_spool_reset(s); /* first, in case that it has another name too */
  if (status == SC3_SPOOL_OK || status == SC3_SPOOL_REMOVED || status == SC3_SPOOL_TRUNCATED)
    status = sc3_spool_file_unlink(&s->file);
  if (status == SC3_SPOOL_OK)
    sc3_spool_close(s);
  return status;
}
