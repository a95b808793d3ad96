-- Counts the instructions of a command by callgrind, and reads what it writes.
--
-- What stands in our module and in the interpreter is counted apart from the C library, libcurl and the loader: these
-- choose their code by the processor, and change with updates.
local callgrind = {}

-- What is ours, by the end of the object's name.
local OBJECTS = { "/scope3/core%.so$", "/lua5%.4$", "/libluajit[^/]*$" }

-- Plain C hashes a block in thousands of instructions, which would hide everything else. So hashing is counted apart.
local HASHING = "/sha256[^/]*%.c$"

local function is_ours(object)
  for _, pattern in ipairs(OBJECTS) do
    if object:find(pattern) then
      return true
    end
  end
  return false
end

-- The name in a line such as "fn=(12) name": it stands there once, and later lines have the number alone.
local function expand(names, text)
  local number, name = text:match "^(%(%d+%))%s*(.*)"
  if number and name ~= "" then
    names[number] = name
  end
  return number and names[number] or text
end

--- Adds up the instructions of one file, each where it was executed.
---@param lines fun(): string?  of a file that callgrind wrote
---@return {name: string?, own: integer, hashing: integer, others: integer}  the name that counted.dump() was given
function callgrind.read(lines)
  local count, objects, files = { own = 0, hashing = 0, others = 0 }, {}, {}
  local object, file, called = "", "", false
  for line in lines do
    local key, value = line:match "^(%a+)=(.*)"
    local cost = line:match "^[%d+*-]%S* (%d+)"
    if key == "ob" then
      object = expand(objects, value)
    elseif key == "cob" then
      expand(objects, value)
    elseif key == "fl" then
      file = expand(files, value)
    elseif key == "fi" or key == "fe" or key == "cfi" or key == "cfl" then
      expand(files, value)
    elseif key == "calls" then
      called = true -- the next line is what the called function took, which stands at that function, too
    elseif cost then
      if not called then
        local which = not is_ours(object) and "others" or file:find(HASHING) and "hashing" or "own"
        count[which] = count[which] + tonumber(cost)
      end
      called = false
    else
      count.name = count.name or line:match "^desc: Trigger: Client Request: (.*)"
    end
  end
  return count
end

--- What a command begins with that is to be counted. Addresses and seeds are fixed: tables of Lua are ordered by them.
---@param out string  the file that is written; counted.dump() writes others beside it
---@param preloaded string  libraries that fix what differs between runs, with colons between
---@return string
function callgrind.prefix(out, preloaded)
  return ("LD_PRELOAD=%s setarch -R valgrind -q --tool=callgrind --callgrind-out-file=%s "):format(preloaded, out)
end

--- Removes what an earlier run has written, which may be more files than the next one writes.
---@param out string  as for callgrind.prefix()
function callgrind.forget(out)
  local number = 1
  while os.remove(out .. "." .. number) do
    number = number + 1
  end
end

--- Reads the files that one run has written.
---@param out string  as for callgrind.prefix()
---@return table<string, {own: integer, hashing: integer, others: integer}>  by the name that counted.dump() was given
---@return {own: integer, hashing: integer, others: integer}? rest  what was counted after the last of them
function callgrind.results(out)
  local counts = {}
  local number = 1
  local file = io.open(out .. "." .. number)
  while file do
    local count = callgrind.read(file:lines())
    file:close()
    counts[assert(count.name, "a file of callgrind without a name")] = count
    number = number + 1
    file = io.open(out .. "." .. number)
  end
  file = assert(io.open(out), "callgrind has written nothing")
  local rest = callgrind.read(file:lines())
  file:close()
  return counts, rest
end

return callgrind
