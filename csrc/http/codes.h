/* Short stable names of libcurl's failures: X(code, name). Others are called CURL_ERROR. */
#ifndef SC3_CODES_H
#define SC3_CODES_H

#define SC3_CURL_CODES(X)                                                                          \
  X(CURLE_UNSUPPORTED_PROTOCOL, "UNSUPPORTED_PROTOCOL")                                            \
  X(CURLE_URL_MALFORMAT, "URL_MALFORMAT")                                                          \
  X(CURLE_COULDNT_RESOLVE_PROXY, "COULDNT_RESOLVE_PROXY")                                          \
  X(CURLE_COULDNT_RESOLVE_HOST, "COULDNT_RESOLVE_HOST")                                            \
  X(CURLE_COULDNT_CONNECT, "COULDNT_CONNECT")                                                      \
  X(CURLE_WEIRD_SERVER_REPLY, "WEIRD_SERVER_REPLY")                                                \
  X(CURLE_HTTP2, "HTTP2")                                                                          \
  X(CURLE_HTTP2_STREAM, "HTTP2_STREAM")                                                            \
  X(CURLE_PARTIAL_FILE, "PARTIAL_FILE")                                                            \
  X(CURLE_OUT_OF_MEMORY, "OUT_OF_MEMORY")                                                          \
  X(CURLE_OPERATION_TIMEDOUT, "OPERATION_TIMEDOUT")                                                \
  X(CURLE_SSL_CONNECT_ERROR, "SSL_CONNECT_ERROR")                                                  \
  X(CURLE_GOT_NOTHING, "GOT_NOTHING")                                                              \
  X(CURLE_SEND_ERROR, "SEND_ERROR")                                                                \
  X(CURLE_RECV_ERROR, "RECV_ERROR")                                                                \
  X(CURLE_SEND_FAIL_REWIND, "SEND_FAIL_REWIND")                                                    \
  X(CURLE_PEER_FAILED_VERIFICATION, "PEER_FAILED_VERIFICATION")                                    \
  X(CURLE_SSL_CACERT_BADFILE, "SSL_CACERT_BADFILE")                                                \
  X(CURLE_SSL_CLIENTCERT, "SSL_CLIENTCERT")                                                        \
  X(CURLE_PROXY, "PROXY")                                                                          \
  X(CURLE_BAD_CONTENT_ENCODING, "BAD_CONTENT_ENCODING")

#endif
