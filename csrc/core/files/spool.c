#include "spool.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../bytes/crc32c.h"
#include "fork_mark.h"
#include "spool_file.h"

enum { FIRST_STEP = 1 << 16, STEP = 1 << 20, RECORD_HEAD = 20, LABEL_FOOT = 2, CHUNK = 4096 };

static const uint32_t REMOVAL = UINT32_C(1) << 31, LABELLED = UINT32_C(1) << 30;

/* The header as it lies in the file. */
typedef struct header {
  char magic[8];
  uint32_t byte_order;
  uint32_t version;
  uint32_t generation; /* with its check, so that one store changes both */
  uint32_t unused;
  uint64_t kept, released; /* numbers with their checks */
} header;

static const header PLAIN = {
    {'s', 'c', '3', 's', 'p', 'o', 'o', 'l'}, UINT32_C(0x01020304), 2, 0, 0, 0, 0};

struct sc3_spool {
  sc3_spool_file file;
  sc3_fork_mark mark;
  size_t capacity;
  size_t end;   /* of the last record that can be read */
  size_t begin; /* where the first record that was not released is looked for */
  size_t count; /* readable records from there on */
  size_t damaged;
  uint64_t stamp;
  uint32_t number, released; /* of the last record, and of the last one that has left */
  uint32_t missing;   /* of the numbers between the two, those of records that cannot be read */
  sc3_buffer scratch; /* a member with the comma that a payload wants */
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
  return (uint32_t *)(void *)(s->file.bytes +
                              at); /* `at` is a multiple of 4, and a mapping starts at a page */
}

/* A store that stays between those before it and those behind. A process that is killed has made
   the stores of all instructions that it ran, so the compiler alone has to be kept from moving
   them. */
static void store_word(sc3_spool *s, size_t at, uint32_t word) {
  atomic_store_explicit((_Atomic uint32_t *)word_at(s, at), word, memory_order_release);
  atomic_signal_fence(memory_order_seq_cst);
}

/* --- numbers in the header --- */

static uint64_t with_check(const sc3_spool *s, size_t at, uint32_t number) {
  uint32_t words[2] = {number, (uint32_t)at};
  return number == 0 ? 0 : (uint64_t)sc3_crc32c(s->seed, words, sizeof words) << 32 | number;
}

/* In one store, so that a number is never beside the check of another one; where the machine has no
   such store a kill between two of them makes the number unreadable, as damage does. */
static void store_number(sc3_spool *s, size_t at, uint32_t number) {
  uint64_t value = with_check(s, at, number);
  char *place = s->file.bytes + at;
#if ATOMIC_LLONG_LOCK_FREE == 2
  atomic_store_explicit((_Atomic uint64_t *)(void *)place, value, memory_order_release);
#else
  memcpy(place, &value, sizeof value);
#endif
  atomic_signal_fence(memory_order_seq_cst);
}

/* 0 where its check is wrong, which counts as damage. */
static uint32_t read_number(sc3_spool *s, size_t at) {
  uint64_t value;
  memcpy(&value, s->file.bytes + at, sizeof value);
  if (value == with_check(s, at, (uint32_t)value))
    return (uint32_t)value;
  s->damaged += sizeof value;
  return 0;
}

/* --- zeros --- */

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

/* Writes zeros where there is something else: what is not written to need not be written to the
 * disk. */
static void wipe(sc3_spool *s, size_t from, size_t to) {
  while (from < to) {
    size_t n = to - from < CHUNK ? to - from : CHUNK;
    if (!all_zero(s->file.bytes + from, n))
      memset(s->file.bytes + from, 0, n);
    from += n;
  }
}

/* --- generations --- */

enum {
  GENERATIONS = 1 << 16
}; /* they come again, which is harmless: no record of an earlier one is left */

static uint32_t seed_of(uint32_t generation) {
  return sc3_crc32c(sc3_crc32c(0, &PLAIN, offsetof(header, generation)), &generation,
                    sizeof generation);
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
  wipe(s, offsetof(header, kept), to);
  store_generation(s, s->generation + 1);
  s->begin = s->end = sizeof(header);
  s->count = s->damaged = 0;
  s->number = s->released = s->missing = 0;
}

/* --- records --- */

static size_t record_size(size_t n) {
  return padded(RECORD_HEAD + n);
}

/* Bytes of a member with its label. */
static size_t labelled(size_t n, sc3_slice label) {
  return label.n > 0 ? n + label.n + LABEL_FOOT : n;
}

