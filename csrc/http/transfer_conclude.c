#include "transfer_conclude.h"

#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "transfer_callbacks.h"

static void collect_facts(sc3_transfer *t) {
  sc3_result *p = &t->result;
  curl_off_t uploaded = 0, total_us = 0;
  long version = 0;
  char *redirect = NULL;
  (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &p->status);
  (void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
  (void)curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &total_us);
  (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
  (void)curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &p->connections);
  (void)curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &redirect);
  (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &p->proxy_status);
  (void)curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &p->verify);
  (void)curl_easy_getinfo(t->easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &p->proxy_verify);
  p->begun = t->begun;
  p->uploaded = uploaded > 0 ? (uint64_t)uploaded : 0;
  p->seconds = (double)total_us / 1e6;
  p->http_version = version == CURL_HTTP_VERSION_1_0   ? 10
                    : version == CURL_HTTP_VERSION_1_1 ? 11
                    : version == CURL_HTTP_VERSION_2_0 ? 20
                    : version == CURL_HTTP_VERSION_3   ? 30
                                                       : 0;
  if (redirect != NULL)
    p->redirect = strdup(redirect);
}

/* Whether a reply came that cannot be unpacked: what there is of its body is not what was said. */
static int is_unreadable(CURLcode code) {
  return code == CURLE_BAD_CONTENT_ENCODING || code == CURLE_WRITE_ERROR;
}

/* Whether a reply counts although libcurl reports a failure: a whole one, or what there is of one
 * when it was the request that broke or stood still. */
static int is_answer(const sc3_transfer *t, CURLcode code, int unsent) {
  return t->answered && !is_unreadable(code) &&
         (sc3_transfer_is_complete(t) || (unsent && (t->answer >= 300 || t->result.body.n > 0)));
}

/* The status of a reply over HTTP/2 that libcurl has dropped, because the stream was reset after
 * it. libcurl keeps this one field. 0 for none. */
static int lost_status(const sc3_transfer *t) {
  struct curl_header *field = NULL;
  if (curl_easy_header(t->easy, ":status", 0, CURLH_PSEUDO, -1, &field) != CURLHE_OK)
    return 0;
  return sc3_read_status(field->value, strlen(field->value));
}

/* Whether libcurl writes down that a kept connection of HTTP/2 died. 8.14 does, 8.23 does not, and
   of those between nothing is known: with them, a request that was refused counts as in doubt. */
static int tells_of_death(void) {
  return curl_version_info(CURLVERSION_NOW)->version_num < 0x080f00;
}

/* Whether libcurl began again because an HTTP/2 server had refused the stream before it did
   anything. Over a connection of its own it begins again only for that. Over a kept one also after
   the connection died, of which some say nothing. */
static int is_refused_stream(const sc3_transfer *t, CURLcode code, int multiplexed) {
  if (!t->again && code != CURLE_SEND_FAIL_REWIND)
    return 0;
  return t->fresh || (multiplexed && t->silent && tells_of_death());
}

/* Whether the whole request has left. A small body is not watched while it goes: one of which
 * nothing is counted may have gone, although on_begin() lets none go over another connection. */
static int has_left(const sc3_transfer *t, int unsent) {
  const uint64_t uploaded = t->result.uploaded;
  long request_bytes = 0;
  (void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
  if (!t->begun || request_bytes <= 0)
    return 0;
  return t->joined.n > 0 ? uploaded == 0 || uploaded >= t->joined.n : !unsent;
}

/* Whether the failure may be one of HTTP/2 with this host. */
static int is_http2_failure(const sc3_transfer *t, CURLcode code, int unsent) {
  const int failed = code != CURLE_OK || (t->joined.n == 0 && unsent);
  const int version = t->result.http_version;
  return failed && !t->too_large && !t->no_memory && t->begun && t->secure &&
         (version == 0 || version >= 20);
}

void sc3_transfer_conclude(sc3_transfer *t, CURLcode code, int multiplexed) {
  sc3_result *r = &t->result;
  int unread, unsent;
  uint64_t gone = (uint64_t)t->gone;
  collect_facts(t);
  if (r->uploaded > gone) /* libcurl counts anew when it takes another connection */
    gone = r->uploaded;
  unread = t->joined.n == 0 && t->piece < t->body_count;
  unsent = unread || gone < (uint64_t)t->total;
  r->body_sent = has_left(t, unsent);
  r->early = 0;
  r->code = NULL;
  r->message[0] = '\0';
  t->spoiled = code != CURLE_OK || unread;
  t->http2_failed = is_http2_failure(t, code, unsent);
  if (is_refused_stream(t, code, multiplexed)) {
    r->body_sent = 0;
    sc3_transfer_fail(t, "REFUSED_STREAM", "the stream was refused");
  } else if (t->again) { /* it had gone over a connection that died without an answer */
    r->body_sent = t->joined.n > 0 || !unsent;
    sc3_transfer_fail(t, sc3_failure_name(CURLE_SEND_FAIL_REWIND), "a kept connection had died");
  } else if (t->too_large) {
    sc3_transfer_fail(t, "TOO_LARGE", "the reply is larger than allowed");
  } else if (t->no_memory) {
    sc3_transfer_fail(t, sc3_failure_name(CURLE_OUT_OF_MEMORY),
                      curl_easy_strerror(CURLE_OUT_OF_MEMORY));
  } else if (code == CURLE_OK) {
    r->early = unread;
  } else if (is_answer(t, code, unsent)) {
    r->early = unsent;
  } else {
    r->cause = sc3_failure_cause(t->easy, code, t->no_socket, t->begun);
    if (!t->answered && r->status == 0 && lost_status(t) >= 300)
      r->status = lost_status(t);
    sc3_transfer_fail(t, sc3_failure_name(code),
                      t->error[0] != '\0' ? t->error : curl_easy_strerror(code));
  }
}

void sc3_transfer_fail(sc3_transfer *t, const char *code, const char *message) {
  t->result.code = code;
  (void)snprintf(t->result.message, sizeof t->result.message, "%s", message);
}
