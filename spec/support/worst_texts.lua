-- Reads the worst texts by every reader of strangers' texts, under callgrind: spec/core/worst_texts_spec.lua runs this.
-- Arguments: the module of spec/support/counted.c, the bytes of the shorter texts, and which
-- share of the texts each reader gets: 0 reads texts of that length once each, and counts nothing.
local counted = tonumber(arg[3]) > 0 and assert(package.loadlib(arg[1], "luaopen_counted"))() or nil
local SHORT, SHARE = tonumber(arg[2]), tonumber(arg[3])

local unpack = table.unpack or rawget(_G, "unpack") -- luacheck: ignore 143
local core = require "scope3.core"
local curl = require "scope3.engine"
local scope3 = require "scope3"
local conditions = require "scope3.input.filter"
local json = require "scope3.util.json"
local redact = require "scope3.util.redact"
local reply = require "scope3.http.reply"
local secret = require "scope3.webhook.shared_secret"
local signature = require "scope3.webhook.rfc9421"
local structured = require "scope3.webhook.structured_fields"
local target = require "scope3.webhook.target_uri"
local base = require "scope3.webhook.signature_base"
local headers = require "scope3.webhook.headers"
local canonical = require "scope3.webhook.canonical_json"
local columns = require("scope3.cli.text").columns
local network_error = require "scope3.http.network_error"
local response = require "scope3.api.response"
local retry_after = require "scope3.http.retry_after"
local sanitize = require "scope3.api.sanitize"
local time = require "scope3.util.time"
local verdict = require "scope3.api.verdict"
local visible = require "scope3.util.visible"

-- What texts are made of, again and again:
-- blanks, marks, beginnings of what is looked for, escapes, and bytes that are no text.
local UNITS = {
  " ", "\t", "\n", "\r\n", "\0", "\255", "\128", "\195\169", "\225\186\158", "\226\128\174", "a", "A", "0", "-",
  ".", "..", ",", ";", ":", "=", "/", "?", "@", "%", "(", "[", "{", "<", '"', "'", "`", "\\", "|", "a@", "@a",
  "a.", "a b ", "a, ", '"a",', "a=1, ", 'a="', ';a="b"', "(;a)", '\\"', "\\u0041", "\\ud83d\\ude00", "%41", "%2e/",
  "../", "&#65;", "&lt;", "<title>", "</", "1 ", "1.", "1,", "1(", "+1-", "2026-11-28T10:00:00", "0a", "0a..",
  "scope3_", "bearer ", "customer: ", "'a ", '"a\n', 'a"b,', '""', '"",', "[1,", '{"a":', '{"a":1},', "x--",
  "a&b=", "//", "ext. 1 ", "+1 (650) 253-0000 ", "mailto:", "a@b.co,", "<a@b.co>", "\239\187\191", "null", "-0e",
  "\239\188\160", "1\239\188\160.", '"1,a@b\n",', "+1(",
}
local ENDS = { "", "x", '"', " ", "@" }