static uint32_t checksum(const sc3_spool *s, size_t at, uint32_t size, size_t n) {
  return sc3_crc32c(sc3_crc32c(s->seed, &size, sizeof size), s->file.bytes + at + 8,
                    record_size(n) - 8);
}

/* What is behind a member's JSON is its label; 0 where that cannot be. */
static int split_label(sc3_slice *json, sc3_slice *label) {
  const unsigned char *end = (const unsigned char *)json->p + json->n;
  size_t n;
  if (json->n < LABEL_FOOT)
    return 0;
  n = (size_t)end[-2] | (size_t)end[-1] << 8;
  if (n >= json->n - LABEL_FOOT)
    return 0;
  json->n -= LABEL_FOOT + n;
  *label = sc3_slice_of(json->p + json->n, n);
  return 1;
}

/* The record at `at`; returns where the next one starts, 0 when there is none. */
static size_t read_record(const sc3_spool *s, size_t at, sc3_spool_record *r) {
  uint32_t size;
  size_t n;
  if (at > s->file.size || s->file.size - at < RECORD_HEAD)
    return 0;
  size = *word_at(s, at);
  n = size & ~(REMOVAL | LABELLED);
  if (n == 0 || n > s->file.size - at || record_size(n) > s->file.size - at ||
      *word_at(s, at + 4) != checksum(s, at, size, n))
    return 0;
  r->json = sc3_slice_of(s->file.bytes + at + RECORD_HEAD, n);
  r->label = sc3_slice_of(NULL, 0);
  if ((size & LABELLED) != 0 && !split_label(&r->json, &r->label))
    return 0;
  r->op = size & REMOVAL ? SC3_REMOVE : SC3_ADD;
  r->number = *word_at(s, at + 8);
  r->stamp = (uint64_t)*word_at(s, at + 16) << 32 | *word_at(s, at + 12);
  return at + record_size(n);
}

/* The first record from `at` on whose number is more than `number`. Where none is at `at` and one
   of at most `kept` was written behind, that is looked for.
   `*start` is where it was found. Returns where the next one starts, 0 when there is none. */
static size_t find_record(const sc3_spool *s, size_t at, uint32_t number, uint32_t kept,
                          size_t *start, sc3_spool_record *r) {
  size_t next = read_record(s, at, r);
  *start = at;
  if (next != 0 && r->number == number + 1)
    return next;
  for (at = number < kept ? at : s->file.size; at < s->file.size; at += 8) {
    next = read_record(s, at, r);
    *start = at;
    if (next != 0 && r->number > number && r->number <= kept)
      return next;
  }
  return 0;
}

/* Finds out what can be read. */
static void scan(sc3_spool *s) {
  sc3_spool_record r;
  size_t next, start;
  uint32_t kept;
  s->damaged = 0;
  kept = read_number(s, offsetof(header, kept));
  s->released = read_number(s, offsetof(header, released));
  s->begin = s->end = sizeof(header);
  s->count = 0;
  s->stamp = 0;
  s->number = 0;
  for (; (next = find_record(s, s->end, s->number, kept, &start, &r)) != 0; s->end = next) {
    s->damaged += start - s->end;
    s->number = r.number;
    if (r.stamp > s->stamp)
      s->stamp = r.stamp;
    if (r.number > s->released)
      s->count++;
    else
      s->begin = next;
  }
  s->damaged += s->end < s->file.size ? end_of_data(s, s->end) - s->end : 0;
  if (kept > s->number)
    s->number = kept; /* so that no number comes twice */
  if (s->released > s->number)
    s->released = s->number;
  s->missing = s->number - s->released - (uint32_t)s->count;
  s->ready = 0;
}

/* --- opening --- */

/* Whether nothing was ever kept in the file: zeros, but for a header that somebody was killed over,
 * whose magic is not whole. */
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
  size_t first = s->capacity < FIRST_STEP ? s->capacity : FIRST_STEP;
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
  s->begin = s->end = sizeof *h;
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
  if (h.byte_order != PLAIN.byte_order || h.generation != generation_word(s->generation) ||
      h.unused != 0)
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
  sc3_buffer_init(&s->scratch, SIZE_MAX / 2);
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
  sc3_buffer_free(&s->scratch);
  free(s);
}

/* --- keeping --- */

/* Once after opening: what lies behind the end could become part of a record. */
static sc3_spool_status make_ready(sc3_spool *s) {
  sc3_spool_status status = sc3_spool_file_check(&s->file);
  if (status != SC3_SPOOL_OK)
    return status;
  if (s->file.size - s->end >= RECORD_HEAD)
    store_word(s, s->end, 0);
  wipe(s, s->end, s->file.size);
  store_number(s, offsetof(header, kept), s->number);
  store_number(s, offsetof(header, released), s->released);
  s->ready = 1;
  return SC3_SPOOL_OK;
}

