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
--- Public are this module, scope3.webhook, scope3.nginx, scope3.cli, scope3.sandbox, scope3.loop.<name> and the C
--- modules scope3.core, scope3.gzip and scope3.crypto. Every other module is private and may change.
local audience = require "scope3.audience"
local client = require "scope3.client"
local errors = require "scope3.error"
local identity = require "scope3.identity"
local json = require "scope3.util.json"
local limiter = require "scope3.http.limiter"
local source = require "scope3.input.source"
local value = require "scope3.input.value"
local webhook = require "scope3.webhook"

return {
  _VERSION = require "scope3.version",

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
  ---
  --- sync, run and finish return a scope3.Result, with result:wait, :json and :plain.
  client = client.new,

  --- Makes an audience in memory (scope3.Audience): audience:add, :remove, :delete, :count.
  ---
  ---     local audience = assert(scope3.audience("newsletter", { region = "DE" }))
  ---     assert(audience:add { external_id = "17", phone = "030 901820" })
  ---     assert(audience:remove { external_id = "18" })
  audience = audience.new,

  --- Opens a CSV file (scope3.Source). `jsonl` opens a file of JSON Lines in the same way.
  ---
  ---     for row in assert(scope3.csv "customers.csv") do
  ---       print(row.email)
  ---     end
  csv = source.csv,
  jsonl = source.jsonl,

  --- What becomes of identifiers: normalize, hash and check.
  ---
  ---     scope3.email.normalize " Jane@Example.com "            --> "jane@example.com"
  ---     scope3.phone.hash("030 901820", { region = "DE" })     --> 64 hex digits
  ---     scope3.uid.check("uid2", value)                        --> true, or nil and an error
  ---     scope3.external_id.normalize(17)                       --> "17"
  email = identity.email,
  phone = identity.phone,
  uid = identity.uid,
  external_id = identity.external_id,

  --- Returns what a function of scope3 returned, or raises the text of its error.
  assert = errors.assert,

  --- Reads a text in `where` and `member` of a script: as a number, or as yes or no.
  ---
  ---     scope3.number("1.234,50 €", { decimal = "," })         --> 1234.5
  ---     scope3.yes "oui"                                       --> true
  number = value.number,
  yes = value.yes,

  --- Makes a limiter (scope3.Limiter), which keeps several clients or processes under one rate.
  ---
  ---     local client = assert(scope3.client { limiter = assert(scope3.limiter "/run/scope3.limits") })
  limiter = limiter.new,

  --- Verifies callbacks of the service: webhook.verify, .deliveries, .replay_cache (docs/webhooks.md).
  webhook = webhook,

  --- JSON's null, as nested values of JSON Lines hold it.
  null = json.null,
}
