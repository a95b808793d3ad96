/* libFuzzer's target for spools that were damaged between two processes (csrc/core/files). An input
 * is a list of steps: members are kept and released, all are taken out, bytes of the closed file
 * are changed, the file is cut short, and it is opened again. What must hold:
 *   - an opener takes the file, or refuses it and leaves every byte as it is;
 *   - each member that is read is one that was kept since all were taken out, byte for byte, with
 *     its operation, stamp and label, in order, and once;
 *   - it reads as many as it says, and as long as the header is whole those that it reads and those
 *     that it calls lost are all that were kept and not released;
 *   - it takes new members, and reads them last.
 *
 *   make fuzz FUZZ_SECONDS=60 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../csrc/core/files/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
  CAPACITY = 32768,
  HEADER = (int)sizeof(sc3_spool_header),
  MEMBERS_MOST = 256, /* that are kept in one run */
  LABELS = 3
};

static const char *const labels[LABELS] = {"", "a", "an audience with a longer label"};

/* What a member is made of. Its external id begins with its place in the list. */
typedef struct member_form {
  size_t padding;
  unsigned parts; /* bit by bit: an email, a phone, universal ids */
} member_form;

/* A member that was kept. */
typedef struct kept_member {
  member_form form;
  sc3_op op;
  uint32_t number;
  uint64_t stamp;
  unsigned label;
} kept_member;

typedef struct run {
  const uint8_t *p;
  size_t n;
  sc3_spool *spool; /* NULL = closed */
  kept_member kept[MEMBERS_MOST];
  size_t count;
  size_t first;    /* those before it were taken out */
  size_t released; /* those before it were released, or taken out */
  uint64_t stamp;
  int changed;        /* bytes of the file were changed */
  int changed_header; /* also bytes of its header */
} run;

static char path[64];

static void must(int holds) {
  if (!holds)
    abort();
}

/* The next byte of the input, 0 after its end. */
static unsigned draw(run *r) {
  if (r->n == 0)
    return 0;
  r->n--;
  return *r->p++;
}

/* --- members --- */

enum { JSON_MOST = 512 };

/* With its comma. */
static sc3_slice write_member(char *to, size_t serial, member_form form) {
  char email[96] = "", phone[96] = "";
  int n;
  if (form.parts & 1)
    (void)snprintf(email, sizeof email, ",\"hashedEmail\":\"%064zx\"", serial * 0x9e3779b1u);
  if (form.parts & 2)
    (void)snprintf(phone, sizeof phone, ",\"hashedPhone\":\"%zx%048d%015zx\"", serial % 16, 0,
                   serial * 0x85ebca6bu);
  n = snprintf(to, JSON_MOST, "{\"externalId\":\"%04zu%.*s\"%s%s%s},", serial, (int)form.padding,
               "....\\\"......\\\\......\\u0001..............................................",
               email, phone,
               form.parts & 4 ? ",\"uids\":[{\"type\":\"t\",\"value\":\"v]}\"}]" : "");
  must(n > 0 && n < JSON_MOST);
  return sc3_slice_of(to, (size_t)n);
}

static member_form form_of(unsigned drawn) {
  static const unsigned char paddings[8] = {0,  4,  6,  12,
                                            14, 26, 40, 63}; /* no escape is cut in two */
  const member_form form = {paddings[drawn % 8], drawn / 8 % 8};
  return form;
}

static void keep(run *r) {
  char json[JSON_MOST];
  sc3_payload *payload = sc3_payload_new(8, 4096);
  size_t i, members = draw(r) % 4 + 1;
  const member_form form = form_of(draw(r));
  unsigned label = draw(r) % LABELS;
  sc3_spool_batch batch;
  sc3_spool_status status;
  must(payload != NULL);
  if (r->count + members > MEMBERS_MOST)
    members = MEMBERS_MOST - r->count;
  r->stamp += draw(r) % 3;
  for (i = 0; i < members; i++) {
    const size_t serial = r->count + i;
    const sc3_slice text = write_member(json, serial, form);
    const sc3_new_member member = {serial % 3 == 0 ? SC3_REMOVE : SC3_ADD,
                                   1,
                                   text,
                                   4 + form.padding,
                                   serial + 1,
                                   {0, 0, 0, 0}};
    must(sc3_payload_add(payload, &member) == SC3_ADDED);
  }
  batch.payload = payload;
  batch.first = 0;
  batch.last = members;
  batch.stamp = r->stamp;
  batch.label = sc3_slice_of(labels[label], strlen(labels[label]));
  status = sc3_spool_keep(r->spool, &batch);
  must(status == SC3_SPOOL_OK || status == SC3_SPOOL_FULL);
  for (i = 0; i < members && status == SC3_SPOOL_OK; i++, r->count++) {
    const uint32_t last = sc3_spool_number(r->spool);
    const kept_member member = {form, r->count % 3 == 0 ? SC3_REMOVE : SC3_ADD,
                                last - (uint32_t)(members - 1 - i), sc3_spool_stamp(r->spool),
                                label};
    r->kept[r->count] = member;
  }
  sc3_payload_free(payload);
}

static size_t serial_of(const sc3_spool_record *record) {
  char digits[5] = {0};
  sc3_packed parts;
  must(sc3_packed_read(record->packed, &parts) && parts.id.n >= 4);
  memcpy(digits, parts.id.p, 4);
  return (size_t)strtoul(digits, NULL, 10);
}

