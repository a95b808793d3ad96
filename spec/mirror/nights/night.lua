-- One night of a mirror, step by step, as a process would do it: what is on the disk is in `world.state`, and the
-- process may end between any two steps.
local model = require "spec.mirror.nights.model"

local night = {}

local HOUR = 3600

night.CRASH = {} -- what is raised where the process ends

-- The end of a transaction, or of a request: here the process may end.
local function step(world)
  if world.dice:happens(world.faults.crash) then
    world:say "the process ends"
    world:count "crashes"
    error(night.CRASH, 0)
  end
end

local function pass(world, least, most)
  world.service:advance(world.dice:time(least, most))
end

-- The time by the clock of the process.
local function now(world)
  return world:now()
end

-- Whether this process cut a chunk.
local function is_own(world, chunk)
  return chunk.process == world.process or world.rules.owns_what_crashed and chunk.run == world.state.run
end

local function poll_try(world, chunk, try)
  local status, fails_inside = world.service:poll(try.task_id, world.faults)
  status = fails_inside and not world.rules.believes_the_envelope and "failed" or status
  pass(world, 1, 5)
  step(world)
  if status and status ~= "working" and status ~= try.state then
    try.state, try.ended_at = status, status ~= "missing" and now(world) or nil
    world:count("tasks seen as " .. status)
    world:say("chunk %d: the task of request %d is %s", chunk.number, try.request, status)
    step(world)
  end
end

local function poll(world)
  for _, chunk in ipairs(world.state.chunks) do
    for _, try in ipairs(chunk.tries) do
      if try.state == "accepted" or try.state == "missing" then
        poll_try(world, chunk, try)
      end
    end
  end
end

local function settle(world)
  for _, chunk in ipairs(world.state.chunks) do
    for _, try in ipairs(world.rules.protocol.begun_later(chunk, now(world))) do
      try.begun = now(world)
      world:count "begun later than now"
    end
    for _, try in ipairs(world.rules.protocol.settled(chunk, now(world), world.rules.settling)) do
      try.state = "unknown"
      world:count "settled"
      world:say("chunk %d: request %d is unknown", chunk.number, try.request)
    end
  end
  step(world)
end

local function numbers(list)
  return table.concat(list or {}, ",")
end

local function begin(world, chunk, range)
  local state = world.state
  state.request = state.request + 1
  local try = { request = state.request, first = range.first, last = range.last, without = range.without,
    begun = now(world), state = "begun" }
  table.insert(chunk.tries, try)
  world:say("chunk %d: request %d begins, %d to %d without (%s)", chunk.number, try.request, try.first, try.last,
    numbers(try.without))
  return try
end

