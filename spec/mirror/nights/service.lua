-- A service in virtual time that takes requests and carries them out as it likes: at once or days later, whole or in
-- part, with or without an answer, in any order. What the nights may rely on: nothing of a request is carried out more
-- than `latest` seconds after it was sent, nor after its task was seen to end.
local service = {}

local HOUR = 3600
local LONGEST_TASK = 60 * HOUR

local Service = {}
Service.__index = Service

function service.new(dice, audiences, latest)
  local members = {}
  for audience = 1, audiences do
    members[audience] = {}
  end
  local picky = dice:happens(0.4) and dice:whole(1, audiences) or nil
  return setmetatable({ dice = dice, now = 0, latest = latest, members = members, pending = {}, tasks = {},
    picky = picky }, Service)
end

--- Whether it may refuse that member for an audience: all of them do, or one.
function Service:refuses(audience, member)
  return member == "v4" and (not self.picky or self.picky == audience)
end

local function is_before(a, b)
  return a.at < b.at or a.at == b.at and a.number < b.number
end

--- Lets time pass, and does what is due meanwhile.
function Service:advance(seconds)
  self.now = self.now + seconds
  repeat
    local due, left = {}, {}
    for _, one in ipairs(self.pending) do
      local list = one.at <= self.now and due or left
      list[#list + 1] = one
    end
    table.sort(due, is_before)
    self.pending = left
    for i, one in ipairs(due) do
      local audience = self.members[one.audience]
      local before = audience[one.id]
      audience[one.id] = one.member
      if one.back then -- what it begins may be due among the others
        left[#left + 1] = { at = one.back, number = one.number, audience = one.audience, id = one.id,
          member = before }
        for j = i + 1, #due do
          left[#left + 1] = due[j]
        end
        break
      end
    end
  until not due[1]
end

-- Carries out each operation with a chance, at some time from `first` to `last`: all at once or one by one. What was
-- there before is put back at `back`, if that is given.
function Service:plan(operations, chance, first, last, back)
  local dice = self.dice
  local together = dice:happens(0.5) and first + dice:unit() * (last - first)
  for _, one in ipairs(operations) do
    if dice:happens(chance) then
      self.number = (self.number or 0) + 1
      table.insert(self.pending, { at = together or first + dice:unit() * (last - first), number = self.number,
        audience = one.audience, id = one.id, member = one.op == "add" and one.member or nil, back = back })
    end
  end
end

-- A task for a request that arrives at `at` and was sent at `sent`.
function Service:begin(operations, at, sent, faults)
  local dice, latest = self.dice, sent + self.latest
  local task = { id = #self.tasks + 1, ends = math.huge, gone = math.huge }
  self.tasks[task.id] = task
  local longest = dice:happens(faults.slow) and LONGEST_TASK or 10 * HOUR
  local last = math.min(latest, at + (dice:happens(0.5) and dice:time(60, longest) or dice:unit() * longest))
  if dice:happens(faults.endless) then
    self:plan(operations, 0.6, at, latest)
  elseif dice:happens(faults.lost_task) then
    task.gone = at + dice:unit() * 20 * HOUR
    self:plan(operations, 0.6, at, latest)
  elseif dice:happens(faults.failure) then
    task.ends, task.status = last, dice:happens(0.7) and "failed" or "completed"
    task.fails_inside = true
    self:plan(operations, dice:one_of { 0, 0.3, 0.7 }, at, last, dice:happens(faults.putting_back) and last)
  else
    task.ends, task.status = last, "completed"
    self:plan(operations, 1, at, last)
  end
  return task
end

local function refused_of(self, operations, faults)
  local list = {}
  if self.dice:happens(faults.refuses_content) then
    for i, one in ipairs(operations) do
      if one.op == "add" and self:refuses(one.audience, one.member) then
        list[#list + 1] = i
      end
    end
  end
  return list[1] and list
end

--- Takes a request. Gives what its sender sees: nothing, "accepted" with a task, "too large", "refused", or "content"
--- with the operations that are refused.
function Service:send(operations, faults)
  local dice, sent = self.dice, self.now
  if dice:happens(faults.lost_request) then
    return nil
  elseif dice:happens(faults.ghost) then
    local at = sent + (dice:happens(0.5) and dice:time(60, self.latest - 60) or dice:unit() * (self.latest - 60))
    self:begin(operations, at, sent, faults)
    return nil
  end
  local has_answer = not dice:happens(faults.lost_reply)
  local refused = refused_of(self, operations, faults)
  if dice:happens(faults.refusal) then
    return has_answer and "refused" or nil
  elseif #operations > 1 and dice:happens(faults.too_large) then
    return has_answer and "too large" or nil
  elseif refused then
    return has_answer and "content" or nil, refused
  end
  local task = self:begin(operations, sent, sent, faults)
  if not has_answer then
    return nil
  end
  return "accepted", task.id
end

--- What a task says: nothing, "working", "missing", "completed" or "failed"; and whether it failed by its content.
function Service:poll(id, faults)
  local task = self.tasks[id]
  if self.dice:happens(faults.lost_poll) then
    return nil
  elseif task.gone <= self.now or self.dice:happens(faults.hidden_task) then
    return "missing"
  elseif task.ends > self.now then
    return "working"
  end
  return task.status, task.fails_inside
end

--- What an audience has of an id, and what it may yet come to have.
function Service:has(audience, id)
  local later = {}
  for _, one in ipairs(self.pending) do
    if one.audience == audience and one.id == id then
      later[#later + 1] = one.member or false
    end
  end
  return self.members[audience][id], later
end

return service
