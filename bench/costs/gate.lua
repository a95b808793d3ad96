-- Compares costs that were measured with those that are on file, and reads and writes that file.
--
-- The file has a line of fields with tabs between: name, instructions, the day and the commit at which the number was
-- set, and what it is. Lines that begin with # say with which compiler and interpreters it was measured.
local gate = {}

--- How much more than its number a cost may be: 3 %.
gate.BOUND = 0.03
-- A number that moved by less than this is not set anew: tables are ordered by addresses, which moves it a little.
local NOISE = 0.005

---@class scope3.Cost
---@field name string
---@field instructions integer
---@field set string  the day and the commit
---@field what string

--- Reads the file's text.
---@param text string
---@return {tools: string?, costs: table<string, scope3.Cost>}
function gate.read(text)
  local known = { tools = text:match "# measured with: ([^\n]*)", costs = {} }
  for line in text:gmatch "[^\n]+" do
    local name, instructions, set, what = line:match "^([^#\t][^\t]*)\t(%d+)\t([^\t]*)\t([^\t]*)$"
    if name then
      known.costs[name] = { name = name, instructions = tonumber(instructions), set = set, what = what }
    else
      assert(line:find "^#", "a line of costs.tsv that cannot be read: " .. line)
    end
  end
  return known
end

-- The verdict on one cost, and whether it fails the gate.
local function judge(measured, known)
  if not known then
    return "not on file", true
  end
  local ratio = measured / known
  if ratio > 1 + gate.BOUND then
    return "MORE", true
  elseif ratio < 1 - gate.BOUND then
    return "less: renew the number", false
  end
  return "", false
end

--- Compares what was measured with what is on file.
---@param measured {name: string, instructions: integer}[]
---@param known table<string, scope3.Cost>
---@return {name: string, instructions: integer, ratio: number?, verdict: string, fails: boolean}[] rows
---@return boolean passed  no cost is above its bound, and each is on file and was measured
function gate.compare(measured, known)
  local rows, passed, seen = {}, true, {}
  for i, cost in ipairs(measured) do
    local was = known[cost.name] and known[cost.name].instructions
    local verdict, fails = judge(cost.instructions, was)
    rows[i] = {
      name = cost.name, instructions = cost.instructions, ratio = was and cost.instructions / was, verdict = verdict,
      fails = fails,
    }
    passed, seen[cost.name] = passed and not fails, true
  end
  for name, cost in pairs(known) do
    if not seen[name] then
      rows[#rows + 1] = { name = name, instructions = cost.instructions, verdict = "NOT MEASURED", fails = true }
      passed = false
    end
  end
  return rows, passed
end

--- The text of the file with numbers set anew: those that moved. Others stay as they are.
---@param measured {name: string, instructions: integer, what: string}[]
---@param known table<string, scope3.Cost>
---@param tools string
---@param set string  the day and the commit
---@return string
function gate.renewed(measured, known, tools, set)
  local lines = {
    "# What `make costs` compares with: name, instructions, set on (day, commit before), what is counted.",
    "# measured with: " .. tools,
  }
  for _, cost in ipairs(measured) do
    local was = known[cost.name]
    local stays = was and math.abs(cost.instructions / was.instructions - 1) < NOISE
    lines[#lines + 1] = ("%s\t%d\t%s\t%s"):format(cost.name, stays and was.instructions or cost.instructions,
      stays and was.set or set, cost.what)
  end
  return table.concat(lines, "\n") .. "\n"
end

return gate
