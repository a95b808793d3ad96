-- What the specs run inside nginx's workers. `client` is made in init_by_lua, as people would.
local cjson = require "cjson"
local scope3 = require "scope3"

local inside = {}

local flying, most = 0, 0 -- requests of this worker that were sent and not answered

local function on_event(event)
  if event.event == "request" then
    flying = flying + 1
    most = math.max(most, flying)
  elseif event.event == "accepted" then
    flying = flying - 1
  end
end

function inside.init(url, options)
  local all = { api_key = "scope3_test_key", account_id = "25", base_url = url, rate = 100000, on_event = on_event }
  for key, value in pairs(options or {}) do
    all[key] = value
  end
  inside.client = assert(scope3.client(all))
end

function inside.audience(id, n)
  local made = assert(scope3.audience { id = id })
  for i = 1, n or 1 do
    assert(made:add { external_id = id .. "-" .. i, email = id .. i .. "@example.com" })
  end
  return made
end

function inside.say(value)
  ngx.header["Content-Type"] = "application/json"
  ngx.print(cjson.encode(value))
end

-- A result or an error, as plain data.
function inside.outcome(res, err)
  if not res then
    return { kind = err.kind, message = err.message, pid = ngx.worker.pid(), exiting = ngx.worker.exiting() }
  end
  return {
    accepted = res.accepted, task_id = res.tasks[1].task_id,
    status = res.tasks[1].status, pid = ngx.worker.pid(), exiting = ngx.worker.exiting(),
  }
end

function inside.sync(id, opts)
  return inside.outcome(inside.client:sync(inside.audience(id), opts))
end

-- GET ?id=a, with &wait=1 until its task has ended
function inside.serve_sync()
  local args = ngx.req.get_uri_args()
  local res, err = inside.client:sync(inside.audience(args.id or "a"), { timeout = tonumber(args.timeout) })
  if res and args.wait then
    res, err = res:wait { timeout = 60 }
  end
  inside.say(inside.outcome(res, err))
end

function inside.serve_state()
  local shared = inside.client:transport().shared
  local calls = 0
  for _ in pairs(shared.calls) do
    calls = calls + 1
  end
  local kilobytes
  if ngx.var.arg_collect then
    collectgarbage()
    collectgarbage()
    kilobytes = collectgarbage "count"
  end
  inside.say {
    kilobytes = kilobytes, pid = ngx.worker.pid(), flying = flying, most = most,
    transfers = shared.engine and shared.engine:count() or 0, calls = calls, timers = ngx.timer.running_count(),
  }
end

-- Waits until another process, or the spec, says so in the shared dictionary.
function inside.await(key)
  while not ngx.shared.scope3:get(key) do
    ngx.sleep(0.02)
  end
end

return inside
