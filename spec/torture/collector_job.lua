-- A job of spec/torture/jobs.lua: a collector with a spool, in a stand-in for a worker of nginx.
-- What add() has taken must arrive.
local core = require "scope3.core"
local service = require "spec.torture.service"
local stand_in = require "spec.torture.nginx_stand_in"

return function(place)
  stand_in.install()
  local collector = require "scope3.nginx.collector"
  local spool = place.folder .. "/spool"
  os.execute("mkdir -p " .. spool)
  local self = { files = "/spool/" }

  local function new()
    return collector.new { account_id = "25", api_key = "scope3_test_key", base_url = place.url, audience = "a",
      rate = 100000, flush_members = 3, spool = spool, exit_seconds = 1 }
  end

  function self.prepare()
    self.taken, self.collector, self.result = {}, nil, nil
    service.reset(place)
    os.execute("rm -f " .. spool .. "/*")
  end

  local function send()
    local ok, err
    local deadline = core.now() + 20
    repeat
      ok, err = self.collector:flush()
    until ok and self.collector:status().held == 0 or core.now() > deadline
    return not ok and tostring(err) or nil
  end

  function self.act()
    local err
    self.collector, err = new()
    if not self.collector then
      return tostring(err)
    end
    self.collector:start()
    for i = 1, 5 do
      local ok, why = self.collector:add { external_id = "person" .. i, email = i .. "@example.org" }
      self.taken[i], err = ok or nil, err or why
      stand_in.run_timers()
    end
    local ok, why = self.collector:flush()
    err = err or not ok and why
    return err and tostring(err) or nil
  end

  -- What the audience lacks of what was taken.
  local function lacking()
    local there = {}
    if next(self.taken) == nil then
      return nil -- nor is there an audience
    end
    for _, id in ipairs(service.ids(place, "a")) do
      there[id] = true
    end
    for i = 1, 5 do
      if self.taken[i] and not there["person" .. i] then
        return "person" .. i .. " was taken, and is not in the audience"
      end
    end
  end

  -- The collector sends what it has; the next one adopts what is still in files.
  function self.check()
    local problem
    if self.collector then
      problem = send()
      self.collector:close()
      stand_in.run_timers()
    end
    collectgarbage() -- a file that was opened when memory ran out is let go of by Lua's collector
    collectgarbage()
    self.collector = assert(new())
    self.collector:start()
    problem = problem or send()
    self.collector:close()
    stand_in.run_timers()
    problem = problem or lacking()
    local left = core.glob(spool .. "/*")
    return problem or left and "left behind: " .. table.concat(left, " ") or nil
  end

  return self
end
