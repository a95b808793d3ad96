/* Conditions on a row's values, evaluated without Lua: which rows a job takes. */
#ifndef SC3_CONDITION_H
#define SC3_CONDITION_H

#include "record.h"

typedef enum sc3_operator { SC3_EQUAL, SC3_NOT_EQUAL, SC3_LESS, SC3_AT_MOST, SC3_MORE, SC3_AT_LEAST, SC3_PRESENT, SC3_ABSENT } sc3_operator;

/* What a value is compared with: a text, a number, or true and false (of JSON). */
typedef struct sc3_operand {
  sc3_kind kind; /* SC3_KIND_TEXT, SC3_KIND_NUMBER, SC3_KIND_TRUE or SC3_KIND_FALSE */
  sc3_slice text;
  double number;
} sc3_operand;

typedef struct sc3_condition {
  sc3_operator op;
  size_t column; /* 1-based; 0 = by name */
  sc3_slice name;
  size_t key; /* the name's number, see sc3_builder_keys() */
  const sc3_operand *operands; /* SC3_EQUAL: any of them; SC3_NOT_EQUAL: none of them; an order: the first */
  size_t operand_count;
} sc3_condition;

/* Whether a field (NULL where the row has none) meets a condition. White space round a text does not count. A blank text, null and a missing field
   equal nothing, are neither less nor more than anything, and are absent. Numbers are compared as numbers, also with the text of one; texts by their
   bytes, which puts ISO dates in order. */
int sc3_condition_holds(const sc3_condition *c, const sc3_field *field);

#endif
