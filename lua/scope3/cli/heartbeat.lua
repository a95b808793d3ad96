--- A line a minute on standard error while a command waits without a terminal: what it waits for, and how long.
local core = require "scope3.core"
local context = require "scope3.cli.context"
local text = require "scope3.cli.text"

local heartbeat = {}
heartbeat.__index = heartbeat

local EVERY = 60 -- seconds between two lines

-- What a command waits for, by its last event. Other events are no wait.
local WORDS = {}

function WORDS.barrier(event)
  return ("%s must end before the next request may go"):format(text.plural(event.tasks, "task"))
end

-- "12 of 67 tasks have ended, the task is working"
local function state_of(event, name, all)
  local status = ("the %s is %s"):format(name, text.visible(tostring(event.status)))
  if (all or 0) < 2 then
    return status
  end
  return ("%s of %s have ended, %s"):format(text.count(event.ended), text.plural(all, name), status)
end

function WORDS.task(event)
  return state_of(event, "task", event.tasks)
end

function WORDS.audience(event)
  return state_of(event, "audience", event.audiences)
end

function WORDS.retry(event)
  return event.status and ("the service answered %s"):format(tostring(event.status)) or "the service did not answer"
end

function WORDS.resend(event)
  return ("%s of failed tasks will go again"):format(text.plural(event.requests, "request"))
end

function WORDS.in_doubt()
  return "an answer was lost, and may still take effect"
end

function WORDS.throttled()
  return "the rate of requests is kept"
end

function WORDS.cut_short()
  return "the service asked for a long wait"
end

---@param quiet boolean
function heartbeat.new(quiet)
  return setmetatable({ shows = not quiet and not core.isatty(2) }, heartbeat)
end

--- Takes an event of the client. Requests that go and rows that are read end a wait.
---@param event table
function heartbeat:on(event)
  local words = WORDS[event.event]
  if words then
    self.words, self.since = words(event), self.since or core.now()
  elseif event.event == "accepted" or event.event == "progress" then
    self.words, self.since, self.told = nil, nil, nil
  end
end

--- Says a line where one is due.
function heartbeat:tick()
  local now = core.now()
  if self.shows and self.words and now - (self.told or self.since) >= EVERY then
    self.told = now
    context.complain(("still waiting after %s: %s"):format(text.seconds(now - self.since), self.words))
  end
end

--- Wraps the function that is asked whether to stop: it also reports a long wait.
---@param stopped fun(): boolean
---@return fun(): boolean
function heartbeat:watch(stopped)
  return function()
    self:tick()
    return stopped()
  end
end

return heartbeat
