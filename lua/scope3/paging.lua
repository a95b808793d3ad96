--- Lists that the service gives in pages.
local errors = require "scope3.error"
local wire = require "scope3.wire"

local paging = {}

local function pagination(data, key)
  local meta = type(data.meta) == "table" and data.meta or {}
  local page = type(meta.pagination) == "table" and meta.pagination or {}
  local value = type(data[key]) == "number" and data[key] or page[key]
  return type(value) == "number" and value or nil
end

--- An iterator over the rows of all pages: `for row, err in …`; a failure comes once, as false, err. Rows are told apart by `id_of`, because
--- paging by offset over a set that moves can repeat them (docs/contract.md section 3).
---@param client table
---@param limits table?
---@param path_of fun(skip: integer): string
---@param rows_of fun(data: table): table?
---@param id_of fun(row: table): any
---@return fun(): table|false|nil, scope3.Error?
function paging.rows(client, limits, path_of, rows_of, id_of)
  local seen, queue, at, skip, ended = {}, {}, 0, 0, false
  local function fetch()
    local data, err = client:transport():request({ method = "GET", path = path_of(skip), timeout = 60 }, limits)
    local rows = data and rows_of(data)
    if not data or type(rows) ~= "table" then
      ended = true
      return false, err or errors.new("http", "the service answered a page without rows", { code = "BAD_REPLY" })
    end
    skip = skip + #rows
    local total = pagination(data, "total")
    ended = #rows == 0 or (total ~= nil and skip >= total)
    queue, at = rows, 0
    return true
  end
  return function()
    while true do
      at = at + 1
      local row = queue[at]
      if row ~= nil then
        if type(row) ~= "table" then
          ended, queue = true, {}
          return false, errors.new("http", "the service answered a page with a row that is none", { code = "BAD_REPLY" })
        end
        row = wire.read(row)
        local id = id_of(row)
        if id == nil or not seen[id] then
          seen[id or row] = true
          return row
        end
      elseif ended then
        return nil
      else
        local ok, err = fetch()
        if not ok then
          return false, err
        end
      end
    end
  end
end

--- An iterator that fails at once.
---@param err scope3.Error
---@return fun(): false?, scope3.Error?
function paging.failing(err)
  local told = false
  return function()
    if not told then
      told = true
      return false, err
    end
  end
end

return paging
