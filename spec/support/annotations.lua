--- The LuaCATS annotations of the library, as an editor reads them: classes with their fields, and what stands before a
--- function. A type that goes on in the next line, which editors cut off, is an error here.
local annotations = {}

local OPEN, CLOSE = { ["("] = true, ["{"] = true, ["<"] = true }, { [")"] = true, ["}"] = true, [">"] = true }

-- Parts of a text between a character that stands outside of brackets and quotes.
local function split(text, mark)
  local parts, depth, quoted, from = {}, 0, false, 1
  for i = 1, #text do
    local c = text:sub(i, i)
    if c == '"' then
      quoted = not quoted
    elseif not quoted and OPEN[c] then
      depth = depth + 1
    elseif not quoted and CLOSE[c] then
      depth = depth - 1
    elseif not quoted and depth == 0 and c == mark then
      parts[#parts + 1] = text:sub(from, i - 1)
      from = i + 1
    end
  end
  assert(depth == 0 and not quoted, "a type does not end in its line: " .. text)
  parts[#parts + 1] = text:sub(from)
  return parts
end

local function trim(text)
  return (text:match("^%s*(.-)%s*$"))
end

--- The alternatives of a type, without the brackets round them: `(fun(): a|b)|nil` gives `fun(): a|b` and `nil`.
function annotations.alternatives(text)
  local list = {}
  if text:find("^fun%(") then
    return { text } -- what stands behind it is what it gives
  end
  for _, part in ipairs(split(text, "|")) do
    part = trim(part)
    if part:sub(-1) == "?" then
      list[#list + 1] = "nil"
      part = part:sub(1, -2)
    end
    local inner = part:match("^%((.*)%)$")
    if inner then
      for _, one in ipairs(annotations.alternatives(inner)) do
        list[#list + 1] = one
      end
    else
      list[#list + 1] = part
    end
  end
  return list
end

-- "name? type  what it is" -> its parts.
local function named(text)
  local name, optional, rest = text:match("^([%w_.]+)(%??) +(.+)$")
  if not name then
    return nil
  end
  local kind = rest:match("^(.-)  ") or rest
  split(kind, "|")
  return { name = name, optional = optional == "?", kind = kind }
end

-- The parameters of `fun(a: string, b?: x): y`.
local function signature(kind)
  local depth, ends = 0, nil
  for i = 4, #kind do
    local c = kind:sub(i, i)
    depth = depth + (c == "(" and 1 or c == ")" and -1 or 0)
    if depth == 0 then
      ends = i
      break
    end
  end
  local params = {}
  for _, part in ipairs(split(kind:sub(5, ends - 1), ",")) do
    local name, optional, of = trim(part):match("^([%w_]+)(%??): *(.+)$")
    if name then
      params[#params + 1] = { name = name, optional = optional == "?", kind = of }
    end
  end
  return { params = params }
end

local function read_block(block, known, where)
  local class, alias
  for _, line in ipairs(block) do
    local tag, text = line:match("^%-%-%-@(%w+) *(.*)$")
    if tag == "class" then
      local name, parents = text:match("^([%w_.]+):? ?(.-)$")
      parents = (parents:match("^(.-)  ") or parents)
      class = known.classes[name] or { name = name, fields = {}, parents = {}, places = {} }
      known.classes[name] = class
      for parent in parents:gmatch("scope3%.[%w_]+") do
        class.parents[#class.parents + 1] = parent
      end
      class.place = where
    elseif tag == "alias" then
      alias = text:match("^([%w_.]+)")
      known.aliases[alias] = { text:match("^[%w_.]+ (%S.*)$") } -- after two spaces a comment begins
    elseif tag == "field" then
      text = text:gsub("^private ", "")
      local field = named(text) or text:find("^%[") and {} or error(where .. ": a field that cannot be read: " .. line)
      class.open = class.open or not field.name -- [string] any: further fields are allowed
      if field.name then
        class.fields[#class.fields + 1] = field
        class.places[class.place] = true
      end
    elseif line:find("^%-%-%-| ") then
      table.insert(known.aliases[alias], (line:sub(6)))
    end
  end
end

local function read_function(block, line)
  local about = { params = {}, private = false, returns = 0, documented = #block > 0 }
  for _, text in ipairs(block) do
    local tag, rest = text:match("^%-%-%-@(%w+) *(.*)$")
    if tag == "param" and not rest:find("^%.%.%.") then
      about.params[#about.params + 1] = named(rest) or error("a parameter that cannot be read: " .. text)
    elseif tag == "private" then
      about.private = true
    elseif tag == "return" then
      about.returns = about.returns + 1
    end
  end
  about.named = {}
  for name in (line:match("%(([^)]*)%)") or ""):gmatch("[%w_]+") do
    about.named[#about.named + 1] = name
  end
  return about
end

--- Reads the files: classes and aliases by name, functions by "file:line".
function annotations.read(paths)
  local known = { classes = {}, aliases = {}, functions = {} }
  for _, path in ipairs(paths) do
    local number, block = 0, {}
    for indented in io.lines(path) do
      local line = indented:match("^%s*(.-)%s*$")
      number = number + 1
      if line:find("^%-%-%-") then
        block[#block + 1] = line
      else
        read_block(block, known, path .. ":" .. number)
        if line:find("function[ (]") then
          known.functions[path .. ":" .. number] = read_function(block, line)
        end
        block = {}
      end
    end
    read_block(block, known, path .. ":" .. number) -- a file of annotations may end with one
  end
  for _, class in pairs(known.classes) do
    for _, field in ipairs(class.fields) do
      if field.kind:find("^fun%(") then
        field.signature = signature(field.kind)
      end
    end
  end
  return known
end

--- All fields of a class and of those that it extends.
function annotations.fields(known, name)
  local class, all = assert(known.classes[name], name), {}
  for _, parent in ipairs(class.parents) do
    for _, field in ipairs(annotations.fields(known, parent)) do
      all[#all + 1] = field
    end
  end
  for _, field in ipairs(class.fields) do
    all[#all + 1] = field
  end
  return all
end

return annotations
