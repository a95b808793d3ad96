--- The account's audiences, for the client's own callers and for jobs: their limits are times of the loop's clock.
local errors = require "scope3.error"
local paging = require "scope3.api.paging"
local preflight = require "scope3.api.preflight"
local verdict = require "scope3.api.verdict"
local wire = require "scope3.api.codec"

local listing = {}

local PAGE = 100 -- rows to ask for at once

--- What gives the audiences, deleted ones too: a row, nil at the end, and nil and an error where they cannot be read.
---@param client scope3.Client
---@param limits table?  as for transport:drive()
---@param page integer?
---@return fun(): scope3.AudienceRow?, scope3.Error?
function listing.rows(client, limits, page)
  local missing = preflight.lacks(client)
  if missing then
    return paging.failing(missing)
  end
  return paging.rows(client, limits, function(skip)
    return ("/advertisers/%s/audiences?take=%d&skip=%d"):format(wire.escape(client.account_id), page or PAGE, skip)
  end, function(data)
    return data.audiences
  end, function(row)
    return row.audience_id
  end, function(value)
    local row = wire.audience(value)
    return row and verdict.clean_row(row, { key = client.secret() })
  end)
end

--- The row of one audience. The service has no call for one, so its list is searched.
---@param client scope3.Client
---@param id string
---@param limits table?
---@return scope3.AudienceRow? row
---@return scope3.Error? err  kind "not_found" where the account has no such audience
function listing.find(client, id, limits)
  local next_row = listing.rows(client, limits)
  local row, err = next_row() -- called by hand: on Lua 5.1 an iterator of `for` cannot yield
  while row do
    if row.audience_id == id then
      return row
    end
    row, err = next_row()
  end
  return nil, err or errors.new("not_found", "the account has no audience of that id")
end

return listing
