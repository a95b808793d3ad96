--- The account's audiences, read one by one by whoever of the library needs them.
local paging = require "scope3.paging"
local readiness = require "scope3.readiness"
local verdict = require "scope3.verdict"
local wire = require "scope3.wire"

local listing = {}

--- What gives the audiences, deleted ones too: a row, nil at the end, and nil and an error where they cannot be read.
---@param client scope3.Client
---@param page? integer  rows to ask for at once (100)
---@param limits? table  when to give up, and the pace of a job
---@return fun(): scope3.AudienceRow?, scope3.Error?
function listing.audiences(client, page, limits)
  local missing = readiness.lacks(client)
  if missing then
    return paging.failing(missing)
  end
  return paging.rows(client, limits, function(skip)
    return ("/advertisers/%s/audiences?take=%d&skip=%d"):format(wire.escape(client.account_id), page or 100, skip)
  end, function(data)
    return data.audiences
  end, function(row)
    return row.audience_id
  end, function(value)
    local row = wire.audience(value)
    return row and verdict.clean_row(row, { key = client.secret() })
  end)
end

--- One audience. The service has no call for one, so its list is searched.
---@param client scope3.Client
---@param id string
---@param limits? table
---@return scope3.AudienceRow? row  nil without an error where the account has none of that id
---@return scope3.Error? err
function listing.find(client, id, limits)
  local next_row = listing.audiences(client, nil, limits)
  local row, err = next_row()
  while row and row.audience_id ~= id do
    row, err = next_row()
  end
  return row, err
end

return listing
