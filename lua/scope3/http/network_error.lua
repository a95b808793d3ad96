--- Why a transfer brought no reply, and what to do about it: the name, the connection, a proxy, the certificate, or
--- what broke later.
local core = require "scope3.core"
local errors = require "scope3.error"
local redact = require "scope3.util.redact"

local network_error = {}

local NETWORK = {
  FORKED = "the process forked while the request was under way: it goes on in the parent alone",
  COULDNT_RESOLVE_HOST = "the host name was not found: check the base URL and the network",
  COULDNT_RESOLVE_PROXY = "the proxy's name was not found: check https_proxy",
  COULDNT_CONNECT = "the host does not answer: check the base URL, the network and the proxy",
  PEER_FAILED_VERIFICATION =
    "the certificate of the host is not trusted; behind a company proxy set ca_file to its certificate",
  SSL_CACERT_BADFILE = "the file of CA certificates cannot be read: check ca_file",
  GOT_NOTHING = "the connection was closed without an answer",
  PARTIAL_FILE = "the answer was cut short",
  BAD_CONTENT_ENCODING = "the compression of the answer is broken, so it cannot be read",
  RECV_ERROR = "the connection broke while waiting for the answer",
  SEND_ERROR = "the connection broke while sending",
  SEND_FAIL_REWIND = "a kept connection had died while the request was on it, so it may have arrived",
  HTTP2 = "the connection broke while waiting for the answer",
  HTTP2_STREAM = "the request was broken off by the other side",
  REFUSED_STREAM = "the request was refused before anything of it was processed",
  WEIRD_SERVER_REPLY = "the answer is not HTTP",
  UNSUPPORTED_PROTOCOL = "the answer is not HTTP", -- libcurl takes it for HTTP/0.9
}

local CAUSES = {
  refused = "refused the connection: nothing listens there; check the port, and whether the service runs",
  unreachable = "cannot be reached from here: check the network and the route to it",
  timeout = "did not take the connection in time: check the network, the firewall and the port",
}

-- A person may not know that there is one: the environment names it.
local PROXY_FROM = "; https_proxy or all_proxy names this proxy, and no_proxy the hosts that need none"

-- --- certificates ------------------------------------------------------------------------------------------------

-- By OpenSSL's numbers X509_V_ERR_…, which libcurl gives, or by words of the TLS libraries that have none. The first
-- match counts.
local CERTIFICATE = {
  { code = "CERT_EXPIRED", numbers = { [10] = true }, words = { "expired" },
    text = "%s has expired: whoever runs it must renew it; check this machine's clock too" },
  { code = "CERT_NOT_YET_VALID", numbers = { [9] = true }, words = { "not yet valid", "not activated",
    "not valid yet" },
    text = "%s is not valid yet: check this machine's clock" },
  { code = "CERT_REVOKED", numbers = { [23] = true }, words = { "revoked" },
    text = "%s was revoked: do not send anything there before whoever runs it has explained that" },
  { code = "CERT_WRONG_HOST", numbers = { [62] = true, [64] = true },
    words = { "subject name", "does not match", "alt name", "hostname mismatch", "name mismatch" },
    text = "%s is for another name: check the host in the base URL; a proxy or a wrong DNS entry may lead elsewhere" },
  { code = "CERT_WEAK", numbers = { [66] = true, [67] = true, [68] = true }, words = { "key too", "md too weak" },
    text = "%s or its CA's has too weak a key or digest for this machine: whoever runs it must replace it" },
  { code = "CERT_SELF_SIGNED", numbers = { [18] = true }, words = { "self[- ]signed certificate$" },
    text = "%s is self-signed: if it is yours, set ca_file to it" },
  { code = "CERT_UNKNOWN_CA", numbers = { [2] = true, [19] = true, [20] = true, [21] = true, [27] = true },
    words = { "issuer", "self[- ]signed", "unknown ca", "verification failed", "verify the first" },
    text = "%s is of a CA that is not known here: behind a company proxy set ca_file to that CA's certificate, "
      .. "else install ca-certificates" },
}

