/* Why a row gave no member, or a member lost an identifier. The key is what reports and `--rejects`
   carry; the text is for people. Neither ever holds a value. */
#ifndef SC3_REASON_H
#define SC3_REASON_H

/* X(NAME, key, text) */
#define SC3_REASONS(X)                                                                             \
  X(NONE, "none", "nothing is wrong")                                                              \
  /* the row cannot be read */                                                                     \
  X(RAGGED_ROW, "ragged_row", "the row has fewer or more fields than the header")                  \
  X(NUL_BYTE, "nul_byte", "the row holds a NUL byte")                                              \
  X(STRAY_QUOTE, "stray_quote", "there is text behind a closing quote")                            \
  X(BAD_JSON, "bad_json", "the line is not valid JSON")                                            \
  X(NOT_AN_OBJECT, "not_an_object", "the line is not a JSON object")                               \
  X(ROW_TOO_LONG, "row_too_long", "the row is over 1 MiB, or has over 4096 fields")                \
  X(AMBIGUOUS_KEY, "ambiguous_key",                                                                \
    "two keys of the row may be meant by one name: name the one you mean")                         \
  X(INVALID_UTF8, "invalid_utf8", "the text is not valid UTF-8")                                   \
  X(NOT_PREPARED, "not_prepared", "the line has keys or types that scope3 prepare does not write") \
  /* the member cannot be built */                                                                 \
  X(NO_EXTERNAL_ID, "no_external_id", "there is no external id")                                   \
  X(EXTERNAL_ID_UTF8, "external_id_utf8", "the external id is not valid UTF-8")                    \
  X(EXTERNAL_ID_TYPE, "external_id_type",                                                          \
    "the external id is not text, nor a number that is exact")                                     \
  X(ID_PLACEHOLDER, "id_placeholder", "external id: a word or a number that stands for no value")  \
  X(ID_SPREADSHEET, "id_spreadsheet",                                                              \
    "external id: a spreadsheet wrote it as 1.2E+11 or 12.000, digits may be lost")                \
  X(ID_CONTROL, "id_control", "external id: a control or invisible character inside")              \
  X(ID_LOST, "id_lost", "external id: U+FFFD inside, left where a character was lost before")      \
  X(ID_UNREPAIRED, "id_unrepaired",                                                                \
    "external id: white space, quotes or a .0 that repair = false leaves there")                   \
  X(ID_EMAIL, "id_email",                                                                          \
    "external id: an email address, which goes only where the option ids says how: "               \
    "\"hash\" sends its SHA-256 as the id, \"as_is\" the address")                                 \
  X(ID_PHONE, "id_phone",                                                                          \
    "external id: a phone number, which goes only where the option ids says how: "                 \
    "\"hash\" sends its SHA-256 as the id, \"as_is\" the number")                                  \
  X(ID_NUMBERED, "id_numbered",                                                                    \
    "external id: it ends in #2 to #16, as those of further members of a row do")                  \
  X(NO_IDENTIFIER, "no_identifier", "no email, phone or uid is left")                              \
  X(MEMBER_TOO_LARGE, "member_too_large", "the member alone is over the size of a request")        \
  X(ROW_FULL, "row_full",                                                                          \
    "the row gave more members than one row may: 250,000, or 16 MiB of them")                      \
  X(REPEATED_IN_ROW, "repeated_in_row", "a later member of the same row has the same external id") \
  X(NO_MEMORY, "no_memory", "memory ran out at the row")                                           \
  X(SCRIPT_ERROR, "script_error", "the script failed at the row")                                  \
  X(REJECTED_BY_SCRIPT, "rejected_by_script", "the script rejected the row")                       \
  /* an identifier cannot be used */                                                               \
  X(NOT_TEXT, "not_text", "the value is not text")                                                 \
  X(EMAIL_UTF8, "email_utf8", "email: not valid UTF-8")                                            \
  X(EMAIL_PLACEHOLDER, "email_placeholder", "email: a word that stands for no value")              \
  X(EMAIL_NO_AT, "email_no_at", "email: no @")                                                     \
  X(EMAIL_TWO_ATS, "email_two_ats", "email: more than one @")                                      \
  X(EMAIL_EMPTY_SIDE, "email_empty_side", "email: nothing before or behind the @")                 \
  X(EMAIL_SPACE, "email_space", "email: a space or control character inside")                      \
  X(EMAIL_CHARACTER, "email_character", "email: a character that no address holds")                \
  X(EMAIL_DOMAIN, "email_domain", "email: the domain has no dot, or an empty part")                \
  X(EMAIL_NOWHERE, "email_nowhere",                                                                \
    "email: a domain of no public network: .invalid, .localhost, .local or .internal")             \
  X(EMAIL_TOO_LONG, "email_too_long", "email: over 254 bytes")                                     \
  X(EMAIL_SEVERAL, "email_several", "email: several addresses in one field")                       \
  X(EMAIL_ESCAPED, "email_escaped",                                                                \
    "email: the @, or another character, is written as %40, &#64; or (at)")                        \
  X(EMAIL_INVISIBLE, "email_invisible", "email: an invisible character inside")                    \
  X(EMAIL_LOST, "email_lost", "email: U+FFFD inside, left where a character was lost before")      \
  X(PHONE_UTF8, "phone_utf8", "phone: not valid UTF-8")                                            \
  X(PHONE_PLACEHOLDER, "phone_placeholder", "phone: a word that stands for no value")              \
  X(PHONE_NATIONAL, "phone_national", "phone: no leading +, and no region to read it by")          \
  X(PHONE_REGION, "phone_region", "phone: no leading +, and a region that is not known")           \
  X(PHONE_NO_PLAN, "phone_no_plan",                                                                \
    "phone: no leading +, and a country without a numbering plan of its own")                      \
  X(PHONE_LETTERS, "phone_letters", "phone: no digits")                                            \
  X(PHONE_CHARACTER, "phone_character", "phone: not written as phone numbers are")                 \
  X(PHONE_CONTEXT, "phone_context",                                                                \
    "phone: a tel: URI whose phone-context is no number and no domain")                            \
  X(PHONE_COUNTRY_CODE, "phone_country_code", "phone: no country has that code")                   \
  X(PHONE_INVALID, "phone_invalid", "phone: not a number of its country's numbering plan")         \
  X(PHONE_TOO_SHORT, "phone_too_short", "phone: too few digits for its country")                   \
  X(PHONE_TOO_LONG, "phone_too_long", "phone: too many digits for its country")                    \
  X(PHONE_SEVERAL, "phone_several", "phone: several numbers in one field")                         \
  X(PHONE_SPREADSHEET, "phone_spreadsheet",                                                        \
    "phone: a spreadsheet wrote it as 1.2E+11, digits are lost")                                   \
  X(HASH_OF_EMPTY, "hash_of_empty", "the SHA-256 of an empty value")                               \
  X(HASH_MD5, "hash_md5", "32 hex digits, an MD5 hash")                                            \
  X(HASH_SHA1, "hash_sha1", "40 hex digits, a SHA-1 hash")                                         \
  X(HASH_MALFORMED, "hash_malformed", "not 64 hex digits, nor the base64 of 32 bytes")             \
  X(HASH_BASE64_OF_HEX, "hash_base64_of_hex",                                                      \
    "the base64 of hex digits, where the base64 of bytes was meant")                               \
  X(HASH_PLACEHOLDER, "hash_placeholder",                                                          \
    "the SHA-256 of a word that stands for no value, or one digit over and over")                  \
  X(UID_TYPE, "uid_type", "uid: no type, or the type external_id, which is not one")               \
  X(UID_TYPE_CLOSE, "uid_type_close",                                                              \
    "uid: a type that is nearly a known one, such as UID-3 or rampids")                            \
  X(UID_TYPE_VENDOR, "uid_type_vendor",                                                            \
    "uid: idfv is another for each vendor; "                                                       \
    "an id of your own apps has the type publisher_first_party")                                   \
  X(UID_EMAIL, "uid_email", "uid: an email address, where an id is meant")                         \
  X(UID_PHONE, "uid_phone", "uid: a phone number, where an id is meant")                           \
  X(UID_ESCAPED, "uid_escaped", "uid: percent codes such as %3D, which must be decoded first")     \
  X(UID_CONTROL, "uid_control", "uid: a control or invisible character inside")                    \
  X(UID_SPREADSHEET, "uid_spreadsheet", "uid: a spreadsheet wrote it as 1.2E+11, digits are lost") \
  X(UID_UNREPAIRED, "uid_unrepaired",                                                              \
    "uid: quotes or invisible characters that repair = false leaves there")                        \
  X(UID_VALUE, "uid_value", "uid: no value")                                                       \
  X(UID_MALFORMED, "uid_malformed", "uid: not of the form that its type has")                      \
  X(UID_CHECKSUM, "uid_checksum",                                                                  \
    "uid: its checksum is wrong, so a character was lost or changed")                              \
  X(UID_TOKEN, "uid_token",                                                                        \
    "uid: a token, which changes all the time, where the raw id is needed")                        \
  X(UID_HASH, "uid_hash", "uid: 64 hex digits, a hash of an email or a phone")                     \
  X(UID_OPT_OUT, "uid_opt_out", "uid: the value that says that this person opted out")             \
  X(UID_PLACEHOLDER, "uid_placeholder",                                                            \
    "uid: a word that stands for no value, or one character over and over")                        \
  X(UID_OTHER_TYPE, "uid_other_type",                                                              \
    "uid: an EUID where a UID2 is meant, or the other way round")                                  \
  X(UID_UTF8, "uid_utf8", "uid: not valid UTF-8")                                                  \
  X(UID_TOO_MANY, "uid_too_many", "uid: over 32 in one member")