-- `worst`: what is counted by itself, because the others would hide it:
-- a reader once needed the square of it, or might.
local readers, order = {}, {}
local function reader(name, run, worst)
  readers[name] = { run = run, worst = worst or {} }
  order[#order + 1] = name
end

local function answer(status, kind, body, more)
  return function(text)
    local fields = { ["content-type"] = { kind } }
    for key in pairs(more or {}) do
      fields[key] = { text }
    end
    return reply.read({ status = status, headers = fields, body = body(text) }, 1.7e9,
      { key = "scope3_some_key_of_mine" })
  end
end

local function itself(text)
  return text
end

local quoted = core.json_scalar

reader("a page instead of a reply", answer(502, "text/html", itself))
reader("the title of a page", answer(502, "text/html", function(text)
  return "<html><title>" .. text .. "</title>"
end))
reader("a reply", answer(200, "application/json", itself))
reader("a reply whose text is broken off", answer(200, "application/json", function(text)
  return '{"data":{"a":"' .. text
end))
reader("the message of an error", answer(400, "application/json", function(text)
  return '{"error":{"code":' .. quoted(text) .. ',"message":' .. quoted(text) .. ',"field":' .. quoted(text) .. "}}"
end))
reader("issues", answer(400, "application/json", function(text)
  local list = {}
  for piece in (text:sub(1, 250) .. "\n"):rep(math.max(1, math.floor(#text / 250))):gmatch("[^\n]+") do
    list[#list + 1] = '{"path":' .. quoted(piece) .. ',"message":' .. quoted(piece) .. "}"
    if #list * 250 > #text then
      break
    end
  end
  return '{"error":{"details":{"issues":[' .. table.concat(list, ",") .. "]}}}"
end))
reader("a problem by RFC 9457", answer(422, "application/problem+json", function(text)
  return '{"type":' .. quoted(text) .. ',"title":' .. quoted(text) .. ',"detail":' .. quoted(text) .. "}"
end))
reader("Retry-After and Date",
  answer(429, "text/plain", itself, { ["retry-after"] = true, date = true, ["x-request-id"] = true }))
reader("Retry-After of digits", function(text)
  return retry_after.read({ headers = { ["retry-after"] = { "1" .. text } } }, 0)
end, { "1" })
reader("times", function(text)
  return time.iso(text), time.iso("2026-11-28T10:00:00" .. text), time.http_date("Sat, " .. text)
end)
reader("the fields of RateLimit", function(text)
  local who = { host = "h", key = "k" }
  local limiter = scope3.limiter()
  limiter:learn(who, { ratelimit = text }, 0, 1, 1)
  limiter:learn(who, { ["ratelimit-limit"] = text, ["ratelimit-remaining"] = { text }, ["ratelimit-reset"] = text }, 0,
    1, 1)
  limiter:learn(who, { ratelimit = "limit=" .. text }, 0, 1, 1)
end)
reader("a redirection", function(text)
  return reply.failure { status = 302, headers = { location = { text } }, redirect_url = "https://" .. text, body = "" }
end)
reader("a message of libcurl", function(text)
  return network_error.of and network_error.of({ code = 60, message = text, headers = {} })
end)
reader("a task", function(text)
  local task = response.read(json.decode('{"taskId":"t","status":' .. quoted(text) .. ',"response":{"a":'
    .. quoted(text) .. ',"message":' .. quoted(text)
    .. ',"action":' .. quoted(text) .. ',"taskId":' .. quoted(text) .. ',"at":'
    .. quoted("2026-11-28T" .. text) .. "}}"))
  return sanitize.task(task), verdict.of(task)
end, { "1" })
reader("names of a task", function(text)
  local task = response.read(json.decode('{"taskId":"t","response":{' .. quoted(text) .. ':1,"x":{'
    .. quoted(text) .. ":{}}}}"))
  return sanitize.task(task), verdict.of(task)
end)
reader("a row of a list", function(text)
  local row = response.read(json.decode('{"audienceId":' .. quoted(text) .. ',"name":' .. quoted(text) .. ',"status":'
    .. quoted(text) .. ',"createdAt":'
    .. quoted("2026-11-28" .. text) .. "}"))
  return response.audience(row), sanitize.audience(row)
end)
reader("redact.text", redact.text, { "a@", ".", "1(", "'" })
reader("redact.strict", redact.strict, { "(", ")", "a" })
reader("redact.code", redact.code)
reader("redact.is_path", redact.is_path)
reader("visible.text", visible.text)
reader("visible.json", visible.json)
reader("a table of the command", function(text)
  return columns({ { text, "1" }, { "a", text } }, {}, "")
end)
reader("json.decode", json.decode)
reader("JSON that is written", function(text)
  return json.pretty { [text] = { text } }
end)
reader("the check of a JSON object", core.check_json_object)
reader("the canonical form", function(text)
  return canonical.of('{"a":' .. quoted(text) .. "," .. quoted(text) .. ":1}"), canonical.of(text)
end)
reader("structured fields", function(text)
  for _, before in ipairs { "", "a=", 'a="', "a=(", "a=:", "a;", "a=1" } do
    structured.dictionary(before .. text)
  end
end, { " " })
reader("headers of a callback", function(text)
  return headers.collect { ["Signature-Input"] = { text, "x" .. text .. "x" }, Host = text, [text] = "x" }
end, { " ", "\t" })
reader("URLs", function(text)
  for _, before in ipairs { "", "https://", "https://h/", "https://h/?", "http://a:" } do
    target.parse(before .. text)
    curl.parse_url(before .. text)
  end
  return target.authority(text, "https")
end, { "a@", "/", "../" })
reader("parameters of a query", function(text)
  local pairs_of, names = {}, {}
  for i = 1, #text / 16 do
    names[i], pairs_of[i] = ('"@query-param";name="%d"'):format(i), "&" .. i .. "=x"
  end
  local url = "https://h/?" .. text .. table.concat(pairs_of)
  local input = structured.dictionary("a=(" .. table.concat(names, " ", 1, math.min(#names, 600)) .. ")")
  local parsed = target.parse(url)
  return parsed and input and base.build({ method = "GET", url = url }, {}, parsed, input.a)
end, { "a=1&" })
reader("a callback", function(text)
  local secrets = { secrets = { ("s"):rep(32) } }
  secret.hmac(headers.collect { ["x-adcp-signature"] = "sha256=" .. text, ["x-adcp-timestamp"] = text },
    text, secrets, 0)
  secret.bearer(headers.collect { authorization = "Bearer " .. text }, { credentials = ("c"):rep(32) })
  local request = { method = "POST", url = "https://h/" .. text, body = text }
  for _, value in ipairs { text, "sig1=(" .. text .. ");" .. text } do
    signature.check(request, headers.collect {
      ["signature-input"] = value, signature = "sig1=:" .. text,
      ["content-type"] = text, ["content-digest"] = "sha-256=:" .. text,
    }, { keys = {} }, function() end, 0)
  end
end)
reader("the body of a callback", function(text)
  return scope3.webhook.verify({
    headers = { authorization = "Bearer " .. ("c"):rep(32) },
    body = '{"task_id":' .. quoted(text) .. ',"result":' .. quoted(text) .. "}",
  },
    { mode = "bearer", credentials = ("c"):rep(32) })
end)
reader("emails", function(text)
  core.email_normalize(text, true)
  core.email_normalize(text .. "@example.com", true)
  core.email_normalize("a@" .. text, true)
end, { "@", " ", "(a)" })
reader("phones", function(text)
  core.phone_normalize(text, "US", core.phone_repairs)
  core.phone_normalize("+1 650 253 " .. text, "US")
end)
reader("ids, uids, regions, hashes, yes and numbers", function(text)
  core.id_read(text, true, "hash", "US")
  core.uid_type(text)
  core.uid_check("uid2", text)
  core.region(text)
  core.hashed(text)
  core.yes(text)
  core.number(text)
  core.number("1" .. text)
  core.base64_decode(text)
end, { "@", "\239\188\160", "1\239\188\160." })
reader("letters", function(text)
  return core.lowercase(text), core.lower(text), core.utf8_valid(text)
end)

local function drain(source)
  local n = 0
  local row, why
  repeat
    row, why = source:next()
    n = n + 1
  until not row and not why -- a row that cannot be read is nil, and why
  source:close()
  return n
end

local function given(text)
  local at = 1
  return function()
    local piece = text:sub(at, at + 1023)
    at = at + #piece
    return piece ~= "" and piece or nil
  end
end

reader("the header of a CSV file", function(text)
  local source = scope3.csv(given(text .. "\nid,mail\n1,a@b.co\n"))
  pcall(source.columns, source)
  source:close()
end)
reader("rows of CSV", function(text)
  drain(scope3.csv(given("id,mail\n" .. text .. "\n1,a@b.co\n")))
end)
reader("a quoted field of CSV", function(text)
  drain(scope3.csv(given('id,mail\n1,"' .. text .. '",' .. text)))
end)
reader("a long row of CSV in small chunks", function(text)
  local at, all = 1, 'id,mail\n1,"' .. text:rep(16)
  drain(scope3.csv(function()
    at = at + 64
    return at - 64 <= #all and all:sub(at - 64, at - 1) or nil
  end))
end, { '""', "\0" })
reader("rows of CSV without quotes", function(text)
  drain(scope3.csv(given("id;mail\n" .. text), { quote = "none", delimiter = ";" }))
end)
reader("JSON lines", function(text)
  drain(scope3.jsonl(given('{"id":"1"}\n' .. text .. "\n")))
  drain(scope3.jsonl(given('{"id":"' .. text:gsub("\n", " ") .. '"}\n')))
end)
-- Gzip data that holds the text as it is. Its check sum is wrong, which is found at its end.
local function packed(text)
  local parts = { "\31\139\8\0\0\0\0\0\0\3" }
  for at = 1, #text, 65535 do
    local piece = text:sub(at, at + 65534)
    local low, high = #piece % 256, math.floor(#piece / 256)
    parts[#parts + 1] = string.char(at + 65535 > #text and 1 or 0, low, high, 255 - low, 255 - high) .. piece
  end
  return table.concat(parts) .. ("\0"):rep(8)
end
reader("gzip", function(text)
  drain(scope3.csv(given(packed("id,mail\n" .. text .. "\n"))))
  drain(scope3.csv(given("\31\139\8\0\0\0\0\0\0\3" .. text)))
end)
reader("an array of JSON", function(text)
  drain(scope3.jsonl(given('[{"id":"1"},' .. text .. "]")))
  drain(scope3.jsonl(given('{"id":"1",\n"x":[{"y":"' .. text .. '"}]}{"id":"2"}')))
end, { "[", '{"a":', "{", '"', "\\", " " })
reader("CSV in another encoding", function(text)
  drain(scope3.csv(given("id,mail\n1," .. text), { encoding = "windows-1252" }))
  drain(scope3.csv(given("\255\254i\0d\0\n\0" .. text)))
end)
reader("conditions", function(text)
  return pcall(conditions.list, { { column = text, above = text, equals = { text } } })
end)
reader("members", function(text)
  local audience = scope3.audience { id = "a" }
  audience:add { external_id = text, email = text, phone = text, uids = { { type = text, value = text } } }
  return audience:add { external_id = "1", email = { text, text } }
end)

local failed = 0

-- Counts the reading of texts made of these units, at the two lengths.
local function count(name, units, offset)
  for k, bytes in ipairs { 64, SHORT, 4 * SHORT } do -- the first for what is done once
    local texts = {}
    for i, unit in ipairs(units) do
      texts[i] = unit:rep(math.ceil(bytes / #unit)) .. ENDS[(i + offset) % #ENDS + 1]
    end
    collectgarbage "collect"
    collectgarbage "stop"
    counted.zero()
    for i = 1, #texts do
      local ok, why = pcall(readers[name].run, texts[i])
      if not ok then
        failed = failed + 1
        io.stderr:write(("%s: %q: %s\n"):format(name, units[i], tostring(why)))
      end
    end
    if k > 1 then
      counted.dump(("%s|%s|%d"):format(name, #units == 1 and ("%q"):format(units[1]) or "", k - 1))
    end
  end
end

-- Reads a long text by each reader, which needs seconds for all, and hours for one that needs the square of it.
local function read_long(bytes)
  for number, name in ipairs(order) do
    local units = { UNITS[number % #UNITS + 1], UNITS[number * 7 % #UNITS + 1], unpack(readers[name].worst) }
    for _, unit in ipairs(units) do
      local began = os.clock()
      pcall(readers[name].run, unit:rep(math.ceil(bytes / #unit)))
      print(("%6.2f s  %s  %q"):format(os.clock() - began, name, unit))
    end
  end
end

if SHARE == 0 then
  read_long(SHORT)
  os.exit(failed == 0 and 0 or 1)
end

for number, name in ipairs(order) do
  local units = {}
  for i = number % SHARE + 1, #UNITS, SHARE do
    units[#units + 1] = UNITS[i]
  end
  count(name, units, number)
  for _, unit in ipairs(readers[name].worst) do
    count(name, { unit }, 0)
  end
end
os.exit(failed == 0 and 0 or 1)
