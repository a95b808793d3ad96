-- The inputs of a target as one text: a line of base64 each, the short ones first. So they are few files, and a diff
-- shows what came and what went.
--
--   lua fuzz/corpus.lua pack FOLDER FILE INPUTS BYTES     at most so many inputs, and bytes of the file
--   lua fuzz/corpus.lua unpack FILE FOLDER                named by the folder of that file
local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function encode(bytes)
  local out = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local bits = a * 65536 + (b or 0) * 256 + (c or 0)
    for place = 0, 3 do
      local digit = math.floor(bits / 64 ^ (3 - place)) % 64 + 1
      out[#out + 1] = (place < 2 or place == 2 and b or c) and ALPHABET:sub(digit, digit) or "="
    end
  end
  return table.concat(out)
end

local function decode(text)
  local out = {}
  for quad in text:gmatch "[A-Za-z0-9+/=][A-Za-z0-9+/=][A-Za-z0-9+/=][A-Za-z0-9+/=]" do
    local bits, padding = 0, #quad:match "=*$"
    for digit in quad:gsub("=", "A"):gmatch "." do
      bits = bits * 64 + ALPHABET:find(digit, 1, true) - 1
    end
    local bytes = string.char(math.floor(bits / 65536), math.floor(bits / 256) % 256, bits % 256)
    out[#out + 1] = bytes:sub(1, 3 - padding)
  end
  return table.concat(out)
end

local function files_of(folder)
  local paths = {}
  local pipe = assert(io.popen(("find '%s' -type f | sort"):format(folder)))
  for path in pipe:lines() do
    paths[#paths + 1] = path
  end
  pipe:close()
  return paths
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "*a"
  file:close()
  return bytes
end

local function write(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  assert(file:close())
end

local commands = {}

function commands.pack(folder, to, inputs, bytes)
  local lines, seen = {}, {}
  for _, path in ipairs(files_of(folder)) do
    local line = encode(read(path))
    if line ~= "" and not seen[line] then
      seen[line] = true
      lines[#lines + 1] = line
    end
  end
  table.sort(lines, function(a, b)
    return #a < #b or #a == #b and a < b
  end)
  local last, size = 0, 0
  while last < math.min(#lines, tonumber(inputs)) and size + #lines[last + 1] < tonumber(bytes) do
    last = last + 1
    size = size + #lines[last] + 1
  end
  write(to, table.concat(lines, "\n", 1, last) .. "\n")
end

-- A file that is not there has no inputs.
function commands.unpack(from, folder)
  local number, name = 0, from:match "([^/]+)/[^/]*$"
  local file = io.open(from)
  for line in (file and file:read "*a" or ""):gmatch "[^\n]+" do
    number = number + 1
    write(("%s/%s-%04d"):format(folder, name, number), decode(line))
  end
end

assert(commands[arg[1]], "pack or unpack")(table.unpack(arg, 2))