-- The operations of a range that are sent, and their numbers in the chunk.
local function operations_of(chunk, range)
  local left_out, list, at = {}, {}, {}
  for _, number in ipairs(range.without or {}) do
    left_out[number] = true
  end
  for number = range.first, range.last do
    local op = chunk.entries[number].op
    if not left_out[number] and (op == "add" or op == "remove") then
      list[#list + 1], at[#list + 1] = chunk.entries[number], number
    end
  end
  return list, at
end

-- The range without what is refused now.
local function without_refused(range, refused)
  local without = {}
  for _, list in ipairs { range.without or {}, refused } do
    for _, number in ipairs(list) do
      without[#without + 1] = number
    end
  end
  table.sort(without)
  return { first = range.first, last = range.last, without = without }
end

local function record(world, chunk, try, answer, detail)
  try.state = answer == "accepted" and (world.rules.confirms_at_202 and "completed" or "accepted")
    or answer and "refused" or "begun"
  try.task_id = answer == "accepted" and detail or nil
  try.refused = answer == "content" and detail or nil
  world:count(answer and "answers: " .. answer or "no answer")
  world:say("chunk %d: request %d has the answer %s", chunk.number, try.request, tostring(answer))
end

-- The operations as the rows of tonight would have them.
local function rebuilt(operations, rows)
  local list = {}
  for i, one in ipairs(operations) do
    local row = rows[one.id]
    list[i] = { op = one.op, id = one.id, audience = one.audience, member = row and row.member or one.member }
  end
  return list
end

-- One sending. Gives the answer.
local function attempt(world, chunk, range, begun)
  local rules = world.rules
  local operations, at = operations_of(chunk, range)
  local try = begun or begin(world, rules.records_late and { number = chunk.number, tries = {} } or chunk, range)
  step(world)
  if world.dice:happens(world.faults.stopped) then
    pass(world, HOUR / 2, 40 * HOUR)
  end
  if not rules.sends_late and not rules.protocol.may_be_sent(try, now(world)) then
    try.begun = now(world)
    step(world)
  end
  if rules.sends_rows_of_tonight then
    operations = rebuilt(operations, world.rows)
  end
  local answer, detail = world.service:send(operations, world.faults)
  if not answer and rules.hides_repeats then
    pass(world, 1, 60)
    answer, detail = world.service:send(operations, world.faults)
  end
  if answer == "content" then
    for i, number in ipairs(detail) do
      detail[i] = at[number]
    end
  end
  pass(world, 1, 60)
  step(world)
  if rules.records_late then
    table.insert(chunk.tries, try)
    if not chunk.is_written then
      table.insert(world.state.chunks, chunk)
      chunk.is_written = true
    end
  end
  record(world, chunk, try, answer, detail)
  step(world)
  return answer, detail
end

local send

local function send_halves(world, chunk, range)
  local middle = math.floor((range.first + range.last) / 2)
  local function within(first, last)
    local without = {}
    for _, number in ipairs(range.without or {}) do
      if number >= first and number <= last then
        without[#without + 1] = number
      end
    end
    return { first = first, last = last, without = without }
  end
  send(world, chunk, within(range.first, middle))
  send(world, chunk, within(middle + 1, range.last))
end

-- Sends a range, up to some answer that lets it rest. `begun` is a try that was written with the chunk.
function send(world, chunk, range, begun)
  for _ = 1, 4 do
    if not operations_of(chunk, range)[1] then
      return
    end
    if not begun and not world.rules.may_go(chunk, range, is_own(world, chunk)) then
      return
    end
    local answer, detail = attempt(world, chunk, range, begun)
    begun = nil
    if answer == "accepted" then
      return
    elseif answer == "too large" and range.last > range.first then
      return send_halves(world, chunk, range)
    elseif answer == "content" then
      range = without_refused(range, detail)
    elseif world.dice:happens(0.4) then
      return
    end
    pass(world, 1, world.dice:happens(world.faults.stopped) and 100 * HOUR or 600)
  end
end

-- Whether a range of an older chunk would be exactly what it was, and is still what is wanted.
local function comes_to_the_same(chunk, range, rows)
  local left_out = {}
  for _, number in ipairs(range.without or {}) do
    left_out[number] = true
  end
  for number = range.first, range.last do
    local entry = chunk.entries[number]
    local row = rows[entry.id]
    local member = row and row.wanted[entry.audience] and row.member or nil
    local is_sent = (entry.op == "add" or entry.op == "remove") and not left_out[number]
    if is_sent and member ~= entry.member then
      return false
    end
  end
  return true
end

-- Sends again what had no answer in an earlier night.
local function go_again(world, rows)
  for _, chunk in ipairs(world.state.chunks) do
    local seen, tries = {}, {}
    for i, try in ipairs(chunk.tries) do
      tries[i] = try
    end
    for _, try in ipairs(tries) do
      local name = try.first .. " " .. try.last
      local is_lost = try.state == "begun" or try.state == "missing"
        or world.rules.goes_when_settled and (try.state == "unknown" or try.state == "failed")
      local is_exact = world.rules.sends_rows_of_tonight or comes_to_the_same(chunk, try, rows)
      if is_lost and not seen[name] and world.dice:happens(0.5) and is_exact then
        seen[name] = true
        world:count "sent again by a later process"
        send(world, chunk, try)
      end
    end
  end
end

local function fold(world)
  local state, rules = world.state, world.rules
  local list = rules.foldable(state.chunks)
  for number, part in ipairs(state.parts) do
    for _, chunk in ipairs(list) do
      if not part.folded[chunk.number] then
        local ranges = rules.protocol.outcomes(chunk)
        model.apply_chunk(part.records, chunk, ranges, function(id)
          return model.part_of(state, id) == number
        end, rules, function()
          world:breach("chunk %d is folded while it is open", chunk.number)
        end)
        part.folded[chunk.number] = true
      end
    end
    step(world) -- a transaction a part
  end
  local left = {}
  for _, chunk in ipairs(state.chunks) do
    local is_folded = true
    for _, part in ipairs(state.parts) do
      is_folded = is_folded and part.folded[chunk.number]
    end
    left[#left + 1] = not is_folded and chunk or nil
  end
  world:count("folded chunks", #state.chunks - #left)
  world:say("%d chunks are folded, %d are left", #state.chunks - #left, #left)
  state.chunks = left
  step(world)
end

-- Cuts entries into chunks, each into requests, and sends them.
local function send_all(world, entries)
  local state, dice = world.state, world.dice
  local at = 1
  while at <= #entries do
    local chunk = { number = state.next, run = state.run, process = world.process, tries = {}, entries = {} }
    state.next = state.next + 1
    for number = at, math.min(#entries, at + dice:whole(0, 7)) do
      table.insert(chunk.entries, entries[number])
    end
    at, chunk.count = at + #chunk.entries, #chunk.entries
    world:say("chunk %d is cut: %s", chunk.number, world.shown(chunk.entries))
    local size = dice:happens(0.6) and chunk.count or dice:whole(1, chunk.count)
    local first = { first = 1, last = size }
    local begun = operations_of(chunk, first)[1] and not world.rules.records_late and begin(world, chunk, first) or nil
    if not world.rules.records_late or not operations_of(chunk, { first = 1, last = chunk.count })[1] then
      table.insert(state.chunks, chunk)
    end
    step(world)
    for number = 1, chunk.count, size do
      local range = { first = number, last = math.min(chunk.count, number + size - 1) }
      send(world, chunk, range, number == 1 and begun or nil)
    end
  end
end

-- Waits for tasks, and sends once more what failed or is missing.
local function wait(world)
  for _ = 1, world.dice:whole(0, 3) do
    pass(world, 60, 8 * HOUR)
    poll(world)
    for _, chunk in ipairs(world.state.chunks) do
      for _, try in ipairs(is_own(world, chunk) and chunk.tries or {}) do
        if (try.state == "failed" or try.state == "missing") and world.dice:happens(0.4) then
          send(world, chunk, try)
          break
        end
      end
    end
  end
end

local function by_id(rows)
  local map = {}
  for _, row in ipairs(rows) do
    map[row.id] = row
  end
  return map
end

--- Runs a night. Raises night.CRASH where the process ends.
function night.run(world)
  local state = world.state
  world.process = world.process + 1
  world:set_clock()
  state.run = state.is_going_on and state.run or state.run + 1
  state.is_going_on = true
  local rows = world.export:rows()
  world.rows = by_id(rows)
  step(world)
  poll(world)
  settle(world)
  go_again(world, world.rows)
  if world.dice:happens(world.faults.fold) then
    fold(world)
  end
  world:check()
  local records, open = model.view(state, world.rules)
  local adds, removes, counts = model.difference(records, open, rows, world.audiences, world.rules)
  if counts.stale then
    world:fail("member %d passes for unchanged, with another member than its row gives", counts.stale)
    counts.stale = nil
  end
  for class, count in pairs(counts) do
    world:count("members " .. class, count)
  end
  for _, entry in ipairs(removes) do
    adds[#adds + 1] = entry
  end
  send_all(world, adds)
  wait(world)
  state.is_going_on = false
end

return night