static sc3_spool_status make_room(sc3_spool *s, size_t more) {
  sc3_spool_status status = SC3_SPOOL_OK;
  size_t needed, size, step;
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
  step = s->file.size < FIRST_STEP ? FIRST_STEP
         : s->file.size < STEP     ? s->file.size
                                   : STEP; /* from small ones on, each twice the one before */
  while (step < STEP && needed - s->file.size > step)
    step *= 2;
  size = s->capacity - needed < step ? s->capacity : (needed + step - 1) / step * step;
  return sc3_spool_file_grow(&s->file, size);
}

/* Writes a record but for its size, which it returns. */
static uint32_t write_record(sc3_spool *s, size_t at, sc3_slice json, sc3_slice label, sc3_op op,
                             uint32_t number) {
  size_t n = labelled(json.n, label);
  uint32_t size = (uint32_t)n | (op == SC3_REMOVE ? REMOVAL : 0) | (label.n > 0 ? LABELLED : 0);
  *word_at(s, at + 8) = number;
  *word_at(s, at + 12) = (uint32_t)s->stamp;
  *word_at(s, at + 16) = (uint32_t)(s->stamp >> 32);
  memcpy(s->file.bytes + at + RECORD_HEAD, json.p, json.n);
  if (label.n > 0) {
    unsigned char *foot = (unsigned char *)s->file.bytes + at + RECORD_HEAD + json.n;
    memcpy(foot, label.p, label.n);
    foot[label.n] = (unsigned char)(label.n & 0xff);
    foot[label.n + 1] = (unsigned char)(label.n >> 8);
  }
  *word_at(s, at + 4) = checksum(s, at, size, n);
  return size;
}

sc3_spool_status sc3_spool_keep(sc3_spool *s, const sc3_payload *p, size_t first, size_t last,
                                uint64_t stamp, sc3_slice label) {
  size_t i, at, needed = 0;
  uint32_t first_size = 0, members = 0, number;
  sc3_spool_status status;
  sc3_op op;
  if (!sc3_fork_mark_mine(&s->mark))
    return SC3_SPOOL_FORKED;
  if (label.n > SC3_SPOOL_LONGEST_LABEL)
    return SC3_SPOOL_FULL;
  if (last > sc3_payload_count(p))
    last = sc3_payload_count(p);
  for (i = first; i < last; i++) {
    sc3_slice json = sc3_payload_member(p, i, &op);
    if (json.p == NULL)
      continue;
    if (json.n >= LABELLED - SC3_SPOOL_LONGEST_LABEL - LABEL_FOOT || needed > s->capacity)
      return SC3_SPOOL_FULL;
    needed += record_size(labelled(json.n, label));
    members++;
  }
  if (members == 0)
    return SC3_SPOOL_OK;
  if (members > UINT32_MAX - s->number)
    return SC3_SPOOL_FULL;
  status = make_room(s, needed);
  if (status != SC3_SPOOL_OK)
    return status;
  if (stamp > s->stamp)
    s->stamp = stamp;
  number = s->number;
  for (i = first, at = s->end; i < last; i++) {
    sc3_slice json = sc3_payload_member(p, i, &op);
    uint32_t size;
    if (json.p == NULL)
      continue;
    size = write_record(s, at, json, label, op, ++number);
    if (at == s->end)
      first_size = size;
    else
      store_word(s, at, size);
    at += record_size(labelled(json.n, label));
  }
  store_word(s, s->end, first_size); /* from this instruction on they are kept */
  store_number(s, offsetof(header, kept), number);
  s->end = at;
  s->number = number;
  s->count += members;
  return SC3_SPOOL_OK;
}

/* --- reading --- */

/* The next record, and in `*next` where the one behind it starts; the cursor stays. */
static void peek(sc3_spool *s, sc3_spool_cursor *cursor, sc3_spool_record *r, size_t *next) {
  size_t start;
  r->json = sc3_slice_of(NULL, 0);
  if (cursor->at == 0) {
    cursor->at = s->begin;
    cursor->number = s->released;
    cursor->generation = s->generation;
  }
  if (cursor->generation != s->generation || cursor->at >= s->end)
    return;
  *next = find_record(s, cursor->at, cursor->number, s->number, &start, r);
  if (*next == 0)
    r->json = sc3_slice_of(NULL, 0);
  if (*next == 0 || (start != cursor->at &&
                     s->damaged == 0)) /* it could be read before: somebody wrote to the file */
    scan(s);
}

