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
  local rows, err = listing.find_all(client, { id }, limits)
  local row = rows and rows[id]
  if not row then
    err = err or errors.new("not_found", "the account has no audience of that id")
  end
  return row, err
end

--- The rows of several audiences, by one search through the list. It ends where all are found.
---@param client scope3.Client
---@param ids string[]  each once
---@param limits table?
---@return table<string, scope3.AudienceRow>? rows  by id, of those that the account has
---@return scope3.Error? err
function listing.find_all(client, ids, limits)
  local wanted, left, found = {}, #ids, {}
  for _, id in ipairs(ids) do
    wanted[id] = true
  end
  local next_row = listing.rows(client, limits)
  local row, err
  while left > 0 do
    row, err = next_row() -- called by hand: on Lua 5.1 an iterator of `for` cannot yield
    if not row then
      break
    elseif wanted[row.audience_id] and not found[row.audience_id] then
      found[row.audience_id], left = row, left - 1
    end
  end
  if err then
    return nil, err
  end
  return found
end

return listing
