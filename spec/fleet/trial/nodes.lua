-- The nodes of a trial: real nginx with a collector that appends to the queue. A node that is killed comes again with
-- the same spool.
local collecting = require "spec.support.collecting"
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local nodes = {}

local CONF = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    collector = assert(require("scope3.nginx").collector {
      audience = "trial", shared = "scope3", spool = "%s", flush_members = 1000, flush_seconds = 0.4,
      stream = { url = "%s", queue = "trial" },
    })
  }
  init_worker_by_lua_block { collector:start() }
  exit_worker_by_lua_block { require("scope3.nginx").exit() }
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  keepalive_time 24h;
  server {
    listen 127.0.0.1:PORT reuseport;
    location = /ping { return 200 "pong"; }
    location = /ops {
      client_max_body_size 10m;
      client_body_buffer_size 10m;
      content_by_lua_block {
        ngx.req.read_body()
        local before, taken, said = collector:status().unkept, 0, "ok"
        for sign, id, name in ngx.req.get_body_data():gmatch "([+-])(%%S+) (%%S+)" do
          local ok, err
          if sign == "-" then
            ok, err = collector:remove { external_id = id }
          else
            ok, err = collector:add { external_id = id, email = name .. "@example.com",
              uids = { { type = "publisher_first_party", value = (name .. "."):rep(%d) } } }
          end
          if not ok then
            said = err.kind
            break
          end
          taken = taken + 1
        end
        ngx.print(ngx.worker.pid(), " ", taken, " ", collector:status().unkept - before, " ", said)
      }
    }
    location = /status { content_by_lua_block { ngx.print(require("cjson").encode(collector:status())) } }
  }
]]

nodes.WORKERS = 2

local Node = {}
Node.__index = Node

---@param path string  beside which its files are
---@param redis_url string
---@param pad integer  bytes that a member is larger. LuaJIT tells long texts by a few of their bytes, and is slow where
---  many have these in common: so it is the operation's name over and over
function nodes.new(path, redis_url, pad)
  local self = setmetatable({ path = path, spool = path .. ".spool", url = path .. ".url" }, Node)
  os.execute(("mkdir -m 700 '%s'"):format(self.spool))
  self.conf = CONF:format(self.spool, redis_url, 1 + math.ceil(pad / 8))
  self:start()
  return self
end

--- Starts it. Its address is in the file `url`, since it is another one each time.
function Node:start()
  self.server = nginx.start { http = self.conf, workers = nodes.WORKERS }
  self.server:expect(collecting.SAYS)
  local other = self.url .. ".new"
  world.write(other, self.server.url)
  assert(os.rename(other, self.url))
end

--- Kills one of its workers. Its master starts another one.
---@param number integer
---@return boolean done  false where there was none at that moment
function Node:kill_worker(number)
  local pids = self.server:workers()
  if pids[number] then
    self.server:signal("KILL", pids[number])
  end
  return pids[number] ~= nil
end

--- Kills its master and its workers, as a machine that loses its power does.
function Node:kill()
  local pids = self.server:workers()
  self.server:signal "KILL"
  for _, pid in ipairs(pids) do
    self.server:signal("KILL", pid)
  end
  for _, pid in ipairs(pids) do
    nginx.await_end(pid)
  end
  self.server:close "KILL"
  self.server = nil
end

--- How many members wait in all of its workers; nil where it does not say.
---@return integer?
function Node:held()
  local reply = world.http("GET", self.server.url .. "/status", nil, { timeout = 10 })
  return reply.status == 200 and world.json.decode(reply.body).all.held or nil
end

function Node:close()
  if self.server then
    self.server:close "TERM"
    self.server = nil
  end
end

return nodes
