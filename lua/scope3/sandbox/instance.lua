--- What a running sandbox remembers: its settings, its service's state, its log, and its source of random numbers.
--- It knows no sockets and no clock of its own, so it also runs where time is simulated.
local faults = require "scope3.sandbox.faults"
local json = require "scope3.sandbox.json"
local rate_limit = require "scope3.sandbox.rate_limit"
local settings = require "scope3.sandbox.settings"
local state = require "scope3.sandbox.state"

---@class scope3.sandbox.Instance
---@field config table  the settings
---@field initial table  those that it was made with
---@field clock fun(): number  seconds since 1970
---@field digit? fun(): integer  a random number from 0 to 15, of which the ids of tasks are made
---@field state table  audiences and tasks
---@field syndications table<string, table[]>  by account
---@field log table[]  of requests
---@field callbacks table[]  that were sent
---@field rate_limit scope3.sandbox.RateLimit
---@field random fun(): number

local instance = {}

--- Forgets everything, and restores the settings that it was made with.
---@param self scope3.sandbox.Instance
---@param on_ended? fun(task: table)
function instance.reset(self, on_ended)
  settings.reset(self.config)
  settings.change(self.config, self.initial)
  self.random = faults.random(self.config.seed)
  self.state = state.new(self.config, self.clock, self.digit)
  self.state.random = function()
    return self.random()
  end
  self.state.on_ended = on_ended
  self.rate_limit = rate_limit.new()
  self.syndications, self.log, self.callbacks = {}, json.array(), json.array()
end

--- Makes one.
---@param initial table  settings
---@param clock fun(): number
---@param digit? fun(): integer
---@return scope3.sandbox.Instance
function instance.new(initial, clock, digit)
  local self = { config = {}, initial = initial, clock = clock, digit = digit }
  instance.reset(self)
  return self
end

return instance
