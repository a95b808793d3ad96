--- One line on a terminal that follows a long job; nothing without a terminal.
local core = require "scope3.core"
local tasks = require "scope3.job.tasks"
local text = require "scope3.cli.text"

local progress = {}
progress.__index = progress

local EVERY = 0.1 -- seconds between two lines of progress

---@param quiet boolean
function progress.new(quiet)
  return setmetatable({ shows = not quiet and core.isatty(2), started = core.now(), last = 0, drawn = false }, progress)
end

-- The characters of a text, each of which is taken for a column.
local function length(words)
  local _, more = words:gsub("[\128-\191]", "")
  return #words - more
end

-- Cuts a line to a width. Of a wrapped line only the last part would be wiped.
local function cut(line, width)
  local kept, n = {}, 0
  for character in line:gmatch("[%z\1-\127\192-\255][\128-\191]*") do
    n = n + 1
    if n > width then
      kept[width] = "…"
      break
    end
    kept[n] = character
  end
  return table.concat(kept)
end

-- As many parts as fit, in one of their forms: the line, and their number. The first stands in any case.
local function joined(parts, form, separator, width)
  local line, n = nil, 0
  for _, part in ipairs(parts) do
    local words = text.visible(type(part) == "table" and (part[form] or part[#part]) or part)
    local longer = line and line .. separator .. words or words
    if line and length(longer) > width then
      break
    end
    line, n = longer, n + 1
  end
  return line, n
end

-- The parts as a line. What matters comes first and has shorter forms, { "50 % of file 1 of 2", "50 %" }. Those stand
-- where the longer ones leave no room for all that matters.
local function fitted(parts, width)
  local matter = 0
  for _, part in ipairs(parts) do
    matter = matter + (type(part) == "table" and 1 or 0)
  end
  local line, n = joined(parts, 1, " · ", width)
  for form = 2, 3 do
    if n < matter then
      line, n = joined(parts, form, form == 2 and " · " or " ", width)
    end
  end
  return cut(line, width)
end

---@param parts (string|string[])[]
function progress:draw(parts)
  local width = math.max((core.terminal_width(2) or 80) - 1, 1)
  io.stderr:write("\r", fitted(parts, width), "\27[K")
  io.stderr:flush()
  self.drawn = true
end

--- Wipes the line.
function progress:clear()
  if self.drawn then
    io.stderr:write("\r\27[K")
    self.drawn = false
  end
end

-- The parts of a wait: "12 of 67 tasks have ended" where there are several, the state of one, and for how long.
local function parts_of_wait(name, status, ended, all, seconds)
  local parts = {}
  if (all or 0) > 1 then
    parts[1] = { ("%s of %s have ended"):format(text.count(ended), text.plural(all, name)),
      ("%s of %s"):format(text.count(ended), text.count(all)) }
  end
  parts[#parts + 1] = { ("%s %s"):format(name, status), status }
  parts[#parts + 1] = text.seconds(seconds)
  return parts
end

-- The line for an event of each kind. Other events leave the line as it is.
local WORDS = {}

-- "45 % of file 2 of 3", as far as it is known, or nil.
local function share_of(event)
  local share = event.size and event.size > 0 and ("%.0f %%"):format(100 * event.bytes / event.size) or nil
  local file = event.file and ("file %d of %d"):format(event.file.number, event.file.count)
  if event.phase == "compare" then
    share = share and "comparing, " .. share
  end
  return share and { file and share .. " of " .. file or share, share } or file and { file, file } or nil
end

local SURE = 2 -- seconds after which the time left is estimated: the first requests say little
local LEAST = 0.01 -- of a file, likewise

-- The next multiple of a step, one step at least.
local function in_steps(n, step)
  return math.max(math.floor(n / step + 0.5), 1) * step
end

-- "about 2 min left" of the last file, whose size is known. What other files will take is not.
local function left_of(event, seconds)
  local is_last = not event.file or event.file.number == event.file.count
  if not (is_last and event.size and event.size > 0) or seconds < SURE or event.bytes < LEAST * event.size then
    return nil
  end
  local left = seconds * math.max(event.size - event.bytes, 0) / event.bytes
  local words
  if left < 60 then
    words = ("%d s"):format(in_steps(left, 5))
  elseif left < 7200 then
    words = ("%d min"):format(in_steps(left / 60, 1))
  else
    words = ("%d h"):format(in_steps(left / 3600, 1))
  end
  return { ("about %s left"):format(words), words .. " left", words }
end

-- 1234567 -> "1.2 M", 123456 -> "123 k"
local function short_count(n)
  if n >= 1e6 then
    return text.fixed(n / 1e6, 1) .. " M"
  end
  return n >= 1e4 and ("%.0f k"):format(n / 1e3) or text.count(n)
end

local function count_sending(requests)
  local n = 0
  for _, request in ipairs(requests) do
    n = n + (request.state == "sending" and 1 or 0)
  end
  return n
end

function WORDS.progress(event, seconds, of_file)
  local res, parts = event.result, {}
  local rate = event.rows / math.max(seconds, 0.001)
  parts[#parts + 1] = share_of(event)
  parts[#parts + 1] = { text.count(rate) .. " a second", short_count(rate) .. "/s" }
  parts[#parts + 1] = left_of(event, of_file)
  parts[#parts + 1] = text.plural(event.rows, "row")
  if res.prepared then
    return parts -- nothing is sent
  end
  parts[#parts + 1] = ("%s, %d under way"):format(text.plural(#res.requests, "request"), count_sending(res.requests))
  parts[#parts + 1] = text.plural(#res.tasks, "task")
  return parts
end

function WORDS.retry(event)
  return ("the service %s; trying again in %s%s"):format(event.status and "answered " .. tostring(event.status)
    or "did not answer (" .. tostring(event.code) .. ")", text.seconds(event.seconds),
    event.left and (", for up to %s more"):format(text.seconds(event.left)) or "")
end

function WORDS.in_doubt(event)
  return ("an answer was lost: waiting %s, lest that request overtakes the next"):format(text.seconds(event.seconds))
end

function WORDS.resend(event)
  return ("%s of failed tasks go again in %s"):format(text.plural(event.requests, "request"),
    text.seconds(event.seconds))
end

function WORDS.throttled(event)
  return ("waiting %s to keep under the rate"):format(text.seconds(event.seconds))
end

function WORDS.cut_short(event)
  return ("the service asked for a wait of %s; it is asked again after %s"):format(text.seconds(event.said),
    text.seconds(event.seconds))
end

local OF_REDIS = {
  away = "the limiter's Redis does not answer: after a minute requests go by this process's share of the rate",
  back = "the limiter's Redis answers again",
}

--- What has become of the limiter.
---@param event scope3.LimiterEvent
---@return string
function progress.words_of_limiter(event)
  if OF_REDIS[event.problem] then
    return OF_REDIS[event.problem]
  end
  return ("the limiter's file was %s: its counts are lost, so requests wait for a minute"):format(event.problem)
end

WORDS.limiter = progress.words_of_limiter

function WORDS.barrier(event)
  return ("waiting for %s before the next request may go"):format(text.plural(event.tasks, "task"))
end

function WORDS.task(event, seconds)
  local ended = (event.ended or 0) + (tasks.ended(event.status) and 1 or 0)
  return parts_of_wait("task", event.status, ended, event.tasks, seconds)
end

function WORDS.audience(event, seconds)
  return parts_of_wait("audience", tostring(event.status), event.ended, event.audiences, seconds)
end

-- The seconds since the first event of the file that is read.
local function seconds_of_file(self, event, now)
  local number = (event.phase or "") .. (event.file and event.file.number or 0)
  if self.file ~= number then
    self.file, self.file_began = number, now
  end
  return now - self.file_began
end

--- Takes an event of the client.
---@param event table
function progress:on(event)
  if not self.shows then
    return
  end
  local now, words, of_file = core.now(), WORDS[event.event], nil
  if event.event == "progress" then
    of_file = seconds_of_file(self, event, now)
    if now - self.last < EVERY then
      return
    end
    self.last = now
  end
  if words then
    local parts = words(event, now - self.started, of_file)
    self:draw(type(parts) == "table" and parts or { parts })
  end
end

return progress
