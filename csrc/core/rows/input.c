#include "input.h"

#include "file_kind.h"
#include "../bytes/utf8.h"

char *sc3_input_space(sc3_input *in, size_t want) {
  sc3_buffer *b = &in->buffer;
  size_t before =
      in->decoding ? want * (SC3_DECODE_GROWTH - 1) + SC3_DECODE_MORE : 0; /* room to grow into */
  if (in->at > 0) {
    b->n -= in->at;
    memmove(b->p, b->p + in->at, b->n);
    in->at = 0;
  }
  in->before = before;
  return sc3_buffer_reserve(b, before + want) == SC3_OK ? b->p + b->n + before : NULL;
}

void sc3_input_commit(sc3_input *in, size_t n) {
  sc3_buffer *b = &in->buffer;
  if (in->decoding) {
    in->raw += n;
    n = sc3_decode(&in->decoder, b->p + b->n + in->before, n, b->p + b->n);
  }
  b->n += n;
}

/* Notes whether the text ends with a line end, once it is all there. */
static void note_end(sc3_input *in) {
  if (sc3_input_left(in) > 0) {
    const char last = in->buffer.p[in->buffer.n - 1];
    in->unended = last != '\n' && last != '\r';
  }
}

SC3_COLD
sc3_status sc3_input_finish(sc3_input *in) {
  if (in->decoding && !in->finished) {
    char *space = sc3_input_space(in, SC3_DECODE_MORE);
    if (space == NULL)
      return SC3_ENOMEM;
    in->buffer.n += sc3_decode_end(&in->decoder, in->buffer.p + in->buffer.n);
  }
  if (!in->finished)
    note_end(in);
  in->finished = 1;
  return SC3_OK;
}

/* --- the first bytes --- */

SC3_COLD
int sc3_input_sniffable(const sc3_input *in) {
  size_t left = sc3_input_left(in);
  if (in->finished || left >= SC3_SNIFFED_BYTES)
    return 1;
  return left >= SC3_MAGIC_MAX && memchr(sc3_input_head(in), '\n', left) != NULL &&
         !sc3_file_kind_waits(sc3_slice_of(sc3_input_head(in), left));
}

/* What the byte order mark says, and the bytes that it takes. */
static sc3_encoding marked(sc3_slice s, size_t *length) {
  *length = 2;
  if (sc3_slice_begins(s, SC3_LITERAL("\xff\xfe")))
    return SC3_ENCODING_UTF16LE;
  if (sc3_slice_begins(s, SC3_LITERAL("\xfe\xff")))
    return SC3_ENCODING_UTF16BE;
  *length = sc3_slice_begins(s, SC3_LITERAL("\xef\xbb\xbf")) ? 3 : 0;
  return *length > 0 ? SC3_ENCODING_UTF8 : SC3_ENCODING_UNTOLD;
}

/* What the first line is made of. */
typedef struct first_line {
  size_t n, nuls[2], controls; /* NULs at even and at odd places; control characters, NULs too */
} first_line;

SC3_COLD
static first_line look_at_line(const char *p, size_t n, sc3_controls allowed) {
  first_line line = {0, {0, 0}, 0};
  for (; line.n < n && line.n < SC3_SNIFFED_BYTES && p[line.n] != '\n'; line.n++) {
    unsigned char c = (unsigned char)p[line.n];
    if (c == 0)
      line.nuls[line.n & 1]++;
    if (c < 0x20 && c != '\t' && c != '\r' && c != '\f')
      line.controls += c == 0 || !(allowed == SC3_CONTROLS_ANY ||
                                   (allowed == SC3_CONTROLS_SEQUENCE && c == 0x1e));
  }
  return line;
}

/* UTF-16 without a mark: every other byte of ASCII is NUL in it. */
static sc3_encoding unmarked(const first_line *line) {
  if ((line->nuls[0] > 0) == (line->nuls[1] > 0))
    return SC3_ENCODING_UNTOLD;
  if (line->controls != line->nuls[0] + line->nuls[1] || line->controls * 4 <= line->n)
    return SC3_ENCODING_UNTOLD;
  return line->nuls[0] > 0 ? SC3_ENCODING_UTF16BE : SC3_ENCODING_UTF16LE;
}

static sc3_next refuse(sc3_fatal *fatal, sc3_fatal_kind kind, const char *what) {
  fatal->kind = kind;
  fatal->what = what;
  return SC3_NEXT_FATAL;
}

/* What is refused only by its bytes, whatever its encoding is said to be. */
SC3_COLD
static sc3_next refuse_kind(sc3_fatal *fatal, sc3_slice s) {
  const char *kind;
  if (sc3_slice_begins(s, SC3_LITERAL("\xff\xfe\0\0")) ||
      sc3_slice_begins(s, SC3_LITERAL("\0\0\xfe\xff")))
    return refuse(fatal, SC3_FATAL_UTF32, NULL);
  if (sc3_slice_begins(s, SC3_LITERAL("\x1f\x8b")))
    return refuse(fatal, SC3_FATAL_GZIP, NULL);
  kind = sc3_file_kind_of(s);
  return kind != NULL ? refuse(fatal, SC3_FATAL_KIND, kind) : SC3_NEXT_RECORD;
}

