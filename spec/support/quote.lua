-- A word for the shell, whatever is in it.

---@param text any
---@return string
return function(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end
