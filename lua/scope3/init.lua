--- scope3: first-party audiences into Scope3's platform.
---
--- Misuse (wrong types, unknown options, closed objects) raises. Everything that can happen at run time returns `nil, err`; see scope3.error for its
--- one shape. Times are seconds, ids are strings.
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
  client = client.new,
  audience = audience.new,
  csv = source.csv,
  jsonl = source.jsonl,
  email = identity.email,
  phone = identity.phone,
  uid = identity.uid,
  external_id = identity.external_id,
  assert = errors.assert,
  --- What a text says, for `where` and `member`: a number, or yes or no.
  number = value.number,
  yes = value.yes,
  limiter = limiter.new,
  webhook = webhook,
  --- JSON's null, as nested values of JSON Lines hold it.
  null = json.null,
}