/* A line that is said to be UTF-16 and has no NUL, which stands beside each delimiter of columns,
 * and each quote of JSON. */
static sc3_next refuse_narrow(sc3_fatal *fatal, const char *line, size_t n) {
  return refuse(fatal, SC3_FATAL_ENCODING, sc3_utf8_valid(line, n) ? "utf-8" : NULL);
}

/* The encoding of what waits, of which `mark` bytes are a mark. SC3_NEXT_FATAL where it is said to
 * be another. */
SC3_COLD
static sc3_next find_encoding(sc3_input *in, sc3_controls allowed, sc3_fatal *fatal, size_t *mark) {
  const char *p = sc3_input_head(in);
  const size_t n = sc3_input_left(in);
  const first_line line = look_at_line(p, n, allowed);
  const sc3_encoding told = in->encoding, said = marked(sc3_slice_of(p, n), mark),
                     seems = unmarked(&line);
  const int wide =
      told == SC3_ENCODING_UTF16LE || told == SC3_ENCODING_UTF16BE || told == SC3_ENCODING_UTF16;
  if (said != SC3_ENCODING_UNTOLD) {
    if (told != SC3_ENCODING_UNTOLD && told != said &&
        !(told == SC3_ENCODING_UTF16 && said != SC3_ENCODING_UTF8))
      return refuse(fatal, SC3_FATAL_ENCODING, sc3_encoding_name(said));
    in->encoding = said;
  } else if (told == SC3_ENCODING_UNTOLD && seems != SC3_ENCODING_UNTOLD) {
    return refuse(fatal, SC3_FATAL_UTF16, sc3_encoding_name(seems));
  } else if (told == SC3_ENCODING_UTF16) {
    if (seems == SC3_ENCODING_UNTOLD)
      return line.nuls[0] + line.nuls[1] > 0 ? refuse(fatal, SC3_FATAL_UTF16, NULL)
                                             : refuse_narrow(fatal, p, line.n);
    in->encoding = seems;
  } else if (told != SC3_ENCODING_UNTOLD && seems != SC3_ENCODING_UNTOLD && told != seems) {
    return refuse(fatal, SC3_FATAL_ENCODING, sc3_encoding_name(seems));
  } else if (wide && line.nuls[0] + line.nuls[1] == 0 && line.n >= 4) {
    return refuse_narrow(fatal, p, line.n);
  }
  return SC3_NEXT_RECORD;
}

/* Makes UTF-8 of what waits, and from now on of all that comes. */
SC3_COLD
static sc3_status begin_decoding(sc3_input *in) {
  const size_t n = sc3_input_left(in);
  char *space;
  sc3_decoder_init(&in->decoder, in->encoding);
  in->decoding = 1;
  space = sc3_input_space(in, n);
  if (space == NULL) {
    in->decoding = 0;
    return SC3_ENOMEM;
  }
  in->buffer.n -= n;
  space -= n;
  memmove(space, in->buffer.p + in->buffer.n, n);
  sc3_input_commit(in, n);
  if (in->finished) { /* what it ended with was noted of bytes that were no text yet */
    in->buffer.n += sc3_decode_end(&in->decoder, in->buffer.p + in->buffer.n);
    note_end(in);
  }
  return SC3_OK;
}

SC3_COLD
static sc3_next begin_bytes(sc3_input *in, sc3_controls allowed, sc3_fatal *fatal) {
  size_t mark;
  sc3_next next;
  if (sc3_input_left(in) == 0)
    return refuse(fatal, SC3_FATAL_EMPTY, NULL);
  next = refuse_kind(fatal, sc3_slice_of(sc3_input_head(in), sc3_input_left(in)));
  if (next == SC3_NEXT_RECORD)
    next = find_encoding(in, allowed, fatal, &mark);
  if (next != SC3_NEXT_RECORD)
    return next;
  sc3_input_take(in, mark);
  in->raw = mark;
  if (in->encoding != SC3_ENCODING_UNTOLD && in->encoding != SC3_ENCODING_UTF8 &&
      begin_decoding(in) != SC3_OK)
    return SC3_NEXT_NOMEM;
  in->begun = 1;
  return SC3_NEXT_RECORD;
}

SC3_COLD
sc3_next sc3_input_begin(sc3_input *in, sc3_controls allowed, sc3_fatal *fatal) {
  sc3_next next = SC3_NEXT_RECORD;
  if (!sc3_input_sniffable(in))
    return SC3_NEXT_NEED;
  if (!in->begun)
    next = begin_bytes(in, allowed, fatal);
  if (next != SC3_NEXT_RECORD)
    return next;
  if (in->decoding) { /* the text, of which less may have come than of bytes */
    if (!sc3_input_sniffable(in))
      return SC3_NEXT_NEED;
    next = refuse_kind(fatal, sc3_slice_of(sc3_input_head(in), sc3_input_left(in)));
  }
  if (next == SC3_NEXT_RECORD &&
      look_at_line(sc3_input_head(in), sc3_input_left(in), allowed).controls > 0)
    return refuse(fatal, SC3_FATAL_BINARY, NULL);
  return next;
}
