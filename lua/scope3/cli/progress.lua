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

-- Cuts a line to the terminal's width. Of a wrapped line only the last part would be wiped.
local function fitted(line)
  local width = math.max((core.terminal_width(2) or 80) - 1, 1)
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

function progress:draw(line)
  io.stderr:write("\r", fitted(text.visible(line)), "\27[K")
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

-- "12 of 67 tasks have ended", where there are several.
local function tally(ended, all, name)
  return (all or 0) > 1 and ("%s of %s have ended · "):format(text.count(ended), text.plural(all, name)) or ""
end

-- The line for an event of each kind. Other events leave the line as it is.
local WORDS = {}

-- "file 2 of 3,  45 %  ", as far as it is known.
local function share_of(event)
  local share = event.size and event.size > 0 and ("%3.0f %%  "):format(100 * event.bytes / event.size) or ""
  if event.file then
    share = ("file %d of %d, "):format(event.file.number, event.file.count) .. share
  end
  return share
end

local function count_sending(requests)
  local n = 0
  for _, request in ipairs(requests) do
    n = n + (request.state == "sending" and 1 or 0)
  end
  return n
end

function WORDS.progress(event, seconds)
  local res = event.result
  return ("%s%s · %s a second · %s, %d under way · %s"):format(share_of(event), text.plural(event.rows, "row"),
    text.count(event.rows / math.max(seconds, 0.001)), text.plural(#res.requests, "request"),
    count_sending(res.requests), text.plural(#res.tasks, "task"))
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

function WORDS.limiter(event)
  return ("the limiter's file was %s: its counts are lost, so requests wait for a minute"):format(event.problem)
end

function WORDS.barrier(event)
  return ("waiting for %s before the next request may go"):format(text.plural(event.tasks, "task"))
end

function WORDS.task(event, seconds)
  local ended = (event.ended or 0) + (tasks.ended(event.status) and 1 or 0)
  return ("%stask %s · %s"):format(tally(ended, event.tasks, "task"), event.status, text.seconds(seconds))
end

function WORDS.audience(event, seconds)
  return ("%saudience %s · %s"):format(tally(event.ended, event.audiences, "audience"), tostring(event.status),
    text.seconds(seconds))
end

--- Takes an event of the client.
---@param event table
function progress:on(event)
  if not self.shows then
    return
  end
  local now, words = core.now(), WORDS[event.event]
  if event.event == "progress" then
    if now - self.last < EVERY then
      return
    end
    self.last = now
  end
  if words then
    self:draw(words(event, now - self.started))
  end
end

return progress
