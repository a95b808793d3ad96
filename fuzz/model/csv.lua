-- CSV as RFC 4180 has it, a character at a time.
local csv = {}

--- The records of a text: lists of values, with `has_quotes` where one of them stood in quotes.
---@param text string
---@return table[]
function csv.read(text)
  local records, record, value, quoted, at = {}, {}, {}, false, 1
  local function end_value()
    record[#record + 1] = table.concat(value)
    value = {}
  end
  local function end_record()
    end_value()
    records[#records + 1] = record
    record = {}
  end
  while at <= #text do
    local c = text:sub(at, at)
    if quoted and c == '"' and text:sub(at + 1, at + 1) == '"' then
      value[#value + 1] = '"'
      at = at + 1
    elseif c == '"' then
      quoted, record.has_quotes = not quoted, true
    elseif quoted then
      value[#value + 1] = c
    elseif c == "," then
      end_value()
    elseif c == "\n" then
      end_record()
    elseif c ~= "\r" then
      value[#value + 1] = c
    end
    at = at + 1
  end
  if #record > 0 or #value > 0 then
    end_record()
  end
  return records
end

return csv
