-- The other side of phones.mjs: answers lines of "region, tab, escaped text" with the E.164 form, or nothing.
local core = require "scope3.core"

for line in io.lines() do
  local region, text = line:match("^(.-)\t(.*)$")
  text = text:gsub("\\x(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end)
  print((core.phone_normalize(text, region ~= "" and region or nil)) or "")
end
