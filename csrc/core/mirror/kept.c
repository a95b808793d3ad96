#include "kept.h"

#include <errno.h>
#include <stdlib.h>

#include "../bytes/little.h"

/* A row:
 *
 *   form 1, the row's number modulo 2^16 2
 *   PLAIN, with a bit for each role that has a value: their lengths 1 each, their bytes
 *   else: bytes behind this number 4
 *     MISSING: fields 2, of them those that the row does not have 2
 *     each slot: LONG or more: its kind in the low bits, length 4; NONE: nothing; else a text of so
 *                many bytes
 *                its bytes */
enum {
  FRONT = 3,
  LENGTH = 4,
  HEAD = FRONT + LENGTH,
  PREFIX = FRONT + SC3_ROLE_UID, /* that says how long a row is */
  MISSING = 1,                   /* forms */
  PLAIN = 128,
  MISSING_SIZE = 4,
  LONG = 0xf0,
  NONE = 0xff,
  LONG_SIZE = 5,
  ROW_LIMIT = 256 << 20, /* a row has at most 2^20 bytes, which several slots may look at */
  FIRST_CAPACITY = 256,
  NEAR = 512, /* bytes to the next row that are read at once with it */
  SLACK = 64  /* behind blocks */
};

_Static_assert(SC3_ROLE_UID < 8 && PREFIX >= HEAD, "a form has a bit for each role");

/* --- opened and closed --- */

sc3_mirror_status sc3_kept_open(sc3_kept *k, sc3_blocks *blocks, const sc3_cipher *cipher) {
  memset(k, 0, sizeof *k);
  k->blocks = blocks;
  k->cipher = *cipher;
  sc3_buffer_init(&k->row, ROW_LIMIT);
  k->block = malloc(SC3_BLOCK + SLACK);
  k->aside = malloc(SC3_BLOCK + SLACK);
  return k->block != NULL && k->aside != NULL ? SC3_MIRROR_OK : SC3_MIRROR_MEMORY;
}

void sc3_kept_close(sc3_kept *k) {
  if (k->cipher.of != NULL)
    k->cipher.end(k->cipher.of);
  free(k->numbers);
  free(k->block);
  free(k->aside);
  free(k->fields);
  sc3_buffer_free(&k->row);
  memset(k, 0, sizeof *k);
}

/* --- what is looked at --- */

static int is_slot(const sc3_kept_slot *slot, const sc3_target *t) {
  return slot->column == t->column && (t->column > 0 || slot->key == t->key);
}

static void add_slot(sc3_kept *k, const sc3_target *t) {
  size_t i = 0;
  while (i < k->slot_count && !is_slot(&k->slots[i], t))
    i++;
  if (i < k->slot_count)
    return;
  k->slots[i].column = t->column;
  k->slots[i].key = t->column > 0 ? 0 : t->key;
  k->slots[i].name = t->name;
  k->slot_count++;
}

static sc3_mirror_status reserve_fields(sc3_kept *k, size_t columns, size_t keys) {
  sc3_field *fields;
  if (k->fields != NULL && columns <= k->columns && keys <= k->keys)
    return SC3_MIRROR_OK;
  fields = calloc(columns + keys + 1, sizeof *fields);
  if (fields == NULL)
    return SC3_MIRROR_MEMORY;
  free(k->fields);
  k->fields = fields;
  k->columns = columns;
  k->keys = keys;
  return SC3_MIRROR_OK;
}

sc3_mirror_status sc3_kept_look(sc3_kept *k, const sc3_mapping *m) {
  size_t i, columns = 0, keys = 0;
  k->slot_count = 0;
  for (i = 0; i < m->target_count; i++)
    add_slot(k, &m->targets[i]);
  for (i = 0; i < k->slot_count; i++) {
    const sc3_kept_slot *slot = &k->slots[i];
    columns = slot->column > columns ? slot->column : columns;
    keys = slot->column == 0 && slot->key >= keys ? slot->key + 1 : keys;
  }
  return reserve_fields(k, columns, keys);
}

/* --- blocks --- */

static sc3_mirror_status reserve_number(sc3_kept *k) {
  const size_t n = k->capacity > 0 ? k->capacity * 2 : FIRST_CAPACITY;
  uint32_t *numbers;
  if (k->written < k->capacity)
    return SC3_MIRROR_OK;
  numbers = realloc(k->numbers, n * sizeof *numbers);
  if (numbers == NULL)
    return SC3_MIRROR_MEMORY;
  k->numbers = numbers;
  k->capacity = n;
  return SC3_MIRROR_OK;
}