/* Whether a record unpacked is what was kept. */
static int is_member(const sc3_spool_record *record, size_t serial, member_form form) {
  char kept[JSON_MOST], json[JSON_MOST];
  const sc3_slice expected = write_member(kept, serial, form);
  sc3_packed parts;
  if (!sc3_packed_read(record->packed, &parts) || sc3_packed_json_size(&parts) + 1 != expected.n)
    return 0;
  sc3_packed_unpack(&parts, json);
  return memcmp(json, expected.p, expected.n - 1) == 0;
}

static void check_record(const run *r, const sc3_spool_record *record, size_t least) {
  const size_t serial = serial_of(record);
  const kept_member *member;
  must(serial >= least && serial >= r->first && serial < r->count);
  member = &r->kept[serial];
  must(is_member(record, serial, member->form));
  must(record->op == member->op && record->number == member->number &&
       record->stamp == member->stamp);
  must(sc3_slice_eq(record->label,
                    sc3_slice_of(labels[member->label], strlen(labels[member->label]))));
}

/* Reads all; gives their number. */
static size_t read_all(run *r, size_t *last) {
  sc3_spool_cursor cursor = {0, 0, 0};
  size_t n = 0, least = r->first;
  for (;;) {
    sc3_spool_record record;
    must(sc3_spool_next(r->spool, &cursor, &record) == SC3_SPOOL_OK);
    if (record.packed.p == NULL)
      return n;
    check_record(r, &record, least);
    *last = serial_of(&record);
    least = *last + 1;
    n++;
  }
}

static void check_spool(run *r) {
  const size_t there = r->count - r->released;
  size_t last = 0, n = sc3_spool_count(r->spool), read = read_all(r, &last);
  must(read == n);
  if (!r->changed)
    must(n == there && sc3_spool_lost(r->spool) == 0 && sc3_spool_damaged(r->spool) == 0);
  if (!r->changed_header)
    must(n + sc3_spool_lost(r->spool) == there);
}

/* --- the file --- */

static size_t read_file(char *to, size_t room) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd >= 0 ? read(fd, to, room) : -1;
  if (fd >= 0)
    (void)close(fd);
  return n > 0 ? (size_t)n : 0;
}

static void change_file(run *r) {
  const unsigned kind = draw(r) % 3, at = draw(r) << 8 | draw(r), length = draw(r) % 64 + 1;
  uint8_t bytes[64] = {0};
  unsigned i;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  must(fd >= 0);
  for (i = 0; kind == 0 && i < length; i++)
    bytes[i] = (uint8_t)draw(r);
  if (kind == 2)
    must(ftruncate(fd, at % CAPACITY) == 0);
  else
    must(pwrite(fd, bytes, length, at % CAPACITY) == (ssize_t)length);
  (void)close(fd);
  r->changed = 1;
  r->changed_header |= at % CAPACITY < HEADER;
}

/* 0 when the file is refused: then it was left as it was. */
static int open_spool(run *r) {
  static char before[1 << 21], after[1 << 21];
  size_t n = read_file(before, sizeof before);
  sc3_spool_status status = sc3_spool_open(&r->spool, path, CAPACITY);
  if (status == SC3_SPOOL_OK) {
    check_spool(r);
    return 1;
  }
  must(status >= SC3_SPOOL_FOREIGN && status <= SC3_SPOOL_HEADER && r->changed_header);
  must(read_file(after, sizeof after) == n && memcmp(before, after, n) == 0);
  r->spool = NULL;
  return 0;
}

static int reopen(run *r, int change) {
  sc3_spool_close(r->spool);
  r->spool = NULL;
  if (change)
    change_file(r);
  return open_spool(r);
}

/* --- steps --- */

static void release(run *r) {
  size_t to = r->released + draw(r) % 4;
  if (to > r->count)
    to = r->count;
  if (to == r->released || r->changed) /* of a changed file nobody knows what was read last */
    return;
  must(sc3_spool_release(r->spool, r->kept[to - 1].number) == SC3_SPOOL_OK);
  r->released = to;
}

static void reset(run *r) {
  must(sc3_spool_reset(r->spool) == SC3_SPOOL_OK);
  r->first = r->released = r->count;
  must(sc3_spool_count(r->spool) == 0);
}

/* 0 after which nothing more can be done. */
static int step(run *r) {
  switch (draw(r) % 8) {
    case 0:
    case 1:
    case 2: keep(r); return 1;
    case 3: release(r); return 1;
    case 4: reset(r); return 1;
    case 5: return reopen(r, 0);
    default: return reopen(r, 1);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static run r;
  memset(&r, 0, sizeof r);
  r.p = data;
  r.n = size;
  (void)snprintf(path, sizeof path, "%s/scope3-fuzz-%ld.spool",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", (long)getpid());
  (void)unlink(path);
  if (open_spool(&r)) {
    int goes_on = 1;
    while (goes_on && r.n > 0)
      goes_on = step(&r);
    if (goes_on)
      goes_on = reopen(&r, 0);
    if (goes_on) {
      size_t before = r.count, last = SIZE_MAX;
      keep(&r);
      (void)read_all(&r, &last);
      must(r.count == before || last == r.count - 1);
    }
  }
  sc3_spool_close(r.spool);
  (void)unlink(path);
  return 0;
}
