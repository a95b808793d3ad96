--- Lists that the service gives in pages.
local errors = require "scope3.error"

local paging = {}

local MOST_PAGES = 10000 -- of one list: a service that gives more of them repeats itself

local function page_of(data)
  local meta = type(data.meta) == "table" and data.meta or {}
  return type(meta.pagination) == "table" and meta.pagination or {}
end

local function pagination(data, key)
  local page = page_of(data)
  local value = type(data[key]) == "number" and data[key] or page[key]
  return type(value) == "number" and value or nil
end

--- What gives the rows of all pages one by one, nil at the end; a failure ends it too, and comes once, as nil, err.
--- Rows
--- are told apart by `id_of`, because paging
--- by offset over a set that moves can repeat them (docs/contract.md section 3). The list ends where the service
--- says so, and at a page that tells of nothing new: a service may not look at the offset at all.
---@param client table
---@param limits table?
---@param path_of fun(skip: integer): string
---@param rows_of fun(data: table): table?
---@param id_of fun(row: table): any
---@param read fun(value: any): table?  a row of its declared type, nil where it is none
---@return fun(): table?, scope3.Error?
function paging.rows(client, limits, path_of, rows_of, id_of, read)
  local seen, queue, at, skip, ended = {}, {}, 0, 0, false
  local pages, news, counted = 0, true, false
  local function fetch()
    pages = pages + 1
    if not news then
      ended, queue, at = true, {}, 0
      return true
    elseif pages > MOST_PAGES then
      ended = true
      return false, errors.new("http", ("the service's list does not end: %d pages were read"):format(MOST_PAGES),
        { code = "BAD_REPLY" })
    end
    local data, err = client:transport():request({ method = "GET", path = path_of(skip), timeout = 60 }, limits)
    local rows = data and rows_of(data)
    if not data or type(rows) ~= "table" or rows[1] == nil and next(rows) ~= nil then
      ended = true
      return false, err or errors.new("http", "the service answered a page without rows", { code = "BAD_REPLY" })
    end
    skip = skip + #rows
    local total = pagination(data, "total")
    local page = page_of(data)
    ended = #rows == 0 or (total ~= nil and skip >= total) or page.hasMore == false or page.has_more == false
    queue, at, news, counted = rows, 0, false, total ~= nil
    return true
  end
  return function()
    while true do
      at = at + 1
      local row = queue[at]
      if row ~= nil then
        row = read(row)
        if row == nil then
          ended, queue = true, {}
          return nil, errors.new("http", "the service answered a page with a row that is none", { code = "BAD_REPLY" })
        end
        local id = id_of(row)
        if id == nil or not seen[id] then
          seen[id or row] = true
          news = news or id ~= nil or counted and pages < 100
          return row
        end
      elseif ended then
        return nil
      else
        local ok, err = fetch()
        if not ok then
          return nil, err
        end
      end
    end
  end
end

--- The same as an iterator for `for`, which raises the error: a loop that is broken off must not look like one that
--- came to its end.
---@param next_row fun(): table?, scope3.Error?
---@return fun(): table?
function paging.raising(next_row)
  return function()
    local row, err = next_row()
    if err then
      error(err, 0)
    end
    return row
  end
end

--- What fails at once, as paging.rows() would.
---@param err scope3.Error
---@return fun(): nil, scope3.Error?
function paging.failing(err)
  return function()
    local told = err
    err = nil
    return nil, told
  end
end

return paging
