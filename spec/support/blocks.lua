--- Runs the code blocks of pages, as people copy them.
local quote = require "spec.support.quote"
local world = require "spec.support.world"

local blocks = {}

-- The spaces between columns differ between two runs.
local function leveled(text)
  return (text:gsub("[ \t]+", " "))
end

--- Whether a program prints what its page shows, where "…" stands for any text.
---@param printed string
---@param shown string
---@return boolean
function blocks.matches(printed, shown)
  local pattern = leveled(shown):gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0"):gsub("…", ".-")
  return leveled(printed):find("^" .. pattern .. "$") ~= nil
end

--- A new folder with the examples, a file of customers, and the command of this tree. Whoever asks removes it.
---@return string folder
function blocks.folder()
  local pipe = assert(io.popen "pwd")
  local root, folder = pipe:read "*l", world.path ""
  pipe:close()
  assert(os.execute(("mkdir %s %s/bin && ln -s %s/examples %s/examples && cp examples/customers.csv %s/"):format(
    folder, folder, quote(root), folder, folder)))
  world.write(folder .. "/bin/scope3", ('#!/bin/sh\nexec %s %s "$@"\n'):format(
    quote(os.getenv "SCOPE3_LUA_BIN"), quote(root .. "/bin/scope3.in")))
  assert(os.execute("chmod 755 " .. folder .. "/bin/scope3"))
  return folder
end

--- Runs a program in such a folder, against a service: its exit code, and what it printed.
---@param folder string
---@param program string
---@param url string  of the service
---@param before? string  commands of the shell that change its environment, each with its semicolon
---@return integer code
---@return string printed
function blocks.run(folder, program, url, before)
  local out, code = folder .. "/printed", folder .. "/code"
  local service = "SCOPE3_API_KEY=scope3_example SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=" .. url
  local env = ("PATH=%s/bin:$PATH XDG_STATE_HOME=%s/state %s"):format(folder, folder, service)
  os.execute(("cd %s && { %s %s timeout 60 %s >%s 2>&1 </dev/null; echo $? >%s; }"):format(folder, before or "", env,
    program, out, code))
  return tonumber(world.read(code)), world.read(out)
end

return blocks
