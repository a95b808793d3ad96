-- A tree that stands in for this one: it has lua/ and csrc/ of its own, in which a mutant is put, and links to all
-- else. Specs run in it as they do here, and so does what they start.
local shell = require "spec.mutants.shell"

local stand = {}

---@class scope3.Stand
---@field root string
---@field lua string  the version
---@field interpreter string
---@field put table<string, string>  the original of each file that is changed
local Stand = {}
Stand.__index = Stand

local OWN = { lua = true, csrc = true, build = true }

--- Makes one, or makes it anew.
---@param folder string  its path
---@param lua string  the version of Lua whose build it has
---@return scope3.Stand
function stand.new(folder, lua)
  local here, quoted = shell.lines("pwd -P")[1], shell.quote(folder)
  shell.run(("rm -rf %s && mkdir -p %s/build && cp -a lua csrc %s"):format(quoted, quoted, quoted))
  for _, name in ipairs(shell.lines "ls -A") do
    if not OWN[name] and name ~= ".git" then
      shell.run(("ln -s %s %s"):format(shell.quote(here .. "/" .. name), quoted))
    end
  end
  shell.run(("cp -a build/%s %s/build/"):format(lua, quoted))
  return setmetatable({
    root = shell.lines(("cd %s && pwd -P"):format(quoted))[1], lua = lua, put = {},
    interpreter = shell.lines(("make --no-print-directory -s LUA=%s print-lua"):format(lua))[1],
  }, Stand)
end

---@param file string
---@param text string
function Stand:change(file, text)
  local path = self.root .. "/" .. file
  self.put[file] = self.put[file] or assert(shell.read(path))
  shell.write(path, text)
end

--- Puts every changed file back.
function Stand:restore()
  for file, text in pairs(self.put) do
    shell.write(self.root .. "/" .. file, text)
  end
  self.put = {}
end

--- Builds the modules of what csrc/ holds now.
---@return boolean built
function Stand:build()
  local command = "cd %s && make --no-print-directory -s LUA=%s modules >build/make.log 2>&1"
  return shell.code(command:format(shell.quote(self.root), self.lua)) == 0
end

-- What a program in the tree finds in its environment (spec/run.sh says the same). The long specs are run in part.
local function environment(self, more)
  local root = self.root
  local all = {
    LUA_PATH = ("%s/lua/?.lua;%s/lua/?/init.lua;%s/?.lua;;"):format(root, root, root),
    LUA_CPATH = ("%s/build/%s/?.so;;"):format(root, self.lua),
    SCOPE3_LUA = self.lua, SCOPE3_LUA_BIN = self.interpreter, SCOPE3_THOROUGH = "", SCOPE3_SEED = "1",
    XDG_CONFIG_HOME = "/nonexistent",
  }
  for name, value in pairs(more or {}) do
    all[name] = value
  end
  local words = { "env -u SCOPE3_API_KEY -u SCOPE3_API_KEY_FILE -u SCOPE3_ACCOUNT_ID -u SCOPE3_BASE_URL "
    .. "-u SCOPE3_CA_FILE -u SCOPE3_PROFILE -u SCOPE3_TRACES" }
  for name, value in pairs(all) do
    words[#words + 1] = name .. "=" .. shell.quote(value)
  end
  return table.concat(words, " ")
end

-- Statuses of what `timeout` ended, and of what used up its processor time.
local TIMEOUTS = { [124] = true, [137] = true, [152] = true }

-- A mutant may loop for ever. Processor time shows that soon, also on a busy machine. The other is for what waits.
local function limits(usual)
  return ("ulimit -S -n 4096 && ulimit -t %d && timeout -k 5 %d"):format(math.ceil(2 * usual + 2),
    math.ceil(5 * usual + 20))
end

--- Runs a command of the tree; all that it started ends with it.
---@param command string
---@param usual number  seconds that it usually takes
---@param more? table<string, string>  of the environment
---@return "passed"|"failed"|"timeout"
---@return number seconds  that it took
function Stand:run(command, usual, more)
  local began = shell.now()
  local code = shell.code(("cd %s && %s %s %s >build/log 2>&1 </dev/null"):format(shell.quote(self.root),
    limits(usual), environment(self, more), command))
  local verdict = code == 0 and "passed" or TIMEOUTS[code] and "timeout" or "failed"
  return verdict, shell.now() - began
end

--- What the last command printed.
---@return string
function Stand:log()
  return shell.read(self.root .. "/build/log") or ""
end

function Stand:remove()
  shell.run("rm -rf " .. shell.quote(self.root))
end

return stand
