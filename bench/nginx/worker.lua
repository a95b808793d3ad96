--- What runs in the worker that is measured.
local core = require "scope3.core"
local cosocket = require "bench.nginx.cosocket"
local scope3 = require "scope3"

local worker = {}

local port, clients, made, gateway

local function member(i)
  return {
    external_id = ("customer-%06d"):format(i), email = ("customer%06d@example.com"):format(i),
    phone = ("+1206555%04d"):format(i % 10000),
  }
end

-- The body that the client sends for one member; a spec holds its form, and bytes are all that counts here.
local BODY = '{"audiences":[{"audienceId":"crm","add":[{"externalId":"customer-000001","hashedEmail":"'
  .. ("ab"):rep(32) .. '","hashedPhone":"'
  .. ("cd"):rep(32) .. '"}]}]}'

---@param service {port: integer, tls_port: integer, ca: string}
function worker.init(service)
  port = service.port
  local function client(account, url, ca)
    return assert(scope3.client {
      api_key = "scope3_key", account_id = account, base_url = url, ca_file = ca, rate = 100000,
    })
  end
  local plain = "http://127.0.0.1:" .. port
  clients = { ["0"] = client("0", plain), ["300"] = client("300", plain),
    tls = client("0", "https://127.0.0.1:" .. service.tls_port, service.ca) }
end

local function sync(client)
  local audience = assert(scope3.audience { id = "crm" })
  assert(audience:add(member(1)))
  assert(client:sync(audience))
end

--- GET /scope3?delay=300 and /cosocket?delay=300: one sync of one member.
function worker.scope3()
  sync(clients[ngx.var.arg_delay])
  ngx.print "synced"
end

function worker.cosocket()
  assert(cosocket.post(port, ngx.var.arg_delay, BODY))
  ngx.print "synced"
end

-- --- a timer's lateness ------------------------------------------------------------------------------------------

local watch

--- Begins to count how late a timer of a millisecond is, and where so, whether
--- the worker itself was at work for so long: it may have waited for a processor.
function worker.watch_begin()
  watch = { ticks = 0, late = 0, worked = 0, longest = 0 }
  local own = watch
  ngx.timer.at(0, function()
    while watch == own do
      local before, used = core.now(), os.clock()
      ngx.sleep(0.001)
      local late = core.now() - before - 0.001
      own.ticks = own.ticks + 1
      own.longest = math.max(own.longest, late)
      if late > 0.010 then
        own.late = own.late + 1
        own.worked = own.worked + (os.clock() - used > 0.010 and 1 or 0)
      end
    end
  end)
end

--- Ends it, and says: ticks, ticks over 10 ms late, those of them in which
--- the worker was at work for over 10 ms, the longest in milliseconds.
function worker.watch_end()
  local own = watch
  watch = nil
  ngx.print(("%d %d %d %.1f"):format(own.ticks, own.late, own.worked, own.longest * 1000))
end

--- Makes the audience for upload(): 8 MB of members, in pieces that hold nobody up.
function worker.prepare()
  if made then
    return
  end
  made = assert(scope3.audience { id = "crm" })
  for i = 1, 39000 do
    assert(made:add(member(i)))
    if i % 100 == 0 then
      ngx.sleep(0)
    end
  end
end

--- Sends it over TLS again and again for ?seconds=; says how often, and how many megabytes one is.
function worker.upload()
  local until_, n, bytes = core.now() + tonumber(ngx.var.arg_seconds), 0, 0
  while core.now() < until_ do
    local res = assert(clients.tls:sync(made, { max_bytes = 16 * 2 ^ 20 }))
    n, bytes = n + 1, res.bytes_sent
  end
  ngx.print(("%d %.1f"):format(n, bytes / 1e6))
end

--- Takes a file of raw rows.
function worker.gateway()
  gateway = gateway or require("scope3.nginx").gateway {
    account_id = "0", api_key = "scope3_key", base_url = "http://127.0.0.1:" .. port, audience = "crm", rate = 100000,
    map = { external_id = "Customer Id", email = "Email", phone = "Phone 1", region = "Country" },
  }
  gateway()
end

-- --- many at once ------------------------------------------------------------------------------------------------

--- So many syncs at once: seconds until the last is answered.
function worker.parallel()
  local started, threads = core.now(), {}
  for i = 1, tonumber(ngx.var.arg_n) do
    threads[i] = ngx.thread.spawn(sync, clients["300"])
  end
  for _, thread in ipairs(threads) do
    assert(ngx.thread.wait(thread))
  end
  ngx.print(core.now() - started)
end

return worker
