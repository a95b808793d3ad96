-- Running spec files in a tree that stands in for this one.
local shell = require "spec.mutants.shell"

local specs = {}

-- These copy the tree, measure it, or run in a server whose Lua is another one.
local LEFT_OUT = { "^spec/house/", "^spec/nginx/", "^spec/mutants/", "^spec/oracle/", "^spec/support/" }

---@return string[]
function specs.files()
  local list = {}
  for _, file in ipairs(shell.lines "find spec -name '*_spec.lua' | sort") do
    local is_left_out = false
    for _, pattern in ipairs(LEFT_OUT) do
      is_left_out = is_left_out or file:find(pattern) ~= nil
    end
    if not is_left_out then
      list[#list + 1] = file
    end
  end
  return list
end

local busted

---@param files string[]
---@return string
function specs.command(files)
  busted = busted or assert(shell.lines("command -v busted")[1], "busted was not found: run 'make deps'")
  return ("\"$SCOPE3_LUA_BIN\" %s --ignore-lua --no-keep-going -o spec.mutants.first_failure "
    .. "--helper=spec/support/helper.lua %s"):format(busted, table.concat(files, " "))
end

---@param stand scope3.Stand
---@param files string[]
---@param usual number  seconds
---@return "passed"|"failed"|"timeout"
---@return string? file  the one that failed
function specs.run(stand, files, usual)
  local verdict = stand:run(("sh -c %s"):format(shell.quote(specs.command(files))), usual)
  return verdict, stand:log():match "FAILED\t([^\t\n]*)" or files[1]
end

return specs
