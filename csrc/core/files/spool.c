#include "spool.h"

#include <errno.h>
#include <stdlib.h>

#include "../members/fingerprint.h"
#include "fork_mark.h"

enum { FIRST_STEP = 1 << 16, STEP = 1 << 20, KEPT = 3 << 20 };

enum {
  KEPT_AT = offsetof(sc3_spool_header, kept),
  RELEASED_AT = offsetof(sc3_spool_header, released)
};

struct sc3_spool {
  sc3_spool_image image;
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
  int ready;          /* only zeros follow `end` */
};

/* From an odd generation to an even one: nothing that was written before `to` is left. */
static void finish_reset(sc3_spool *s, size_t to) {
  sc3_spool_wipe(&s->image, KEPT_AT, to);
  sc3_spool_store_generation(&s->image, s->image.generation + 1);
  s->begin = s->end = sizeof(sc3_spool_header);
  s->count = s->damaged = 0;
  s->number = s->released = s->missing = 0;
}

/* The first record after the one of that number, from `at` on. See sc3_spool_find_record(). */
static size_t find_after(const sc3_spool *s, size_t at, uint32_t number, size_t *start,
                         sc3_spool_record *r) {
  const sc3_spool_search search = {at, number, s->number};
  return sc3_spool_find_record(&s->image, &search, start, r);
}

/* Finds out what can be read. */
static void scan(sc3_spool *s) {
  sc3_spool_record r;
  size_t next, start;
  uint32_t kept;
  s->damaged = 0;
  if (!sc3_spool_read_number(&s->image, KEPT_AT, &kept))
    s->damaged += sizeof(uint64_t);
  if (!sc3_spool_read_number(&s->image, RELEASED_AT, &s->released))
    s->damaged += sizeof(uint64_t);
  s->begin = s->end = sizeof(sc3_spool_header);
  s->count = 0;
  s->stamp = 0;
  s->number = 0;
  for (;;) {
    const sc3_spool_search search = {s->end, s->number, kept};
    next = sc3_spool_find_record(&s->image, &search, &start, &r);
    if (next == 0)
      break;
    s->damaged += start - s->end;
    s->end = next;
    s->number = r.number;
    if (r.stamp > s->stamp)
      s->stamp = r.stamp;
    if (r.number > s->released)
      s->count++;
    else
      s->begin = next;
  }
  s->damaged += s->end < s->image.file.size ? sc3_spool_end_of_data(&s->image, s->end) - s->end : 0;
  if (kept > s->number)
    s->number = kept; /* so that no number comes twice */
  if (s->released > s->number)
    s->released = s->number;
  s->missing = s->number - s->released - (uint32_t)s->count;
  s->ready = 0;
}

/* --- opening --- */

static sc3_spool_status begin(sc3_spool *s) {
  size_t first = s->capacity < FIRST_STEP ? s->capacity : FIRST_STEP;
  sc3_spool_status status = sc3_spool_file_protect(&s->image.file);
  sc3_spool_header *h;
  if (status == SC3_SPOOL_OK)
    status = sc3_spool_file_map(&s->image.file);
  if (status == SC3_SPOOL_OK && s->image.file.size < first)
    status = sc3_spool_file_grow(&s->image.file, first);
  if (status != SC3_SPOOL_OK)
    return status;
  h = (sc3_spool_header *)(void *)s->image.file.bytes;
  h->byte_order = sc3_spool_fresh_header.byte_order;
  h->version = sc3_spool_fresh_header.version;
  sc3_spool_store_generation(&s->image, 0); /* and orders the stores before it */
  memcpy(h->magic, sc3_spool_fresh_header.magic, sizeof h->magic);
  s->begin = s->end = sizeof *h;
  s->ready = 1;
  return SC3_SPOOL_OK;
}

static sc3_spool_status resume(sc3_spool *s) {
  sc3_spool_status status = sc3_spool_read_header(&s->image);
  if (status == SC3_SPOOL_OK)
    status = sc3_spool_file_protect(&s->image.file);
  if (status == SC3_SPOOL_OK)
    status = sc3_spool_file_map(&s->image.file);
  if (status != SC3_SPOOL_OK)
    return status;
  if (s->image.generation % 2 != 0)
    finish_reset(s, s->image.file.size);
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
  status = sc3_spool_file_open(&s->image.file, path);
  if (status == SC3_SPOOL_OK)
    status = sc3_spool_is_blank(&s->image.file) ? begin(s) : resume(s);
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
  sc3_spool_file_close(&s->image.file);
  sc3_fork_mark_clear(&s->mark);
  sc3_buffer_free(&s->scratch);
  free(s);
}

/* --- keeping --- */

