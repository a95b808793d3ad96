--- The transport for a host that interrupts Lua between any two instructions, so that others run. What callers share,
--- such as the counts of the limiter, would not survive that. So the loop of such a host holds others back meanwhile.
local uninterrupted = {}

-- A listener that these have called may have waited. So others are held back anew.
local STEPS = { "start_due", "advance" }
-- After these the caller's own code goes on, which the host may interrupt again.
local CALLS = { "start", "pump", "drive", "give_up", "size_limit", "learn_size" }

local function let_go(loop, ...)
  loop.rest()
  return ...
end

local made = setmetatable({}, { __mode = "k" })

local function new(transport)
  local methods = setmetatable({}, { __index = transport })
  methods.__index = methods
  for _, name in ipairs(STEPS) do
    methods[name] = function(self, ...)
      self.loop.hold()
      return transport[name](self, ...)
    end
  end
  for _, name in ipairs(CALLS) do
    methods[name] = function(self, ...)
      self.loop.hold()
      return let_go(self.loop, transport[name](self, ...))
    end
  end
  return methods
end

--- The same methods, which are not interrupted while they touch what callers share.
---@param transport table  methods
---@return table methods
function uninterrupted.of(transport)
  made[transport] = made[transport] or new(transport)
  return made[transport]
end

return uninterrupted
