-- Runs in a process of its own (spec/core/locale_spec.lua): sets a locale before or after the library is
-- loaded, uses the library, and prints what came of it, without anything that the locale or the time may change.
local name, when, url = arg[1], arg[2], arg[3]

local function set()
  assert(os.setlocale(name, "all"), "the locale is missing")
end

if when == "before" then
  set()
end
local scope3 = require "scope3"
local core = require "scope3.core"
local json = require "scope3.util.json"
if when == "after" then
  set()
end

local function show(what, value)
  io.write(what, " ", json.encode(value), "\n")
end

local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", base_url = url, rate = 100000,
  loop = "blocking" })

local function file(text, suffix)
  local path = os.tmpname()
  os.remove(path)
  path = path .. suffix
  local handle = assert(io.open(path, "w"))
  handle:write(text)
  handle:close()
  return path
end

local function counts(res)
  return { res.rows, res.skipped, res.members, res.accepted, res.would_send or 0, #res.tasks }
end

-- Requests, tasks and audiences: ids, times with fractions, counts.
local audience = assert(scope3.audience { id = "in-a-locale", name = "ÄİIiı \"1.5\"", consent_basis = "consent" })
assert(audience:add { external_id = "1", email = "JANE.IRIS@EXAMPLE.COM", phone = "+12065550142" })
local res = assert(client:sync(audience))
show("sync", counts(res))
res = assert(res:wait { timeout = 60 })
show("waited", { res.tasks[1].status, res.audience.status, res.audience.uploaded_count })
show("audience", assert(client:audience("in-a-locale")).name)
local _, err = client:audience("ÄÖ é/1.5")
show("error", { err.kind, err.message:gsub("127%.0%.0%.1:%d+", "") })

-- Rows with fractions: JSON Lines, tables, CSV; conditions, functions, the values of a row.
local lines = file('{"id":"1","mail":"a@b.co","spent":100.9}\n{"id":"2","mail":"b@b.co","spent":250.5}\n{"id":"3",'
  .. '"mail":"c@b.co","spent":1.5e-3}\n', ".JSONL")
local map = { external_id = "id", email = "mail" }
local seen = {}
local function run(where, source)
  return counts(assert(client:run({ audience = "a", where = where, map = map }, source, { dry_run = true })))
end
show("function", run(function(row)
  seen[#seen + 1] = row.spent
  return row.spent > 100.5
end, lines))
show("seen", seen)
show("condition", run({ spent = { gt = 100.8, le = 250.5 } }, lines))
local rows = { { id = 1, mail = "a@b.co", spent = 1.5 }, { id = 2, mail = "b@b.co", spent = 1.25 }, { id = 3,
  mail = "c@b.co", spent = "1.5" } }
local i = 0
show("tables", run({ spent = { gt = 1.2, lt = 1.3 } }, function()
  i = i + 1
  return rows[i]
end))
local csv = file("id;mail;spent;Consent İI\n1;a@b.co;1,5;JA\n2;b@b.co;0.5;IGEN\n", ".csv")
show("csv", run({ spent = { ge = 1.5, decimal = "," } }, csv))
show("words", run({ ["consent i̇i"] = { "ja", "igen", ignore_case = true } },
  file("id,mail,consent i̇i\n1,a@b.co,JA\n2,b@b.co,IGEN\n3,c@b.co,x\n", ".csv")))
for row in assert(scope3.jsonl(lines)) do
  show("row", row)
end

-- A journal that one locale wrote is resumed in another.
local journal = os.tmpname()
os.remove(journal)
local script = { audience = "journaled", map = { external_id = "id", email = "mail", ["uid:zeta"] = "Z",
  ["uid:Yps"] = "Y", ["uid:äther"] = "A" } }
local input = file("id,mail,Z,Y,A\n1,a@b.co,z,y,a\n2,b@b.co,z,y,a\n", ".csv")
assert(client:run(script, input, { journal = journal }))
assert(os.setlocale("C", "all"))
show("resumed", assert(client:run(script, input, { journal = journal })).resumed)
assert(os.setlocale(name, "all"))

-- Texts of protocols.
show("numbers", { scope3.number("1.5"), scope3.number("1.234,5 €", { decimal = "," }), scope3.number("0x10") == nil,
  scope3.yes("IGEN"), scope3.yes("HAYIR") })
show("json", json.decode('{"a":[1.5,-2e-3,123456789012345],"b":"\\u00e4"}'))
show("hashes", { (scope3.email.hash "JANE.IRIS@EXAMPLE.COM"), (scope3.phone.hash("(206) 555-0142", "US")) })
show("redacted", require("scope3.util.redact").text("café İ 206 555 0142 a.b@exämple.com scope3_éI \160x"))
local verdict, why = scope3.webhook.verify({ method = "POST", url = "http://x.test/a", body = "{}",
  headers = { ["X-ADCP-SIGNATURE"] = "sha256=" .. ("0"):rep(64), ["X-ADCP-TIMESTAMP"] = ("%.0f"):format(core.time()),
    ["CONTENT-TYPE"] = "application/json" } },
  { mode = "hmac", secrets = { ("s"):rep(32) } })
show("webhook", { verdict == nil, why and why.code })
for _, path in ipairs { lines, csv, input, journal } do
  os.remove(path)
end
