-- Marked values: a key, ids, emails, phones, hashes and universal ids that occur nowhere else.
-- Whatever goes wrong, the library and the command neither print, log nor write any of them.
local core = require "scope3.core"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json
local KEY = "zq7canary4711key"
local UID2 = "ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U="

local function person(i)
  return {
    id = "canary-id-" .. i, email = ("canary.mail%d@example.org"):format(i),
    phone = ("+1206555%04d"):format(100 + i), uid = "canary-uid-" .. i,
  }
end

local function file_of(n, more)
  local lines = { "customer,mail,tel,own,uid2,plan" }
  for i = 1, n do
    local one = person(i)
    lines[#lines + 1] = ("%s,%s,%s,%s,%s,gold"):format(one.id, one.email, one.phone, one.uid, i == 1 and UID2 or "")
  end
  return world.file(table.concat(lines, "\n") .. "\n" .. (more or ""), ".csv")
end

-- Every form in which a marked value might come out.
local FORMS = {}
do
  local function add(name, value)
    FORMS[#FORMS + 1] = { name = name, value = value:lower() }
  end
  add("the key", KEY)
  add("a piece of the key", KEY:sub(4, 14))
  add("an id", "canary-id")
  add("an email", "canary.mail")
  add("a universal id", "canary-uid")
  add("a universal id", UID2:sub(1, 20))
  add("an email, encoded", "canary%2email")
  for i = 1, 6 do
    local one = person(i)
    add("a phone", one.phone:sub(2))
    add("a phone", one.phone:sub(6))
    add("the hash of an email", core.sha256(one.email):sub(1, 12))
    add("the hash of a phone", core.sha256(one.phone):sub(1, 12))
  end
end

local function look(where, text)
  local low = text:lower()
  for _, form in ipairs(FORMS) do
    local at = low:find(form.value, 1, true)
    assert(not at,
      ("%s stands in %s: …%s…"):format(form.name, where, at and text:sub(math.max(1, at - 80), at + 60) or ""))
  end
end

-- All texts in a value, whatever it is made of.
local function dump(value, seen)
  seen = seen or {}
  if type(value) ~= "table" then
    return tostring(value)
  elseif seen[value] then
    return ""
  end
  seen[value] = true
  local parts = {}
  for key, item in pairs(value) do
    if key ~= "builder" then
      parts[#parts + 1] = tostring(key) .. "=" .. dump(item, seen)
    end
  end
  return table.concat(parts, "\n")
end

local SCRIPT = { audience = { id = "crm", name = "Customers" },
  map = { external_id = "customer", email = "mail", phone = "tel", ["uid:crm"] = "own", ["uid:uid2"] = "uid2" } }

describe("no key, email, phone, hash, uid or id", function()
  local sandbox = world.around(setup, teardown, before_each)

  local function configure(settings)
    settings.keys = json.array { KEY }
    settings.clock, settings.task_seconds, settings.retry_after = "manual", 1, 1
    sandbox:configure(settings)
  end

  local FAULTS = {
    { act = "echo", status = 400 }, { act = "echo", status = 401 }, { act = "echo", status = 403 },
    { act = "echo", status = 404 }, { act = "echo", status = 409 },
    { act = "echo", status = 422 }, { act = "echo", status = 500 }, { act = "echo", status = 502 },
    { act = "status", status = 413 }, { act = "lost_reply" }, { act = "half_reply" },
    { act = "garbage" }, { act = "not_json" }, { act = "wrong_types" }, { act = "redirect" },
    {
      act = "issues",
      issues = { {
        path = "audiences[0].add[1].externalId", message = "canary-id-2 is taken by canary.mail1@example.org",
      } },
    },
    {
      act = "issues",
      issues = { { path = "canary-id-3", message = "bad: " .. core.sha256 "canary.mail1@example.org" } },
    },
  }

  it("stands in an error, a result, an event or a journal, whatever the service answers", function()
    for _, on in ipairs { "sync", "task", "audiences" } do
      for _, fault in ipairs(FAULTS) do
        if on == "sync" or fault.act ~= "issues" then
          -- Issues quote members of the first request only.
          for _, times in ipairs(fault.act == "issues" and { 1 } or { 1, -1 }) do
            sandbox:reset()
            local rule = { on = on, times = times }
            for key, value in pairs(fault) do
              rule[key] = value
            end
            configure {
              faults = json.array { rule }, refuse = json.array { "canary-id-5" },
              task_outcomes = json.array { "completed", "failed:correctable" },
            }
            local where = ("%s, %s %s, %d times"):format(on, fault.act, fault.status or "", times)
            local said, path = {}, world.path ".journal"
            local client = sandbox:client { api_key = KEY, loop = virtual.loop(sandbox.url) }
            local function note(event)
              said[#said + 1] = dump(event)
            end
            local res, err = client:run(SCRIPT, file_of(6),
              { journal = path, max_members = 3, on_event = note, on_reject = note })
            if res then
              res, err = res:wait { timeout = 600, on_event = note }
            end
            said[#said + 1] = dump(err)
            said[#said + 1] = tostring(err)
            said[#said + 1] = dump(res or err.result)
            local shown = res or err.result
            said[#said + 1] = shown and shown:json() or ""
            look(where .. ": what was said", table.concat(said, "\n"))
            look(where .. ": the journal", world.exists(path) and world.read(path) or "")
            look(where .. ": the client", tostring(client) .. dump(client.config or {}))
          end
        end
      end
    end
  end)

  it("stands in what the command prints or writes, for whatever goes wrong with rows and scripts", function()
    configure { refuse = json.array { "canary-id-4" }, task_outcomes = json.array { "completed", "failed:terminal" } }
    local good = file_of(6)
    -- a first row of people, not a header
    local short = world.file(("canary-id-1,canary.mail1@example.org,+12065550101\n"):rep(3), ".csv")
    local broken = file_of(2,
      'canary-id-9,"canary.mail9@example.org,+12065550109\n"x"y,canary.mail8@example.org\ncanary.mail7@example.org\n')
    local lines = world.file('{"customer":"canary-id-1","mail":"canary.mail1@example.org",'
      .. '"canary.mail2@example.org":1}\n'
      .. '{"customer":"canary-id-2" "mail"}\n[1]\n', ".jsonl")
    local raising = world.file([[return {
      audience = "crm", member = function(row) error("no " .. row.mail .. " of " .. row.customer) end,
    }]], ".lua")
    local rejecting = world.file([[return { audience = "crm", member = function(row) return nil, "gold only" end }]],
      ".lua")
    local function map(...)
      return { "--audience", "crm", "--map", "external_id=customer", "--map", "email=mail", ... }
    end
    local cases = {
      { "sync", good, map() }, { "sync", good, map("--map", "phone=tel", "--map", "uid:crm=own") },
      { "sync", good, map("--strict", "--no-repair") },
      { "sync", good, { "--audience", "crm", "--map", "external_id=mail", "--map", "email=mail" } }, -- emails as ids
      { "sync", good, { "--audience", "crm", "--map", "external_id=customer", "--map", "uid:id5=mail" } },
      { "sync", good, { "--audience", "crm", "--map", "external_id=customer", "--map", "email=own" } },
      { "sync", good, { "--audience", "crm", "--map", "external_id=id", "--map", "email=mail" } },
      { "sync", short, map() }, { "sync", broken, map() }, { "sync", lines, map() }, { "run", raising, good },
      { "run", rejecting, good }, { "sync", good, map("--mode", "remove") },
    }
    for i, case in ipairs(cases) do
      for _, last in ipairs { {}, { "--json" }, { "--dry-run" } } do
        local args, path, rejects = {}, world.path ".journal", world.path ".rejects"
        for _, part in ipairs(case) do
          for _, word in ipairs(type(part) == "table" and part or { part }) do
            args[#args + 1] = word
          end
        end
        for _, word in ipairs { "--account", "25", "--base-url", sandbox.url, "--rejects", rejects, last[1] } do
          args[#args + 1] = word
        end
        if last[1] ~= "--dry-run" then
          args[#args + 1], args[#args + 2] = "--journal", path
        end
        local _, out, complaint = world.command(args, { env = "SCOPE3_API_KEY=" .. KEY })
        local where = ("case %d %s: "):format(i, last[1] or "")
        look(where .. "stdout", out)
        look(where .. "stderr", complaint)
        look(where .. "the rejects", world.exists(rejects) and world.read(rejects) or "")
        look(where .. "the journal", world.exists(path) and world.read(path) or "")
      end
    end
  end)

  it("stands in what the command prints of audiences, tasks and the installation", function()
    configure {}
    local client = sandbox:client { api_key = KEY, loop = virtual.loop(sandbox.url) }
    local res = assert(client:run(SCRIPT, file_of(3)))
    assert(res:wait())
    local env = { env = "SCOPE3_API_KEY=" .. KEY }
    for _, words in ipairs {
      { "audiences" }, { "audiences", "--json" },
      { "task", res.tasks[1].task_id }, { "task", res.tasks[1].task_id, "--json" },
      { "wait", res.tasks[1].task_id, "--audience", "crm" }, { "doctor" }, { "doctor", "--json" },
    } do
      for _, fault in ipairs { { act = "close" }, { act = "echo", status = 401 }, { act = "echo", status = 403 } } do
        fault.on, fault.times = "any", -1
        configure { faults = json.array { fault } }
        local args = { "--account", "25", "--base-url", sandbox.url }
        for j = #words, 1, -1 do
          table.insert(args, 1, words[j])
        end
        local _, out, complaint = world.command(args, env)
        look(table.concat(words, " "), out .. complaint)
      end
    end
    assert(scope3.null)
  end)
end)