static sc3_mirror_status apply(const sc3_kept *k, uint64_t at, unsigned char *to,
                               const unsigned char *from, size_t n) {
  return k->cipher.apply(k->cipher.of, at, to, from, n) ? SC3_MIRROR_OK : SC3_MIRROR_MEMORY;
}

/* Writes the block that is full. Where that fails nothing is kept any more, so that no other text
   takes its place in the keystream. */
static sc3_mirror_status write_block(sc3_kept *k) {
  sc3_mirror_status status = reserve_number(k);
  unsigned char *room = NULL;
  if (status == SC3_MIRROR_OK)
    status = sc3_blocks_append(k->blocks, &k->numbers[k->written], &room);
  if (status == SC3_MIRROR_OK)
    status = apply(k, (uint64_t)k->written * SC3_BLOCK, room, k->block, SC3_BLOCK);
  if (status != SC3_MIRROR_OK)
    return status;
  k->written++;
  k->n = 0;
  return SC3_MIRROR_OK;
}

/* Brings `n` bytes from `from` on of a block that was written: with those behind them, or only with
   some where the next row is far. */
static sc3_mirror_status load(sc3_kept *k, size_t index, size_t from, size_t n) {
  const size_t low = from - from % SC3_CIPHER_STEP;
  size_t high = SC3_BLOCK;
  unsigned char *const to = k->aside + low;
  sc3_mirror_status status;
  if (index == k->index && from >= k->low && from + n <= k->high)
    return SC3_MIRROR_OK;
  if (k->sparse && SC3_BLOCK - from > NEAR + n)
    high = from + NEAR + n;
  status = sc3_blocks_read(k->blocks, k->numbers[index], low, high - low, to);
  if (status == SC3_MIRROR_OK)
    status = apply(k, (uint64_t)index * SC3_BLOCK + low, to, to, high - low);
  if (status != SC3_MIRROR_OK)
    return status;
  k->index = index;
  k->low = low;
  k->high = high;
  return SC3_MIRROR_OK;
}

/* `n` bytes of a block. */
static const unsigned char *piece(sc3_kept *k, size_t index, size_t from, size_t n,
                                  sc3_mirror_status *status) {
  if (index == k->written)
    return k->block + from;
  *status = load(k, index, from, n);
  return k->aside + from;
}

/* --- plain rows ---
 *
 * Those that give one member, of one short value a role, with an id that is sent as it stands. */

static int is_plain(const sc3_record *r, const sc3_survey *survey) {
  const sc3_values *v = &survey->mapped.values;
  const sc3_slice id = v->role[SC3_ROLE_EXTERNAL_ID], sent = survey->id.value;
  size_t i = 0;
  if (v->fallback_count + v->uid_count + survey->mapped.refused_count + r->missing > 0 ||
      v->member > 0 || sent.p != id.p || sent.n != id.n)
    return 0;
  while (i < SC3_ROLE_UID && (v->role[i].p == NULL || v->role[i].n < NONE) && v->column[i] == 0)
    i++;
  return i == SC3_ROLE_UID;
}

static size_t size_of_plain(const sc3_values *v) {
  size_t i, n = FRONT;
  for (i = 0; i < SC3_ROLE_UID; i++)
    n += v->role[i].p != NULL ? 1 + v->role[i].n : 0;
  return n;
}

/* Writes what lies behind the front, and gives the form. */
static unsigned write_plain(const sc3_values *v, unsigned char *p) {
  unsigned form = PLAIN;
  size_t i;
  for (i = 0; i < SC3_ROLE_UID; i++) {
    if (v->role[i].p == NULL)
      continue;
    form |= 1u << i;
    *p++ = (unsigned char)v->role[i].n;
  }
  for (i = 0; i < SC3_ROLE_UID; i++) {
    if (v->role[i].p == NULL)
      continue;
    memcpy(p, v->role[i].p, v->role[i].n);
    p += v->role[i].n;
  }
  return form;
}

/* Reads what lies behind the front, and says where that ends. */
static const unsigned char *read_plain(unsigned form, const unsigned char *p, sc3_survey *survey) {
  sc3_values *const v = &survey->mapped.values;
  const unsigned char *lengths = p;
  size_t i;
  sc3_mapped_clear(&survey->mapped);
  for (i = 0; i < SC3_ROLE_UID; i++)
    p += form >> i & 1;
  for (i = 0; i < SC3_ROLE_UID; i++) {
    if ((form >> i & 1) == 0)
      continue;
    v->role[i] = sc3_slice_of((const char *)p, *lengths);
    p += *lengths++;
  }
  survey->id.value = v->role[SC3_ROLE_EXTERNAL_ID];
  survey->id.repairs = 0;
  v->id = &survey->id;
  return p;
}

/* --- rows in --- */