/* Once after opening: what follows the end could become part of a record. */
static sc3_spool_status make_ready(sc3_spool *s) {
  sc3_spool_status status = sc3_spool_file_check(&s->image.file);
  if (status != SC3_SPOOL_OK)
    return status;
  if (s->image.file.size - s->end >= SC3_SPOOL_RECORD_HEAD)
    sc3_spool_store_word(&s->image, s->end, 0);
  sc3_spool_wipe(&s->image, s->end, s->image.file.size);
  sc3_spool_store_number(&s->image, KEPT_AT, s->number);
  sc3_spool_store_number(&s->image, RELEASED_AT, s->released);
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
  if (status != SC3_SPOOL_OK || needed <= s->image.file.size)
    return status;
  status = sc3_spool_file_check(&s->image.file);
  if (status != SC3_SPOOL_OK)
    return status;
  step = s->image.file.size < FIRST_STEP ? FIRST_STEP
         : s->image.file.size < STEP     ? s->image.file.size
                                         : STEP; /* small steps first, each twice the one before */
  while (step < STEP && needed - s->image.file.size > step)
    step *= 2;
  size = s->capacity - needed < step ? s->capacity : (needed + step - 1) / step * step;
  return sc3_spool_file_grow(&s->image.file, size);
}

/* What a batch needs. */
typedef struct need {
  size_t bytes;
  uint32_t members;
  sc3_packed parts; /* of the last one */
  size_t packed;
} need;

static sc3_spool_status measure(const sc3_spool *s, const sc3_spool_batch *batch, need *needed) {
  size_t i;
  sc3_op op;
  needed->bytes = 0;
  needed->members = 0;
  if (batch->label.n > SC3_SPOOL_LABEL_MAX)
    return SC3_SPOOL_FULL;
  for (i = batch->first; i < batch->last && i < sc3_payload_count(batch->payload); i++) {
    sc3_slice json = sc3_payload_member(batch->payload, i, &op);
    if (json.p == NULL)
      continue;
    needed->packed = sc3_packed_of(json, &needed->parts);
    if (needed->packed == 0 || sc3_spool_is_too_long(needed->packed) || needed->bytes > s->capacity)
      return SC3_SPOOL_FULL;
    needed->bytes += sc3_spool_record_size(needed->packed, batch->label.n);
    needed->members++;
  }
  return needed->members > UINT32_MAX - s->number ? SC3_SPOOL_FULL : SC3_SPOOL_OK;
}

/* There is room for all of it. The first record's first word is stored last: with that store all
   of the batch is kept. */
static void write_batch(sc3_spool *s, const sc3_spool_batch *batch, const need *needed) {
  size_t i, at = s->end;
  uint32_t first_word = 0;
  sc3_spool_new_record r;
  r.label = batch->label;
  r.stamp = s->stamp;
  r.number = s->number;
  for (i = batch->first; i < batch->last && i < sc3_payload_count(batch->payload); i++) {
    uint32_t word;
    const sc3_slice json = sc3_payload_member(batch->payload, i, &r.op);
    if (json.p == NULL)
      continue;
    if (needed->members == 1) { /* as most often: it was taken apart just now */
      r.parts = needed->parts;
      r.packed = needed->packed;
    } else {
      r.packed = sc3_packed_of(json, &r.parts);
    }
    r.number++;
    word = sc3_spool_write_record(&s->image, at, &r);
    if (at == s->end)
      first_word = word;
    else
      sc3_spool_store_word(&s->image, at, word);
    at += sc3_spool_record_size(r.packed, r.label.n);
  }
  sc3_spool_store_word(&s->image, s->end, first_word);
  sc3_spool_store_number(&s->image, KEPT_AT, r.number);
  s->end = at;
  s->number = r.number;
}

sc3_spool_status sc3_spool_keep(sc3_spool *s, const sc3_spool_batch *batch) {
  need needed;
  sc3_spool_status status;
  if (!sc3_fork_mark_mine(&s->mark))
    return SC3_SPOOL_FORKED;
  status = measure(s, batch, &needed);
  if (status != SC3_SPOOL_OK || needed.members == 0)
    return status;
  status = make_room(s, needed.bytes);
  if (status != SC3_SPOOL_OK)
    return status;
  if (batch->stamp > s->stamp)
    s->stamp = batch->stamp;
  write_batch(s, batch, &needed);
  s->count += needed.members;
  return SC3_SPOOL_OK;
}

/* --- reading --- */

/* The next record, and in `*next` where the one after it starts; the cursor stays. */
static void peek(sc3_spool *s, sc3_spool_cursor *cursor, sc3_spool_record *r, size_t *next) {
  size_t start;
  r->packed = sc3_slice_of(NULL, 0);
  if (cursor->at == 0) {
    cursor->at = s->begin;
    cursor->number = s->released;
    cursor->generation = s->image.generation;
  }
  if (cursor->generation != s->image.generation || cursor->at >= s->end)
    return;
  *next = find_after(s, cursor->at, cursor->number, &start, r);
  if (*next == 0)
    r->packed = sc3_slice_of(NULL, 0);
  /* It could be read before: another process wrote to the file. */
  if (*next == 0 || (start != cursor->at && s->damaged == 0))
    scan(s);
}

static void pass(sc3_spool_cursor *cursor, const sc3_spool_record *r, size_t next) {
  cursor->at = next;
  cursor->number = r->number;
}

