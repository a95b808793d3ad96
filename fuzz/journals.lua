-- A job that takes up a journal which was damaged, or written by somebody else.
-- It is refused, or the job ends with sums that hold; and what it appended can be taken up once more.
--
-- An input is "e" and edits of a real journal, whose seals then no longer hold; or "r" and records, which are sealed
-- here behind the job's own first line. After edits only a lost end is taken for less than damage, and then each member
-- that the service did not take is counted.
local core = require "scope3.core"
local errors = require "scope3.error"
local scope3 = require "scope3"
local service = require("fuzz.model.service").new()

local ROWS = 36
local FIRST_SEAL = "scope3 journal 2"

-- In memory where there is such a folder: each record is synced to its disk.
local function temporary(ending)
  local name = os.tmpname()
  local path = "/dev/shm/" .. name:match "[^/]+$" .. ending
  os.remove(name)
  local file = io.open(path, "wb")
  if file then
    file:close()
    return path
  end
  return name .. ending
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local input_path, journal_path = temporary ".csv", temporary ".journal"

local function rows()
  local lines = { "id,hash" }
  for i = 1, ROWS do
    lines[#lines + 1] = ("u%d,%064x"):format(i, 4095 + i)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function run()
  local client = scope3.client { api_key = "scope3_0123456789abcdef", account_id = "25",
    base_url = "http://127.0.0.1:9/api/v2/buyer", loop = service.loop }
  local script = { audience = "a", map = { external_id = "id", hashed_email = "hash" } }
  local res, err = client:run(script, input_path, { journal = journal_path, max_members = 12, rate = 100000 })
  if res then
    res:wait()
  end
  return res, err
end

-- One request is halved, one loses a member that the service refuses, one fails in its task.
local PLAN = { "completed", 413, "refuse", "completed", "failed" }

write(input_path, rows())
os.remove(journal_path)
service:begin(PLAN)
assert(run())
local JOURNAL = read(journal_path)
local HEADER = JOURNAL:match "^([^\n]*)\t1\t%x+\n"
os.remove(journal_path)
os.remove(input_path)
local TAKEN_BEFORE, TASKS_BEFORE = service.taken, service.tasks
assert(HEADER and select(2, JOURNAL:gsub("\n", "")) > 10, "the job has left no journal")

-- --- journals ------------------------------------------------------------------------------------------------------

local EDITS = {
  [0] = function(text, at, byte) -- another byte
    return text:sub(1, at - 1) .. string.char(byte) .. text:sub(at + 1)
  end,
  function(text, at) -- cut off
    return text:sub(1, at - 1)
  end,
  function(text, at, byte) -- a piece less
    return text:sub(1, at - 1) .. text:sub(at + byte)
  end,
  function(text, at, byte) -- a piece twice
    return text:sub(1, at + byte) .. text:sub(at)
  end,
  function(text, at) -- a line less
    local from, to = text:sub(1, at - 1):match "()[^\n]*$", text:find("\n", at, true) or #text
    return text:sub(1, from - 1) .. text:sub(to + 1)
  end,
}

local function edited(edits)
  local text = JOURNAL
  for kind, high, low, byte in edits:gmatch "(.)(.)(.)(.)" do
    local at = (high:byte() * 256 + low:byte()) % (#text + 1) + 1
    text = EDITS[kind:byte() % 5](text, at, byte:byte())
  end
  return text
end

local function sealed(records)
  local seal, lines, number = FIRST_SEAL, {}, 0
  for record in (HEADER .. "\n" .. records):gmatch "[^\n]+" do
    number = number + 1
    seal = core.sha256(("%s\n%d\n%s"):format(seal, number, record)):sub(1, 16)
    lines[number] = ("%s\t%d\t%s\n"):format(record, number, seal)
  end
  return table.concat(lines)
end

-- --- what has to hold ----------------------------------------------------------------------------------------------

local function check_sums(res)
  local rejected = 0
  for _, n in pairs(res.rejected) do
    rejected = rejected + n
  end
  assert(res.rows - res.skipped - rejected >= 0, "rows = skipped + rejected + rows that gave members")
  local rest = res.accepted + res.replaced + res.rejected_by_service + res.failed + res.unknown
  assert(res.members == rest, ("members built %d, accounted for %d"):format(res.members, rest))
  assert(res.rows == ROWS, "not every row was read")
end

-- A refusal, or sums that hold: then the result.
local function outcome()
  local res, err = run()
  if res then
    check_sums(res)
    return res
  end
  assert(errors.is(err) and type(err.message) == "string", "no error")
  local partial = err.result
  assert(err.kind == "journal", tostring(err.kind) .. ": " .. err.message)
  assert(partial == nil or partial.members >= 0, "no result")
  return nil, err
end

local function missing()
  local n = 0
  for row = 1, ROWS do
    n = n + ((TAKEN_BEFORE[row] or service.taken[row]) and 0 or 1)
  end
  return n
end

local function check(kind, text)
  write(input_path, rows())
  write(journal_path, text)
  service:begin({}, TASKS_BEFORE)
  local res = outcome()
  if not res then
    return
  end
  if kind == "e" then
    local lines = text:match "^.*\n" or ""
    assert(JOURNAL:sub(1, #lines) == lines, "a line that was changed is taken")
    assert(missing() <= res.failed + res.unknown + res.rejected_by_service, "members are missing without a count")
  end
  local again, err = outcome()
  assert(again or err.code ~= "damaged", "what it has written cannot be read")
end

return function(input)
  local kind, rest = input:match "^([er])(.*)$"
  if kind then
    check(kind, kind == "e" and edited(rest) or sealed(rest))
    os.remove(journal_path)
    os.remove(input_path)
  end
end