/* The value of a slot; NULL where the row has none. */
static const sc3_field *field_of(const sc3_kept_slot *slot, const sc3_record *r) {
  if (slot->column > 0)
    return slot->column <= r->count ? &r->fields[slot->column - 1] : NULL;
  return r->found != NULL ? r->found[slot->key] : sc3_record_find(r, slot->name);
}

static int is_short(const sc3_field *f) {
  return f->kind == SC3_KIND_TEXT && f->value.n < LONG;
}

/* A row on its way in. */
typedef struct incoming {
  const sc3_record *record;
  const sc3_values *plain; /* NULL where it is not */
  size_t size;
} incoming;

static size_t size_of(const sc3_kept *k, const sc3_record *r) {
  size_t i, n = HEAD + (r->missing > 0 ? MISSING_SIZE : 0);
  for (i = 0; i < k->slot_count; i++) {
    const sc3_field *f = field_of(&k->slots[i], r);
    n += f == NULL ? 1 : (is_short(f) ? 1 : LONG_SIZE) + f->value.n;
  }
  return n;
}

static unsigned char *write_field(unsigned char *p, const sc3_field *f) {
  if (f == NULL) {
    *p = NONE;
    return p + 1;
  }
  if (is_short(f)) {
    *p++ = (unsigned char)f->value.n;
  } else {
    *p = (unsigned char)(LONG | (unsigned)f->kind);
    sc3_store32(p + 1, (uint32_t)f->value.n);
    p += LONG_SIZE;
  }
  if (f->value.n > 0)
    memcpy(p, f->value.p, f->value.n);
  return p + f->value.n;
}

static void write_row(const sc3_kept *k, const incoming *in, unsigned char *p) {
  const sc3_record *const r = in->record;
  size_t i;
  sc3_store16(p + 1, (uint16_t)r->row);
  if (in->plain != NULL) {
    p[0] = (unsigned char)write_plain(in->plain, p + FRONT);
    return;
  }
  p[0] = r->missing > 0 ? MISSING : 0;
  sc3_store32(p + FRONT, (uint32_t)(in->size - HEAD));
  p += HEAD;
  if (r->missing > 0) {
    sc3_store16(p, (uint16_t)r->count);
    sc3_store16(p + 2, (uint16_t)r->missing);
    p += MISSING_SIZE;
  }
  for (i = 0; i < k->slot_count; i++)
    p = write_field(p, field_of(&k->slots[i], r));
}

/* Writes a row that does not fit into the block under way. */
static sc3_mirror_status spill(sc3_kept *k, const incoming *in) {
  const size_t size = in->size;
  size_t done = 0;
  sc3_status st;
  k->row.n = 0;
  st = sc3_buffer_reserve(&k->row, size);
  if (st != SC3_OK)
    return sc3_mirror_of(st);
  write_row(k, in, (unsigned char *)k->row.p);
  while (done < size) {
    const size_t room = SC3_BLOCK - k->n, some = size - done < room ? size - done : room;
    memcpy(k->block + k->n, k->row.p + done, some);
    k->n += some;
    done += some;
    if (k->n == SC3_BLOCK) {
      const sc3_mirror_status status = write_block(k);
      if (status != SC3_MIRROR_OK)
        return status;
    }
  }
  return SC3_MIRROR_OK;
}

sc3_mirror_status sc3_kept_put(sc3_kept *k, const sc3_record *r, const sc3_survey *survey,
                               uint64_t *at) {
  incoming in;
  in.record = r;
  in.plain = is_plain(r, survey) ? &survey->mapped.values : NULL;
  in.size = in.plain != NULL ? size_of_plain(in.plain) : size_of(k, r);
  *at = sc3_kept_size(k);
  if (in.size >= SC3_BLOCK - k->n)
    return spill(k, &in);
  write_row(k, &in, k->block + k->n);
  k->n += in.size;
  return SC3_MIRROR_OK;
}

/* --- rows out --- */

/* Somebody has changed what only this process knows of. */
static sc3_mirror_status changed(void) {
  errno = EIO;
  return SC3_MIRROR_SYSTEM;
}

