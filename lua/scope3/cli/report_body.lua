--- What a report says of a command that sends no rows: labels with values, tables, and sentences.
local text = require "scope3.cli.text"

local report_body = {}

---@class scope3.cli.ReportBody
---@field subject string  in one line, what came of it
---@field rows string[][]  labels and values
---@field tables? scope3.cli.ReportTable[]
---@field sentences? string[]

--- The body as a text.
---@param body scope3.cli.ReportBody
---@return string
function report_body.text(body)
  local parts = { text.columns(body.rows, nil, "  ") }
  for _, one in ipairs(body.tables or {}) do
    if #one.rows > 0 then
      parts[#parts + 1] = "\n" .. one.title .. "\n" .. text.columns(one.rows, one.right, "  ")
    end
  end
  for _, sentence in ipairs(body.sentences or {}) do
    parts[#parts + 1] = "\n" .. text.visible(sentence) .. "\n"
  end
  return table.concat(parts)
end

return report_body
