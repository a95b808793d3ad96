--- scope3 carries first-party audiences into Scope3's advertising platform.
---
---     local scope3 = require "scope3"
---
---     local client = assert(scope3.client { api_key = "…", account_id = "25" })
---     local audience = assert(scope3.audience { id = "newsletter", name = "Newsletter" })
---     assert(audience:add { external_id = "17", email = "jane@example.com" })
---     local result = assert(client:sync(audience))
---     assert(result:wait())
---     print(result.accepted .. " members accepted")
---
--- Misuse raises at the caller's line: wrong types, unknown options, closed objects. All that can happen at run time
--- returns `nil, err`, where `err` is a scope3.Error. Times are seconds. Ids are strings, and whole numbers are taken
--- for their text.
---
--- Public are this module, scope3.webhook, scope3.metrics, scope3.nginx, scope3.cli, scope3.sandbox, scope3.loop.<name>
--- and the C modules scope3.core, scope3.engine, scope3.gzip and scope3.crypto. Every other module is private and may
--- change.
---
--- Each of these is loaded at its first use. `scope3.preload()` loads all of them, for a program that changes its user
--- or its root afterwards, or comes to the end of its descriptors. In nginx nobody has to call it.
---@class scope3.Module
---@field _VERSION string
---@field client fun(opts?: scope3.ClientOptions): scope3.Client?, scope3.Error?
---@field audience fun(m: string|integer|scope3.AudienceMeta, o?: scope3.ReadingOptions): scope3.Audience?
---@field csv fun(input: string|file*|(fun(): string?), o?: scope3.CsvOptions): scope3.Source?, scope3.Error?
---@field jsonl fun(i: string|file*|(fun(): string?), o?: scope3.JsonLinesOptions): scope3.Source?, scope3.Error?
---@field prepare fun(s: string|scope3.Script, i: any, w: function, o?: table): scope3.Result?, scope3.Error?
---@field email scope3.EmailFunctions
---@field phone scope3.PhoneFunctions
---@field uid scope3.UidFunctions
---@field external_id scope3.IdFunctions
---@field assert fun(value: any, err: any, ...): any
---@field number fun(text: string|number|nil, opts?: scope3.NumberOptions): number?
---@field yes fun(said: any): boolean?
---@field limiter fun(store?: scope3.Store|string): scope3.Limiter?, scope3.Error?
---@field webhook table  scope3.webhook
---@field metrics table  scope3.metrics
---@field null any
---@field preload fun()

local entries = require "scope3.util.entries"

-- Fields, and what each is: a field of a module, or the module itself.
local FIELDS = {
  --- Makes a client (scope3.Client) of an account at the service. Its methods are:
  ---
  ---     client:sync(audiences, opts)        sends audiences that were built in memory
  ---     client:stream(audience, opts)       opens a stream: stream:add, :remove, :finish, :cancel
  ---     client:run(script, source, opts)    runs a transformation script over files, a source or an iterator
  ---     client:wait(what, opts)             waits for a result, or for a task by its id
  ---     client:task(id)                     reads a task
  ---     client:audience(id, limits)         reads the row of an audience
  ---     client:audiences(opts, limits)      iterates over the rows of all audiences
  ---     client:syndicate(opts)              offers an audience to agents, or ends that
  ---     client:syndication_status(opts)     iterates over where audiences are offered
  ---     client:health()                     asks whether the service is there
  ---     client:metrics()                    counts what the client did
  ---
  --- sync, run and finish return a scope3.Result, with result:wait, :json and :plain.
  client = { "scope3.client", "new" },

  --- Makes an audience in memory (scope3.Audience): audience:add, :remove, :delete, :count.
  ---
  ---     local audience = assert(scope3.audience("newsletter", { region = "DE" }))
  ---     assert(audience:add { external_id = "17", phone = "030 901820" })
  ---     assert(audience:remove { external_id = "18" })
  audience = { "scope3.audience", "new" },

  --- Makes members of rows as client:run does, and gives them to a function as lines of JSON. Nothing is sent.
  ---
  ---     local result = assert(scope3.prepare("newsletter.lua", "customers.csv", io.write))
  prepare = { "scope3.client.prepare", "run" },

  --- Opens a CSV file (scope3.Source). `jsonl` opens a file of JSON Lines in the same way.
  ---
  ---     for row in assert(scope3.csv "customers.csv") do
  ---       print(row.email)
  ---     end
  csv = { "scope3.input.source", "csv" },
  jsonl = { "scope3.input.source", "jsonl" },

  --- What becomes of identifiers: normalize, hash and check.
  ---
  ---     scope3.email.normalize " Jane@Example.com "            --> "jane@example.com"
  ---     scope3.phone.hash("030 901820", { region = "DE" })     --> 64 hex digits
  ---     scope3.uid.check("uid2", value)                        --> true, or nil and an error
  ---     scope3.external_id.normalize(17)                       --> "17"
  email = { "scope3.identity", "email" },
  phone = { "scope3.identity", "phone" },
  uid = { "scope3.identity", "uid" },
  external_id = { "scope3.identity", "external_id" },

  --- Returns what a function of scope3 returned, or raises the text of its error.
  assert = { "scope3.error", "assert" },

  --- Reads a text in `where` and `member` of a script: as a number, or as yes or no.
  ---
  ---     scope3.number("1.234,50 €", { decimal = "," })         --> 1234.5
  ---     scope3.yes "oui"                                       --> true
  number = { "scope3.input.value", "number" },
  yes = { "scope3.input.value", "yes" },

  --- Makes a limiter (scope3.Limiter), which keeps several clients or processes under one rate.
  ---
  ---     local client = assert(scope3.client { limiter = assert(scope3.limiter "/run/scope3.limits") })
  limiter = { "scope3.client.limiters", "new" },

  --- Verifies callbacks of the service: webhook.verify, .deliveries, .replay_cache (docs/webhooks.md).
  webhook = { "scope3.webhook" },

  --- Counts as text for Prometheus: metrics.prometheus (docs/operating.md).
  metrics = { "scope3.metrics" },

  --- JSON's null, as nested values of JSON Lines hold it.
  null = { "scope3.util.json", "null" },
}

local scope3 = { _VERSION = require "scope3.version" }

local function load(key)
  local module, field = FIELDS[key][1], FIELDS[key][2]
  local value = require(module)
  if field then
    value = value[field]
  end
  scope3[key] = value
  return value
end

--- Loads everything now.
function scope3.preload()
  for key in entries(FIELDS) do
    load(key)
  end
  require "scope3.util.late".load_all()
  require "scope3.engine"
  for _, name in ipairs { "scope3.gzip", "scope3.crypto" } do
    pcall(require, name) -- a build may lack them
  end
end

setmetatable(scope3, {
  __index = function(_, key)
    return FIELDS[key] and load(key)
  end,
})
if rawget(_G, "ngx") then
  scope3.preload()
end
---@cast scope3 scope3.Module
return scope3
