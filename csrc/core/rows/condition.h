/* Conditions on a row's values, evaluated without Lua: which rows a job takes. */
#ifndef SC3_CONDITION_H
#define SC3_CONDITION_H

#include "../bytes/number.h"
#include "record.h"

typedef enum sc3_operator {
  SC3_EQUAL,
  SC3_NOT_EQUAL,
  SC3_LESS,
  SC3_AT_MOST,
  SC3_MORE,
  SC3_AT_LEAST,
  SC3_PRESENT,
  SC3_ABSENT,
  SC3_SAYS_YES,
  SC3_SAYS_NO
} sc3_operator;

/* What a value is compared with: a text, a number, or true and false (of JSON). */
typedef struct sc3_operand {
  sc3_kind kind; /* SC3_KIND_TEXT, SC3_KIND_NUMBER, SC3_KIND_TRUE or SC3_KIND_FALSE */
  sc3_slice text;
  sc3_number number;
} sc3_operand;

enum { SC3_FOLDED_MAX = 1024 }; /* bytes of an operand that is compared in any case */

typedef struct sc3_condition {
  sc3_operator op;
  size_t column; /* 1-based; 0 = by name */
  sc3_slice name;
  size_t key; /* the name's number, see sc3_mapping_keys() */
  const sc3_operand
      *operands; /* SC3_EQUAL: any of them; SC3_NOT_EQUAL: none of them; an order: the first */
  size_t operand_count;
  int ignore_case; /* texts are compared in any case; those of operands are in lowercase */
  /* The decimal mark of numbers in texts, which are then read as sc3_amount_read() does; '\0':
   * only plain numbers. */
  char decimal;
  int blank; /* SC3_SAYS_YES, SC3_SAYS_NO: what a blank value says; -1 nothing */
} sc3_condition;

/* What the values of a column look like, where a condition does not hold. */
typedef enum sc3_content {
  SC3_CONTENT_ABSENT, /* blank, null, or no such field */
  SC3_CONTENT_NUMBER,
  /* a number such as 1.234, which means thousands where a comma is the decimal mark, or where one
     is: 1.5 */
  SC3_CONTENT_POINT,
  SC3_CONTENT_COMMA, /* as in sc3_notation */
  SC3_CONTENT_SIGNS,
  SC3_CONTENT_WORDS,
  SC3_CONTENT_OTHER_CASE, /* equal but for upper and lower case */
  SC3_CONTENT_OTHER_TYPE, /* true, false, or nested JSON */
  SC3_CONTENT_COUNT
} sc3_content;

/* What a condition came across; counts of rows. */
typedef struct sc3_condition_tally {
  uint64_t seen;         /* that met all conditions before it */
  uint64_t skipped;      /* of these, that did not meet it */
  uint64_t absent;       /* of the skipped: there is no value */
  uint64_t not_a_number; /* it compares only with numbers, and the value is none */
  uint64_t not_a_date;   /* it compares with a date, and the value does not begin with one */
  uint64_t
      not_yes_or_no;   /* it asks for a yes or no, or for true or false, and the value is neither */
  uint64_t other_case; /* the value equals an operand but for upper and lower case */
  uint64_t content[SC3_CONTENT_COUNT]; /* of the skipped, until a row meets it */
  uint64_t unread[SC3_CONTENT_COUNT];  /* of what is no number, and of numbers that may have been
                                          read wrongly */
} sc3_condition_tally;

/* Whether a field (NULL where the row has none) meets a condition. White space and invisible
   characters round a text do not count. A blank text, null and a missing field equal nothing, are
   neither less nor more than anything, and are absent. Numbers are compared as numbers, also with
   the text of one; texts by their bytes, which puts ISO dates in order. True and false are compared
   with true and false: with a text or a number no comparison of the two holds, so that a value
   which cannot be read lets no row pass. */
int sc3_condition_holds(const sc3_condition *c, const sc3_field *field, sc3_condition_tally *tally);

#endif
