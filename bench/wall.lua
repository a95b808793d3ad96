-- What a person waits for: the whole command, from its start to its end, against a service that does nothing.
--   make bench-wall WALL_ROWS=9800000
-- Each line: seconds by the clock, CPU seconds and peak memory of the command, its requests, and those refused.
local rows, folder = tonumber(arg[1]) or 1000000, arg[2] or "build/bench"

local json = require "cjson"
local core = require "scope3.core"
local ports = require "spec.support.ports"
local stand_in = require "bench.stand_in"
local tls = require "spec.support.tls"
local world = require "spec.support.world"

local MIB = 2 ^ 20
local UNLIMITED = 100000000 -- requests a minute

local function say(...)
  io.write(string.format(...), "\n")
  io.flush()
end

local certificates = tls.make "IP:127.0.0.1"

-- A service that takes bodies up to a size.
local function service_of(most)
  local tls_port = ports.free()
  local server = stand_in.start(most, ("listen 127.0.0.1:%d ssl; ssl_certificate %s; ssl_certificate_key %s;"):format(
    tls_port, certificates.cert, certificates.key))
  return server, "https://127.0.0.1:" .. tls_port
end

local data = ("%s/%d.csv"):format(folder, rows)
if not world.exists(data) then
  say("making %s", data)
  assert(os.execute(("%s bench/make_data.lua %d > %s.new && mv %s.new %s"):format(arg[-1], rows, data, data, data)))
end

-- Runs the command. Gives its seconds, CPU seconds, peak megabytes and the object that it printed.
local function run(base_url, options)
  local used, out = world.path ".used", world.path ".json"
  local started = core.now()
  os.execute(("SCOPE3_API_KEY=scope3_bench SCOPE3_CA_FILE=%s SCOPE3_BASE_URL=%s/api/v2/buyer %s/measure %s "
    .. "bin/scope3 sync %s --account 25 --audience crm --json --map external_id='Customer Id' --map email=Email "
    .. "--map phone='Phone 1' --map region=Country %s >%s"):format(base_url:find "^https" and certificates.ca or "''",
    base_url, folder, used, data, options, out))
  local seconds = core.now() - started
  local user, system, kb, status = world.read(used):match("(%S+) (%S+) (%S+) (%S+)")
  local said = json.decode(world.read(out))
  assert(status == "0", world.read(out))
  return seconds, tonumber(user) + tonumber(system), tonumber(kb) / 1024, said
end

local CASES = {
  { "at the default rate", 256 * MIB, "" },
  { "any rate", 256 * MIB, "--rate " .. UNLIMITED },
  { "any rate, requests of 8 MiB", 256 * MIB, ("--rate %d --max-bytes %d"):format(UNLIMITED, 8 * MIB) },
  { "any rate, TLS", 256 * MIB, "--rate " .. UNLIMITED, true },
  { "any rate, four at once", 256 * MIB, ("--rate %d --concurrency 4"):format(UNLIMITED) },
  { "any rate, a service of 10 MiB", 10 * MIB, "--rate " .. UNLIMITED },
  { "default rate, requests of 8 MiB", 256 * MIB, "--max-bytes " .. 8 * MIB },
}

say("%d rows, load %s", rows, world.read("/proc/loadavg"):match("^%S+ %S+"))
say("%-32s %8s %8s %8s %9s %8s", "", "seconds", "CPU", "peak MB", "requests", "refused")
for _, case in ipairs(CASES) do
  local name, most, options, is_secure = case[1], case[2], case[3], case[4]
  local server, secure_url = service_of(most)
  local seconds, cpu, peak, said = run(is_secure and secure_url or server.url, options)
  local refused = 0
  for _, request in ipairs(said.requests) do
    refused = refused + (request.state == "split" and 1 or 0)
  end
  say("%-32s %8.1f %8.1f %8.0f %9d %8d", name, seconds, cpu, peak, #said.requests, refused)
  server:expect "too large body"
  server:close "TERM"
end
world.clean()
