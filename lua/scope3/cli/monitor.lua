--- What a command says while it works: a line on a terminal, or sentences on standard error, and notices of trouble.
local context = require "scope3.cli.context"
local heartbeat = require "scope3.cli.heartbeat"
local progress = require "scope3.cli.progress"
local text = require "scope3.cli.text"

---@class scope3.cli.Monitor
---@field stopped fun(): boolean  whether a signal came; it is asked now and then
local Monitor = {}
Monitor.__index = Monitor

local monitor = {}

local NOTABLE_WAIT = 60 -- seconds after a lost answer; a longer wait is reported also without a terminal
local NOTABLE_OUTAGE = 10 -- seconds of an outage, likewise

---@param quiet boolean
---@param log scope3.cli.EventLog?
---@return scope3.cli.Monitor
function monitor.new(quiet, log)
  local beat = heartbeat.new(quiet)
  return setmetatable({
    quiet = quiet, line = progress.new(quiet), beat = beat, stopped = beat:watch(context.stop_flag()),
    outage_told = false, log = log,
  }, Monitor)
end

local function notice(self, words)
  self.line:clear()
  context.complain(words)
end

-- Reports the first outage of some length.
local function note_outage(self, event)
  if event.left and event.out >= NOTABLE_OUTAGE and not self.outage_told then
    self.outage_told = true
    notice(self, ("%s. The command goes on for up to %s (--patience)"):format(event.message, text.seconds(event.left)))
  end
end

-- Reports a long wait for a request whose answer was lost.
local function note_lost_answer(self, event)
  if event.event == "in_doubt" and event.seconds >= NOTABLE_WAIT then
    notice(self, ("the answer to a request was lost, and it may still take effect: members that contradict it wait for "
      .. "%s. --in-doubt-timeout sets how long; with --journal the job can be stopped, and run again then"):format(
        text.seconds(event.seconds)))
  end
end

--- Takes an event of the client.
---@param event scope3.Event
function Monitor:on(event)
  if self.log then
    self.log.write(event)
  end
  self.line:on(event)
  self.beat:on(event)
  if not self.quiet then
    note_outage(self, event)
    note_lost_answer(self, event)
  end
end

--- Wipes the line.
function Monitor:clear()
  self.line:clear()
end

return monitor