typedef enum sc3_reason {
#define X(name, key, text) SC3_R_##name,
  SC3_REASONS(X)
#undef X
      SC3_R_COUNT
} sc3_reason;

/* What was repaired in a value before it was used: X(NAME, key, text). */
#define SC3_REPAIRS(X)                                                                             \
  X(EMAIL_MAILTO, "email_mailto", "email: mailto: was taken off")                                  \
  X(EMAIL_LABEL, "email_label", "email: a label such as \"Email:\" was taken off")                 \
  X(EMAIL_NAME, "email_name", "email: the address was taken out of \"Name <address>\"")            \
  X(EMAIL_COMMENT, "email_comment",                                                                \
    "email: a comment in brackets behind the address was taken off")                               \
  X(EMAIL_QUOTES, "email_quotes", "email: quotes or brackets round the address were taken off")    \
  X(EMAIL_TRAILING, "email_trailing", "email: punctuation behind the address was taken off")       \
  X(EMAIL_MARKS, "email_marks", "email: a quote, =, * or another mark on one side was taken off")  \
  X(EMAIL_EDGES, "email_edges",                                                                    \
    "email: invisible or control characters at its ends were taken off")                           \
  X(EMAIL_LINK, "email_link",                                                                      \
    "email: the address was taken out of a link such as [text](mailto:address)")                   \
  X(EMAIL_FIRST, "email_first_of_several",                                                         \
    "email: of several addresses in one field the first was taken")                                \
  X(HASH_BASE64, "hash_base64", "a hash in base64 was written as hex")                             \
  X(ID_EDGES, "id_edges",                                                                          \
    "external id: white space or invisible characters round it were taken off")                    \
  X(ID_MARKS, "id_marks", "external id: quotes, or a spreadsheet's =, round it were taken off")    \
  X(ID_DECIMAL, "id_decimal", "external id: the .0 of a program was taken off")                    \
  X(ID_WRAPPED, "id_wrapped",                                                                      \
    "external id: ObjectId(\"…\") or another of MongoDB's wrappers was taken off")                 \
  X(ID_HASHED, "id_hashed", "external id: an email or phone was hashed, as ids = \"hash\" has it") \
  X(UID_MARKS, "uid_marks",                                                                        \
    "uid: quotes, a spreadsheet's = or invisible characters were taken off")                       \
  X(UID_BASE64, "uid_base64",                                                                      \
    "uid: the URL-safe or unpadded base64 was written in the standard form")                       \
  X(PHONE_DECIMAL, "phone_decimal", "phone: the .0 of a spreadsheet was taken off")                \
  X(PHONE_PLUS, "phone_plus", "phone: the country code stood there without its plus")              \
  X(PHONE_MEXICO, "phone_mexico", "phone: a prefix that Mexico gave up was taken off")             \
  X(PHONE_WORDS, "phone_words", "phone: words behind the number were cut off")                     \
  X(PHONE_TRUNK_ZERO, "phone_trunk_zero", "phone: \"(0)\" was taken out")                          \
  X(PHONE_DOUBLE_ZERO, "phone_double_zero", "phone: 00 was read as +")                             \
  X(PHONE_FIRST, "phone_first", "phone: of several numbers in one field the first was taken")      \
  X(PHONE_BENIN, "phone_benin", "phone: the 01 was put before a number of Benin from before 2024") \
  X(PHONE_IVORY_COAST, "phone_ivory_coast",                                                        \
    "phone: the operator's digits were put before a number of the Ivory Coast from before 2021")   \
  X(PHONE_BRAZIL, "phone_brazil", "phone: the ninth digit of a mobile of Brazil was put in")

typedef enum sc3_repair {
#define X(name, key, text) SC3_REPAIR_##name,
  SC3_REPAIRS(X)
#undef X
      SC3_REPAIR_COUNT
} sc3_repair;

/* A set of repairs: bit (1 << SC3_REPAIR_…). */
typedef unsigned sc3_repairs;

const char *sc3_repair_key(sc3_repair r);
const char *sc3_repair_text(sc3_repair r);

/* The key of a reason, such as "email_no_at"; and its text. Static strings. */
const char *sc3_reason_key(sc3_reason r);
const char *sc3_reason_text(sc3_reason r);

#endif
