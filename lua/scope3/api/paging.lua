--- Lists that the service gives in pages.
local errors = require "scope3.error"
local response = require "scope3.api.response"

local paging = {}

local PAGES_MAX = 10000 -- of one list: a service that gives more of them repeats itself
local UNNAMED_PAGES_MAX = 100 -- of a list whose rows have no ids, so that repeats cannot be seen

---@class scope3.PagedList
---@field name string  the field of a page that holds its rows
---@field path fun(skip: integer): string  of the page after so many rows
---@field read fun(value: any): table?  a row of its declared type, nil where it is none
---@field id_of fun(row: table): any

local function bad_reply(message)
  return errors.new("http", message, { code = "BAD_REPLY" })
end

-- The next page of a list, or why it cannot be read.
local function fetch(client, limits, list, state)
  if state.pages > PAGES_MAX then
    return nil, bad_reply(("the service's list does not end: %d pages were read"):format(PAGES_MAX))
  end
  local request = { method = "GET", path = list.path(state.skip), timeout = 60 }
  local data, err = client:transport():request(request, limits)
  if not data then
    return nil, err
  end
  return response.page(data, list.name)
end

-- What a list comes to after a page without a new row, as where a service ignores the offset: its end, unless the
-- service says that rows follow.
local function end_without_news(state)
  state.ended = true
  if not state.has_more then
    return nil
  elseif state.repeats then
    return nil, bad_reply "the service's list does not go on: a page repeats rows, and more are said to follow"
  elseif state.unnamed then
    return nil, bad_reply(("the service's list does not end: its rows have no ids, so that repeats cannot be seen, and "
      .. "%d pages were read"):format(UNNAMED_PAGES_MAX))
  end
end

-- Goes on to the next page. Gives why it cannot be read.
local function advance(client, limits, list, state)
  state.pages = state.pages + 1
  local page, err = fetch(client, limits, list, state)
  if not page then
    state.ended = true
    return err
  end
  state.skip = state.skip + #page.rows
  state.ended = page.total ~= nil and state.skip >= page.total or page.is_last
  state.rows, state.at, state.is_new, state.is_counted = page.rows, 0, false, page.total ~= nil
  state.repeats, state.unnamed, state.has_more = false, false, state.is_counted or page.has_more
end

-- Whether a row was not given yet. Paging by offset over a set that changes can repeat rows (docs/contract.md
-- section 3).
local function is_unseen(state, row, id)
  if id ~= nil and state.seen[id] then
    state.repeats = true
    return false
  end
  state.seen[id or row] = true
  state.unnamed = state.unnamed or id == nil
  state.is_new = state.is_new or id ~= nil or state.has_more and state.pages < UNNAMED_PAGES_MAX
  return true
end

--- An iterator of the rows of all pages, each once. A failure ends it. A list ends where the service says so, and after
--- a page without a new row: a service may ignore the offset.
---@param client table
---@param limits table?  as for transport:drive()
---@param list scope3.PagedList
---@return fun(): table?, scope3.Error?  a row, nil at the end, nil and an error once where the list cannot be read
function paging.rows(client, limits, list)
  local state = { seen = {}, rows = {}, at = 0, skip = 0, pages = 0, ended = false, is_new = true }
  return function()
    while true do
      state.at = state.at + 1
      local value = state.rows[state.at]
      if value ~= nil then
        local row = list.read(value)
        if row == nil then
          state.ended, state.rows = true, {}
          return nil, bad_reply "the service answered a page with a row that is none"
        elseif is_unseen(state, row, list.id_of(row)) then
          return row
        end
      elseif state.ended then
        return nil
      elseif not state.is_new then
        return end_without_news(state)
      else
        local err = advance(client, limits, list, state)
        if err then
          return nil, err
        end
      end
    end
  end
end

--- The same as an iterator for `for`, which raises the error: a loop that fails must not look like one that ended.
---@param next_row fun(): table?, scope3.Error?
---@return fun(): table?
function paging.raising(next_row)
  return function()
    local row, err = next_row()
    if err then
      error(err)
    end
    return row
  end
end

--- An iterator that gives only an error, once.
---@param err scope3.Error
---@return fun(): nil, scope3.Error?
function paging.failing(err)
  return function()
    local once = err
    err = nil
    return nil, once
  end
end

return paging
