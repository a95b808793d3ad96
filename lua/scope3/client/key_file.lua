--- A key in a file, as vaults and container hosts hand it over: its first line.
local key_file = {}

local MOST = 8192 -- bytes: a longer line is something else, of which no part is sent

--- The key in a text: its first line.
---@param text string
---@return string?
function key_file.first_line(text)
  local line = text:sub(1, MOST + 1):match "^[^\r\n]*"
  return line ~= "" and #line <= MOST and line or nil
end

--- Reads a file's key. What it holds is in no message.
---@param path string
---@return string? key
---@return string? why  such as "cannot be read (No such file or directory)"
function key_file.read(path)
  local file, why = io.open(path, "rb")
  local text
  if file then
    text, why = file:read(MOST + 1)
    file:close()
  end
  if not text and why then
    return nil, ("cannot be read (%s)"):format((tostring(why):gsub("^.*: ", "")))
  end
  local key = text and key_file.first_line(text)
  return key, not key and "has no key in its first line" or nil
end

return key_file