sc3_spool_status sc3_spool_next(sc3_spool *s, sc3_spool_cursor *cursor, sc3_spool_record *record) {
  size_t next = 0;
  record->packed = sc3_slice_of(NULL, 0);
  if (!sc3_fork_mark_mine(&s->mark))
    return SC3_SPOOL_FORKED;
  peek(s, cursor, record, &next);
  if (record->packed.p != NULL)
    pass(cursor, record, next);
  return SC3_SPOOL_OK;
}

/* The JSON of a member that was read, and the comma that a payload wants. */
static sc3_status unpack(sc3_spool *s, const sc3_packed *parts) {
  const size_t n = sc3_packed_json_size(parts);
  sc3_status status;
  s->scratch.n = 0;
  status = sc3_buffer_reserve(&s->scratch, n + 1);
  if (status != SC3_OK)
    return status;
  sc3_packed_unpack(parts, s->scratch.p);
  s->scratch.p[n] = ',';
  return SC3_OK;
}

static sc3_added put(sc3_spool *s, sc3_payload *p, const sc3_spool_record *r) {
  sc3_packed parts;
  sc3_new_member member;
  if (!sc3_packed_read(r->packed, &parts))
    return SC3_NEVER_FITS;
  if (unpack(s, &parts) != SC3_OK)
    return SC3_ADD_NOMEM;
  member.op = r->op;
  member.row = 0;
  member.json = sc3_slice_of(s->scratch.p, sc3_packed_json_size(&parts) + 1);
  member.id_length = parts.id.n;
  member.fingerprint = sc3_fingerprint(parts.id);
  member.had = sc3_member_identifiers(member.json, parts.id.n);
  return sc3_payload_add(p, &member);
}

sc3_spool_status sc3_spool_take(sc3_spool *s, sc3_spool_cursor *cursor, sc3_payload *p,
                                const sc3_spool_wanted *wanted, sc3_spool_taken *taken) {
  memset(taken, 0, sizeof *taken);
  if (!sc3_fork_mark_mine(&s->mark))
    return SC3_SPOOL_FORKED;
  for (;;) {
    sc3_spool_record r;
    size_t next = 0;
    sc3_added added;
    peek(s, cursor, &r, &next);
    taken->more = r.packed.p != NULL;
    taken->label = sc3_slice_of(NULL, 0);
    if (!taken->more)
      return SC3_SPOOL_OK;
    taken->stamp = r.stamp;
    taken->label = r.label;
    if (p == NULL || r.stamp > wanted->last_stamp || !sc3_slice_eq(r.label, wanted->label) ||
        taken->members + taken->unfit >= wanted->most)
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
  sc3_spool_store_number(&s->image, RELEASED_AT, number);
  while (s->begin < s->end) {
    sc3_spool_record r;
    size_t start, next = find_after(s, s->begin, s->released, &start, &r);
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

void sc3_spool_unload(const sc3_spool *s) {
  sc3_spool_file_unload(&s->image.file);
}

void sc3_spool_trim(sc3_spool *s) {
  size_t used = (s->end + FIRST_STEP - 1) / FIRST_STEP * FIRST_STEP;
  int only_zeros_follow = s->ready;
  if (sc3_fork_mark_mine(&s->mark) && only_zeros_follow && used < s->image.file.size &&
      sc3_spool_file_check(&s->image.file) == SC3_SPOOL_OK)
    (void)sc3_spool_file_shrink(&s->image.file, used);
}

/* --- emptying --- */

sc3_spool_status sc3_spool_reset(sc3_spool *s) {
  sc3_spool_status status;
  size_t written;
  if (!sc3_fork_mark_mine(&s->mark))
    return SC3_SPOOL_FORKED;
  status = sc3_spool_file_check(&s->image.file);
  if (status != SC3_SPOOL_OK)
    return status;
  sc3_spool_store_generation(&s->image, s->image.generation | 1);
  if (s->image.file.size > KEPT)
    (void)sc3_spool_file_shrink(&s->image.file, KEPT); /* where it cannot, there is more to wipe */
  written = s->ready && s->end < s->image.file.size ? s->end : s->image.file.size;
  finish_reset(s, written);
  return SC3_SPOOL_OK;
}

sc3_spool_status sc3_spool_rename(sc3_spool *s, const char *path) {
  if (!sc3_fork_mark_mine(&s->mark))
    return SC3_SPOOL_FORKED;
  return sc3_spool_file_rename(&s->image.file, path);
}

sc3_spool_status sc3_spool_remove(sc3_spool *s) {
  sc3_spool_status status = sc3_spool_reset(s); /* first, in case that it has another name too */
  if (status == SC3_SPOOL_OK || status == SC3_SPOOL_REMOVED || status == SC3_SPOOL_TRUNCATED)
    status = sc3_spool_file_unlink(&s->image.file);
  if (status == SC3_SPOOL_OK)
    sc3_spool_close(s);
  return status;
}
