/* One object of JSON (RFC 8259), read into fields. */
#ifndef SC3_JSON_OBJECT_H
#define SC3_JSON_OBJECT_H

#include "../bytes/buffer.h"
#include "record.h"

enum { SC3_JSON_PLACES = 64, SC3_JSON_KEY_MAX = 55 };

/* What the key at one place of an object was found to be: objects mostly have the same keys in the
 * same places. */
typedef struct sc3_json_place {
  unsigned char n; /* bytes of the key; 0 = nothing is known */
  signed char key; /* the number of the key asked for that it is; -1 = it is kept, -2 = it is not,
                      -3 = that must be found out again */
  char name[SC3_JSON_KEY_MAX];
} sc3_json_place;

/* The fields of the object that was read last, and what is known for the next one. */
typedef struct sc3_json_object {
  sc3_field *fields;
  size_t count, capacity;
  int child; /* the object belongs to another, see sc3_record */
  sc3_json_place places[SC3_JSON_PLACES];
  uint32_t at[SC3_KEYS_MAX]; /* where in `fields` the very keys lie, from 1; 0 = there is none */
  const sc3_field *found[SC3_KEYS_MAX];
  sc3_field looked[SC3_KEYS_MAX];      /* found under another spelling, or inside other values */
  unsigned char escaped[SC3_KEYS_MAX]; /* whether these are texts with escapes */
  sc3_buffer texts;                    /* of those */
} sc3_json_object;

void sc3_json_object_init(sc3_json_object *o);
void sc3_json_object_free(sc3_json_object *o);

/* The keys that are asked for from now on are others than before. */
void sc3_json_object_other_keys(sc3_json_object *o);

/* A text with an object at its head. */
typedef struct sc3_json_text {
  char *p; /* unescaped in place */
  const char *end;
  const char *rest; /* set by reading: the next object before `end`, or `end` */
} sc3_json_text;

/* Reads the object at the head of `text`, which is valid UTF-8. Sets in `record` its fields, with a
   fault none, what the keys of `wanted` mean in it, and whether it is a child. `wanted` NULL = all
   fields. SC3_ENOMEM. */
sc3_status sc3_json_object_read(sc3_json_object *o, sc3_json_text *text, const sc3_keys *wanted,
                                sc3_record *record);

#endif
