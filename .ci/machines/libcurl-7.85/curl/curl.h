/* The API of libcurl 7.85, the oldest that is promised, by the headers of 7.88: the version says
 * so, and what came between may not be named. libcurl-symbols(3) says what came when. */
#pragma GCC system_header
#include_next <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x075500 || LIBCURL_VERSION_NUM > 0x0758ff
#error "this lists what came from 7.86 to 7.88: headers of another libcurl have other names"
#endif
#undef LIBCURL_VERSION_NUM
#define LIBCURL_VERSION_NUM 0x075500

/* 7.86 */
#pragma GCC poison CURLOPT_WS_OPTIONS CURLWS_BINARY CURLWS_CLOSE CURLWS_CONT CURLWS_OFFSET
#pragma GCC poison CURLWS_PING CURLWS_PONG CURLWS_RAW_MODE CURLWS_TEXT
#pragma GCC poison curl_ws_frame curl_ws_meta curl_ws_recv curl_ws_send
/* 7.87 */
#pragma GCC poison CURLOPT_CA_CACHE_TIMEOUT CURLOPT_QUICK_EXIT CURLVERSION_ELEVENTH
#pragma GCC poison CURL_WRITEFUNC_ERROR feature_names
/* 7.88 */
#pragma GCC poison CURL_HTTP_VERSION_3ONLY CURL_LOCK_DATA_HSTS CURLU_PUNYCODE CURLUE_LACKS_IDN