local function certificate_of(number, message)
  for _, one in ipairs(CERTIFICATE) do
    if number and one.numbers[number] then
      return one
    end
  end
  local low = core.lower(message)
  for _, one in ipairs(CERTIFICATE) do
    for _, word in ipairs(one.words) do
      if low:find(word) then -- pattern: words of the list above
        return one
      end
    end
  end
end

local function certificate_error(result)
  local number = result.proxy_verify or result.verify
  local one = certificate_of(number, result.message or "")
  if one then
    local text = one.text:format(result.proxy_verify and "the certificate of the proxy"
      or "the certificate of the host")
    return errors.new("network", text .. " (" .. one.code .. ")", { code = result.code, reason = one.code })
  end
end

-- --- handshakes --------------------------------------------------------------------------------------------------

-- What TLS libraries say when a port does not speak TLS.
local PLAIN = { "wrong version number", "packet length too long", "unexpected tls packet", "http request",
  "record layer failure", "unknown protocol" }
-- What they say when the host wants a certificate of the client. Over TLS 1.3 that comes after the request has begun.
local WANTS_CERTIFICATE = { "certificate required", "client certificate", "alert number 116" }

local function says(message, words)
  message = core.lower(message)
  for _, word in ipairs(words) do
    if message:find(word, 1, true) then
      return true
    end
  end
  return false
end

local function handshake_error(result)
  local message = result.message or ""
  if result.code == "SSL_CLIENTCERT" or says(message, WANTS_CERTIFICATE) then
    return errors.new("network",
      "the host wants a certificate of the client, and this library has none to show: check the base URL, "
      .. "or go through a proxy that has one (SSL_CLIENTCERT)", { code = "SSL_CLIENTCERT" })
  elseif result.code ~= "SSL_CONNECT_ERROR" then
    return nil
  elseif says(message, PLAIN) then
    return errors.new("network",
      "this port speaks plain http, not TLS: check the port in the base URL, and https_proxy if set (NOT_TLS)",
      { code = "NOT_TLS" })
  elseif says(message, { "protocol version", "unsupported protocol", "handshake failure", "no shared cipher",
    "unrecognized name" }) then
    return errors.new("network", "the host and this machine agree on no TLS: " .. redact.text(message)
      .. " (SSL_CONNECT_ERROR)",
      { code = "SSL_CONNECT_ERROR", retryable = true })
  end
end

-- --- proxies -----------------------------------------------------------------------------------------------------

local ADVICE = {
  [403] = "ask whoever runs it to allow the host, or name it in no_proxy",
  [407] = "it wants a login: write it into https_proxy, as in http://user:password@proxy:3128",
}

--- The error of a request that a proxy did not let through to the host.
---@param result scope3.TransferResult
---@param retry_after number?  seconds
---@return scope3.Error?  nil where the proxy is not the reason
function network_error.refused_by_proxy(result, retry_after)
  local status = result.proxy_status
  if not status or status < 300 then
    return nil
  end
  local passing = status >= 500 or status == 408 or status == 429
  local advice = ADVICE[status] or passing and "it could not reach the host, or is busy"
    or "check https_proxy and no_proxy"
  return errors.new("network", ("the proxy answered %d and lets nothing through to the host: %s"):format(status,
    advice),
    { code = passing and "PROXY_FAILED" or "PROXY_REFUSED", retryable = passing or nil,
      retry_after = passing and retry_after or nil })
end

-- Whether the connection that failed was the one to the proxy: libcurl names the host that it tried.
local function is_of_proxy(result)
  local proxy = result.proxy or ""
  local host = proxy:match("^%w+://[^/]*@([^/:]+)") or proxy:match("^%w+://([^/:@]+)") or proxy:match("^([^/:@]+)")
  return host ~= nil and host ~= "" and (result.message or ""):find(" " .. host .. " ", 1, true) ~= nil
