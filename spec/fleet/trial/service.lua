-- The sandbox of a trial, in a process of its own. It is late when it is told to, as a service may be: before it reads
-- a body, or before it carries a request out, also where nobody waits for the answer any more. It notes in files
--   heads    a word, the time and the key of each sync: "head" when its head came, "body" where its body is to wait;
--            "work" when its body was read, and it is to wait before it is carried out
--   carried  each operation that it has carried out: "+ID OPERATION", "-ID"
--   members  at the end: who is in the audience
-- The file `late` tells how the next sync is late: "body SECONDS" or "work SECONDS".
local core = require "scope3.core"
local cqueues = require "cqueues"
local control = require "scope3.sandbox.control"
local entries = require "scope3.util.entries"
local exchange = require "scope3.sandbox.exchange"
local json = require "scope3.sandbox.json"
local state = require "scope3.sandbox.state"

local service = {}

local folder, heads, carried

local function note(word, call)
  local key = (call.request.headers.authorization or ""):match "scope3_trial_(%w+)$"
  heads:write(("%s %.6f %s\n"):format(word, core.time(), key or "-"))
  heads:flush()
end

-- For how many seconds this request is late, at a point: "body" or "work". Nil where it is not.
local function lateness(point)
  local path = folder .. "/late"
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local what, seconds = file:read("*a"):match "^(%a+) ([%d.]+)$"
  file:close()
  if what == point then
    os.remove(path)
    return tonumber(seconds)
  end
end

local begin, answer, accept = exchange.begin, exchange.answer, state.accept

function exchange.begin(server, request, connection)
  local call = begin(server, request, connection)
  if call.kind == "sync" then
    local seconds = lateness "body"
    note(seconds and "body" or "head", call)
    if seconds then
      cqueues.sleep(seconds)
    end
  end
  return call
end

function exchange.answer(call, too_large)
  local seconds = call.kind == "sync" and lateness "work"
  if seconds then
    note("work", call)
    cqueues.sleep(seconds)
  end
  return answer(call, too_large)
end

function state:accept(account, body, number)
  for _, audience in ipairs(body.audiences) do
    for _, member in ipairs(type(audience.add) == "table" and audience.add or {}) do
      carried:write("+", member.externalId, " ", member.uids[1].value:match "^[^.]*%.[^.]*", "\n")
    end
    for _, member in ipairs(type(audience.remove) == "table" and audience.remove or {}) do
      carried:write("-", member.externalId, "\n")
    end
  end
  return accept(self, account, body, number)
end

-- Writes who is in the audience: the id, the hash of the email, the value of the uid.
local function write_members(sandbox)
  sandbox.state:settle()
  local file = assert(io.open(folder .. "/members", "wb"))
  local audience = sandbox.state:account("25").by_id.trial
  for id, stored in entries(audience and audience.members or {}) do
    file:write(id, " ", stored:match "^%S+", " ", stored:match '"value":"([^"]*)"' or "-", "\n")
  end
  file:close()
  carried:flush()
  return { status = 200, headers = {}, body = "{}" }
end

local route = control.route

function control.route(request)
  return request.method == "POST" and request.path == "/sandbox/trial" and write_members or route(request)
end

--- Serves until nobody reads its output any more. Prints its port.
---@param path string  the folder
---@param settings string  JSON
function service.serve(path, settings)
  folder = path
  heads, carried = assert(io.open(path .. "/heads", "wb")), assert(io.open(path .. "/carried", "wb"))
  local opts = json.decode(settings)
  opts.tell_port, opts.until_unread = true, true
  assert(require("scope3.sandbox").serve(opts))
end

return service
