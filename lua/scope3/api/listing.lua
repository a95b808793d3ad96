--- The account's audiences, for the client's own callers and for jobs.
local codec = require "scope3.api.codec"
local errors = require "scope3.error"
local paging = require "scope3.api.paging"
local preflight = require "scope3.api.preflight"
local rare = require "scope3.util.rare"
local response = require "scope3.api.response"
local sanitize = require "scope3.api.sanitize"

local listing = {}

local PAGE = 100 -- rows to ask for at once

--- An iterator of the audiences, deleted ones included. It is called by hand, not by `for`.
---@param client scope3.Client
---@param limits table?  as for transport:drive(): times of the loop's clock
---@param page integer?  rows to ask for at once (100)
---@return fun(): scope3.AudienceRow?, scope3.Error?  a row, nil at the end, nil and an error where the list cannot be
---  read
function listing.rows(client, limits, page)
  local missing = preflight.lacks(client)
  if missing then
    return paging.failing(missing)
  end
  local take = page or rare.number("page", PAGE)
  return paging.rows(client, limits, {
    name = "audiences",
    path = function(skip)
      return ("/advertisers/%s/audiences?take=%d&skip=%d"):format(codec.escape(client.account_id), take, skip)
    end,
    read = function(value)
      local row = response.audience(value)
      return row and sanitize.audience(row, { key = client.secret() })
    end,
    id_of = function(row)
      return row.audience_id
    end,
  })
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