end

--- The error of a transfer that never became a request.
---@param result scope3.TransferResult
---@return scope3.Error?  nil where only libcurl's code is known
function network_error.error(result)
  if result.cause == "descriptors" then
    return errors.new("network",
      "the process has no file descriptors left, so no connection could be made: raise its limit (ulimit -n), "
      .. "or close what it holds open (NO_DESCRIPTORS)", { code = "NO_DESCRIPTORS", retryable = true })
  elseif result.code == "PEER_FAILED_VERIFICATION" then
    return certificate_error(result)
  elseif result.cause and CAUSES[result.cause] and (result.code == "COULDNT_CONNECT"
    or result.code == "OPERATION_TIMEDOUT") then
    local late = result.code == "OPERATION_TIMEDOUT"
    local of_proxy = is_of_proxy(result)
    local code = late and "CONNECT_TIMEDOUT" or result.code
    return errors.new(late and "timeout" or "network", ("%s %s%s (%s)"):format(of_proxy and "the proxy" or "the host",
      CAUSES[result.cause], of_proxy and PROXY_FROM or "", code), { code = code, retryable = true })
  end
  return handshake_error(result)
end

-- How a port of TLS may end a request in plain http.
local NO_HTTP = { UNSUPPORTED_PROTOCOL = true, WEIRD_SERVER_REPLY = true, GOT_NOTHING = true, RECV_ERROR = true }

-- Of connections that carry no HTTP, where the texts above speak of a service and its proxy: by reason or code.
local OF_BYTES = {
  NOT_TLS = "this port speaks no TLS: check it, or take the scheme without TLS",
  SSL_CLIENTCERT = "the host wants a certificate of the client, and this library has none to show",
  CERT_WRONG_HOST = "the certificate of the host is for another name: check the host in the URL",
  CERT_UNKNOWN_CA = "the certificate of the host is of an unknown CA: set ca_file to that CA's certificate",
}
-- And where nothing else is known.
local OF_BYTES_ELSE = {
  CLOSED = "the other side closed the connection",
  FORKED = "the connection belongs to the parent of this process: open one after the fork",
  TOO_MANY_CONNECTIONS = "more than 64 connections are open at once: close those that nobody needs",
  COULDNT_RESOLVE_HOST = "the host name was not found: check the URL and the network",
  COULDNT_CONNECT = "the host does not answer: check the URL and the network",
  PEER_FAILED_VERIFICATION = "the certificate of the host is not trusted: set ca_file to that of its CA",
}

--- The error of a connection that carries another protocol than HTTP.
---@param failure {code: string, message: string, cause: string?, verify: integer?}
---@return scope3.Error
function network_error.connection(failure)
  local err, code = network_error.error(failure), failure.code
  local word = err and (err.reason or err.code)
  if err then
    return OF_BYTES[word] and errors.with(err, { message = ("%s (%s)"):format(OF_BYTES[word], word) }) or err
  end
  local text = OF_BYTES_ELSE[code] or NETWORK[code] or redact.text(failure.message)
  return errors.new("network", ("%s (%s)"):format(text, code), { code = code, retryable = true })
end

--- The text for a transfer that broke.
---@param result scope3.TransferResult
---@return string
function network_error.broken(result)
  local code = result.code
  local text = NETWORK[code] or redact.text(result.message or "the transfer failed")
  if code == "COULDNT_CONNECT" and says(result.message or "", { "proxy scheme" }) then
    return "https_proxy names a scheme that this libcurl does not know: it takes http, https and socks5"
  elseif code == "SSL_CONNECT_ERROR" then
    return "the TLS handshake with the host failed: check that the port in the base URL speaks TLS; " .. text
  elseif NO_HTTP[code] and result.secure == false then
    text = text .. "; if this port speaks TLS, base_url must begin with https://"
  end
  return text
end

return network_error