static void pass(sc3_spool_cursor *cursor, const sc3_spool_record *r, size_t next) {
  cursor->at = next;
  cursor->number = r->number;
}

sc3_spool_status sc3_spool_next(sc3_spool *s, sc3_spool_cursor *cursor, sc3_spool_record *record) {
  size_t next = 0;
  record->json = sc3_slice_of(NULL, 0);
  if (!sc3_fork_mark_mine(&s->mark))
    return SC3_SPOOL_FORKED;
  peek(s, cursor, record, &next);
  if (record->json.p != NULL)
    pass(cursor, record, next);
  return SC3_SPOOL_OK;
}

/* Bytes of the escaped external id of a member; SIZE_MAX where there is none. */
static size_t id_length(sc3_slice json) {
  size_t i = SC3_MEMBER_ID_AT;
  while (i < json.n && json.p[i] != '"')
    i += json.p[i] == '\\' ? 2 : 1;
  return i < json.n ? i - SC3_MEMBER_ID_AT : SIZE_MAX;
}

static sc3_added put(sc3_spool *s, sc3_payload *p, const sc3_spool_record *r) {
  size_t id = id_length(r->json);
  if (id == SIZE_MAX)
    return SC3_NEVER_FITS;
  s->scratch.n = 0;
  if (sc3_buffer_reserve(&s->scratch, r->json.n + 1) != SC3_OK)
    return SC3_ADD_NOMEM;
  sc3_buffer_put(&s->scratch, r->json.p, r->json.n);
  SC3_PUT_LITERAL(&s->scratch, ",");
  return sc3_payload_add(p, r->op, 0, s->scratch.p, s->scratch.n, id);
}

static int same(sc3_slice a, sc3_slice b) {
  return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

sc3_spool_status sc3_spool_take(sc3_spool *s, sc3_spool_cursor *cursor, sc3_payload *p,
                                uint64_t last, size_t most, sc3_slice label,
                                sc3_spool_taken *taken) {
  memset(taken, 0, sizeof *taken);
  if (!sc3_fork_mark_mine(&s->mark))
    return SC3_SPOOL_FORKED;
  for (;;) {
    sc3_spool_record r;
    size_t next = 0;
    sc3_added added;
    peek(s, cursor, &r, &next);
    taken->more = r.json.p != NULL;
    taken->label = sc3_slice_of(NULL, 0);
    if (!taken->more)
      return SC3_SPOOL_OK;
    taken->stamp = r.stamp;
    taken->label = r.label;
    if (p == NULL || r.stamp > last || !same(r.label, label) ||
        taken->members + taken->unfit >= most)
      return SC3_SPOOL_OK;
    added = put(s, p, &r);
    if (added == SC3_ADD_NOMEM) {
      errno = ENOMEM;
      return SC3_SPOOL_SYSTEM;
    }
    taken->full = added == SC3_FULL;
    if (taken->full)
      return SC3_SPOOL_OK;
    *(added == SC3_NEVER_FITS ? &taken->unfit : &taken->members) += 1;
    pass(cursor, &r, next);
  }
}

sc3_spool_status sc3_spool_release(sc3_spool *s, uint32_t number) {
  if (!sc3_fork_mark_mine(&s->mark))
    return SC3_SPOOL_FORKED;
  if (number > s->number)
    number = s->number;
  if (number <= s->released)
    return SC3_SPOOL_OK;
  store_number(s, offsetof(header, released), number);
  while (s->begin < s->end) {
    sc3_spool_record r;
    size_t start, next = find_record(s, s->begin, s->released, s->number, &start, &r);
    if (next == 0 || r.number > number)
      break;
    s->begin = next;
    s->released = r.number;
    s->count -= s->count > 0;
  }
  s->released = number;
  s->missing = s->number - number - (uint32_t)s->count;
  return SC3_SPOOL_OK;
}

size_t sc3_spool_count(const sc3_spool *s) {
  return s->count;
}

size_t sc3_spool_lost(const sc3_spool *s) {
  return s->missing;
}

uint64_t sc3_spool_stamp(const sc3_spool *s) {
  return s->stamp;
}

uint32_t sc3_spool_number(const sc3_spool *s) {
  return s->number;
}

size_t sc3_spool_bytes(const sc3_spool *s) {
  return s->end;
}

size_t sc3_spool_damaged(const sc3_spool *s) {
  return s->damaged;
}

/* --- emptying --- */

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