/* `n` bytes from `at` on, in one piece. */
static sc3_mirror_status view(sc3_kept *k, uint64_t at, size_t n, const unsigned char **out) {
  sc3_mirror_status status = SC3_MIRROR_OK;
  size_t index = (size_t)(at / SC3_BLOCK), from = (size_t)(at % SC3_BLOCK);
  sc3_status st;
  if (at > sc3_kept_size(k) || sc3_kept_size(k) - at < n)
    return changed();
  if (SC3_BLOCK - from >= n) {
    *out = piece(k, index, from, n, &status);
    return status;
  }
  k->row.n = 0;
  st = sc3_buffer_reserve(&k->row, n);
  if (st != SC3_OK)
    return sc3_mirror_of(st);
  for (; k->row.n < n && status == SC3_MIRROR_OK; index++, from = 0) {
    const size_t left = n - k->row.n, room = SC3_BLOCK - from, some = left < room ? left : room;
    const unsigned char *p = piece(k, index, from, some, &status);
    if (status == SC3_MIRROR_OK)
      sc3_buffer_put(&k->row, p, some);
  }
  *out = (const unsigned char *)k->row.p;
  return status;
}

/* The place of a slot in the record that is given. */
static sc3_field *field_for(sc3_kept *k, const sc3_kept_slot *slot) {
  return slot->column > 0 ? &k->fields[slot->column - 1] : &k->fields[k->columns + slot->key];
}

/* Reads a slot; what lies behind it, or NULL where the row ends before that. */
static const unsigned char *read_field(sc3_kept *k, const sc3_kept_slot *slot,
                                       const unsigned char *p, const unsigned char *end) {
  sc3_field *const f = field_for(k, slot);
  size_t n;
  if (p == end)
    return NULL;
  f->kind = *p < LONG ? SC3_KIND_TEXT : *p == NONE ? SC3_KIND_NULL : (sc3_kind)(*p & 15);
  n = *p < LONG ? *p : 0;
  if (*p >= LONG && *p != NONE) {
    if (f->kind > SC3_KIND_NESTED || end - p < LONG_SIZE)
      return NULL;
    n = sc3_load32(p + 1);
    p += LONG_SIZE - 1;
  }
  p++;
  if ((size_t)(end - p) < n)
    return NULL;
  f->value = sc3_slice_of((const char *)p, n);
  if (slot->column == 0)
    k->found[slot->key] = f;
  return p + n;
}

/* Reads the fields of a row that is not plain; what lies behind them, or NULL. */
static const unsigned char *read_fields(sc3_kept *k, const unsigned char *p,
                                        const unsigned char *end, int form, sc3_record *r) {
  size_t i;
  if (form == MISSING && end - p < MISSING_SIZE)
    return NULL;
  if (form == MISSING) {
    r->count = sc3_load16(p);
    r->missing = sc3_load16(p + 2);
    p += MISSING_SIZE;
  }
  for (i = 0; i < k->slot_count && p != NULL; i++)
    p = read_field(k, &k->slots[i], p, end);
  return p;
}

static void begin_record(const sc3_kept *k, uint64_t at, sc3_record *r) {
  r->offset = at;
  r->lines = 0;
  r->count = SC3_COLUMNS_MAX; /* what a row has less is a field without a value */
  r->missing = 0;
  r->fields = k->fields;
  r->fault = SC3_R_NONE;
  r->fault_column = r->fault_key = 0;
  r->found = k->found;
  r->child = 0;
}

/* The size of a row by its first bytes; 0 where they do not tell. */
static size_t size_by(const unsigned char *p, size_t n) {
  size_t at = FRONT, count = 0, size, i;
  if (n < FRONT)
    return 0;
  if ((p[0] & PLAIN) == 0)
    return n >= HEAD ? HEAD + (size_t)sc3_load32(p + FRONT) : 0;
  for (i = 0; i < SC3_ROLE_UID; i++)
    count += p[0] >> i & 1;
  if (n < FRONT + count)
    return 0;
  for (size = FRONT + count; at < FRONT + count; at++)
    size += p[at];
  return size;
}

sc3_mirror_status sc3_kept_read(sc3_kept *k, uint64_t at, sc3_record *r, sc3_survey *survey,
                                int *is_surveyed) {
  const unsigned char *p, *end;
  sc3_mirror_status status;
  const uint64_t left = sc3_kept_size(k) - at;
  size_t n = left < PREFIX ? (size_t)left : PREFIX;
  k->sparse = at - k->at > NEAR;
  status = at > sc3_kept_size(k) ? changed() : view(k, at, n, &p);
  if (status == SC3_MIRROR_OK) {
    n = size_by(p, n);
    status = n == 0 ? changed() : view(k, at, n, &p);
  }
  if (status != SC3_MIRROR_OK)
    return status;
  if (sc3_load16(p + 1) != (uint16_t)r->row)
    return changed();
  k->at = at + n;
  end = p + n;
  begin_record(k, at, r);
  *is_surveyed = (p[0] & PLAIN) != 0;
  p = *is_surveyed ? read_plain(p[0], p + FRONT, survey) : read_fields(k, p + HEAD, end, p[0], r);
  return p == end ? SC3_MIRROR_OK : changed();
}
