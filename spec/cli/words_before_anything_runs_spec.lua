-- What the command makes of its words before anything runs, and how it says what the library says.
local advice = require "scope3.cli.advice"
local argparse = require "argparse"
local argv = require "scope3.cli.argv"
local context = require "scope3.cli.context"
local errors = require "scope3.error"
local job_args = require "scope3.cli.job_args"
local messages = require "scope3.cli.messages"
local output = require "scope3.cli.output"
local parser = require "scope3.cli.parser"
local usage = require "scope3.cli.usage"
local world = require "spec.support.world"

describe("the words of the command line", function()
  local root = parser.build(argparse, "1.0", function()
    return function() end
  end)

  local VALUES = {
    ["--audience"] = "a", ["--map"] = "email=mail", ["--mode"] = "remove", ["--rate"] = "5", ["--max-bytes"] = "5",
    ["--max-members"] = "5", ["--in-doubt-timeout"] = "5", ["--patience"] = "5", ["--timeout"] = "5",
    ["--deadline"] = "5", ["--journal"] = "j", ["--rejects"] = "r", ["--limiter"] = "l", ["--delimiter"] = ";",
    ["--quote"] = "none", ["--escape"] = "none", ["--null"] = "x", ["--skip-lines"] = "1", ["--encoding"] = "latin1",
    ["--format"] = "csv", ["--region"] = "US", ["--ids"] = "hash", ["--phone-repairs"] = "all", ["--concurrency"] = "2",
    ["--min-accepted"] = "1", ["--max-rejected"] = "1", ["--account"] = "25", ["--base-url"] = "u", ["--ca-file"] = "c",
    ["--delete-missing"] = "all", ["--name"] = "n", ["--consent-basis"] = "consent",
    ["--metrics"] = "m.prom",
  }
  local FLAGS = { "--dry-run", "--sandbox", "--json", "--quiet", "-q", "--strict", "--allow-empty", "--require-ready",
    "--no-header", "--no-repair", "--unique", "--keep-going" }

  it("are the options of a sync, each with its value", function()
    for option, value in pairs(VALUES) do
      local fine, args = root:pparse { "sync", "f.csv", option, value }
      assert.is_true(fine, option .. ": " .. tostring(args))
      local key = option:sub(3):gsub("-", "_")
      assert.is_not_nil(args[key], option)
    end
    for _, option in ipairs(FLAGS) do
      local fine, args = root:pparse { "sync", "f.csv", option }
      assert.is_true(fine, option .. ": " .. tostring(args))
    end
    assert.is_false((root:pparse { "sync", "f.csv", "--nosuch" }))
  end)

  it("are the options of a sandbox, a wait and the others", function()
    for _, words in ipairs {
      { "sandbox", "--port", "5", "--task-seconds", "1", "--rate-limit", "5", "--set", "a=b" },
      { "wait", "t", "--audience", "a", "--timeout", "5", "--patience", "5", "--require-ready" },
      { "task", "t", "--json" }, { "audiences", "--json" }, { "doctor", "--json" }, { "help", "sync" },
      { "hash", "email", "a@b.co", "--json" },
    } do
      local fine, args = root:pparse(words)
      assert.is_true(fine, table.concat(words, " ") .. ": " .. tostring(args))
    end
  end)

  local DASH = "a value that begins with a dash is taken for an option: put -- before the values"
  for _, case in ipairs {
    { { "sync", "--rate", "5" } }, { { "sync", "--rate", "x" }, "--rate takes a number, not 'x'" },
    { { "sync", "--rate=x" }, "--rate takes a number, not 'x'" }, { { "sync", "--rate=5", "x" } },
    { { "sync", "--rate", "-5" }, "--rate takes a number that is not negative, not -5" },
    { { "sync", "--max-bytes", "x" }, "--max-bytes takes a number, not 'x'" },
    { { "sync", "--skip-lines", "x" }, "--skip-lines takes a number, not 'x'" },
    { { "sync", "--port", "x" }, "--port takes a number, not 'x'" },
    { { "sync", "--wait", "--json" } }, { { "sync", "--wait", "5" } }, { { "sync", "--wait" } },
    { { "sync", "--wait=5" } }, { { "run", "--wait", "f.csv" }, "--wait takes a number of seconds, not 'f.csv' (put "
      .. "--wait behind the other words, or write --wait=SECONDS)" },
    { { "run", "--wait=-x" }, "--wait takes a number of seconds, not '-x' (put --wait behind the other words, or write "
      .. "--wait=SECONDS)" },
    { { "sync", "--wait", "-5" }, "--wait takes a number that is not negative, not -5" },
    { { "doctor", "--wait", "x" } }, { { "sync", "x" } }, { { "sync", "--audience", "-5" } },
  } do
    it("have numbers where they are due: " .. table.concat(case[1], " "), function()
      assert.equal(case[2], (argv.number_problem(case[1])))
    end)
  end

  for _, case in ipairs {
    { { rate = 5 } }, { { rate = 1.5 }, "--rate must be a whole number, 1 or more, not a number with a fraction" },
    { { max_bytes = 0 }, "--max-bytes must be a whole number, 1 or more, not 0" }, { {} },
  } do
    it("have whole numbers where they are due: " .. tostring(case[2]), function()
      assert.equal(case[2], (argv.count_problem(case[1])))
    end)
  end

  for _, case in ipairs {
    { "unknown option '-5'", { "hash", "phone", "-5" }, DASH },
    { "unknown option '-5'", { "sync", "--audience", "-5" }, "--audience takes no value that begins with a dash" },
    { "unknown option '-x'", { "sync", "-x" }, "unknown option '-x'" }, { "other", { "-5" }, "other" }, { 5, {}, 5 },
  } do
    it("are explained: " .. tostring(case[3]), function()
      assert.equal(case[3], argv.explain(case[1], case[2]))
    end)
  end

  it("ask for JSON before two dashes", function()
    assert.same({ true, true, false, false }, { argv.asks_for_json { "hash", "--json" },
      argv.asks_for_json { "--json=x" }, argv.asks_for_json { "--", "--json" }, argv.asks_for_json { "--jsonx" } })
  end)

  for i, case in ipairs {
    { { command = "sandbox", port = 65535 } }, { { command = "sandbox", port = 0 } },
    { { command = "sandbox", port = 40000.5 }, "--port takes a whole number from 0, for a free one, to 65535" },
    { { command = "sandbox", port = 65536 }, "--port takes a whole number from 0, for a free one, to 65535" },
    { { command = "sandbox", task_seconds = -1 }, "--task-seconds takes a number of seconds, 0 or more" },
    { { command = "sync", min_accepted = 1 } },
    { { command = "sync", min_accepted = 0 }, "--min-accepted takes a whole number of members, 1 or more" },
    { { command = "sync", min_accepted = 2 ^ 53 } },
    { { command = "sync", min_accepted = 2 ^ 53 + 2 }, "--min-accepted takes a whole number of members, 1 or more" },
    { { command = "sync", max_rejected = "x" }, "--max-rejected takes a number of rows, or a share such as 5%" },
    { { command = "sync", require_ready = true },
      "--require-ready needs --wait: an audience is READY only after its tasks" },
    { { command = "sync", dry_run = true, wait = {} }, "--wait has no effect with --dry-run, which sends nothing" },
    { { command = "sync", wait = {} } }, { { command = "sync", dry_run = true } },
    { { command = "sync", wait = { "-1" } }, "--wait takes a number of seconds, 0 or more" },
    { { command = "sync", rejects = "-", json = true },
      "--rejects - has no effect with --json: standard output takes the one or the other" },
    { { command = "sync", file = { "x", "" } }, "the name of a file is empty" },
    { { command = "sync", region = "" }, "--region is empty" }, { { command = "sync", quote = "" } },
    { { command = "sync", journal = "", rejects = "" }, "--journal is empty" },
    { { command = "sync", delete_missing = " , " }, "--delete-missing is empty" },
    { { command = "run", script = "" }, "the name of the script is empty" },
    { { command = "sync", journal = "-" }, "--journal takes the path of a file, and cannot be -" },
    { { command = "sync", sandbox = true, base_url = "u" },
      "--sandbox and --base-url contradict each other: a private sandbox has its own address" },
    { { command = "sync", ca_file = "c", base_url = "HTTP://x" },
      "--ca-file has no effect on a --base-url of plain http" },
    { { command = "sync", ca_file = "c", base_url = "https://x" } },
    { { command = "task", id = "a b" }, "the id has not the form of a task's: 1 to 255 of A-Z a-z 0-9 . _ : ~ -" },
    { { command = "task", id = "t", sandbox = true },
      "--sandbox has no effect on task: a private sandbox has no tasks" },
    { { command = "wait", id = "t", patience = -1 }, "--patience takes a number of seconds, 0 or more" },
    { { command = "wait", id = "t", require_ready = true },
      "--require-ready needs --audience: a task alone is not READY" },
    { { command = "doctor", quiet = true, json = true }, "--quiet has no effect with --json" },
    { { command = "hash", kind = "phone", no_repair = true }, "--no-repair is for emails and ids" },
  } do
    it(("are looked through, case %d: %s"):format(i, tostring(case[2])), function()
      assert.equal(case[2], (usage.problem(case[1])))
    end)
  end
end)

describe("a job", function()
  teardown(world.clean)

  it("has the map of the words, with numbers where there is no header", function()
    local function map_of(more)
      local args = { command = "sync", map = { "external_id=1", "email=#2" } }
      for key, value in pairs(more or {}) do
        args[key] = value
      end
      return job_args.script(args)
    end
    assert.same({ map = { external_id = { "1" }, email = { "#2" } } }, map_of())
    assert.same({ map = { external_id = { 1 }, email = { 2 } } }, map_of { no_header = true })
    local none, why, misused = map_of { no_header = true, map = { "external_id=id", "email=2" } }
    assert.same({ false, "--no-header: --map external_id must be a column number, not 'id'", true },
      { none or false, why, misused })
    none, why, misused = map_of { map = { "email=2" } }
    assert.same({ false, "--map external_id=COLUMN is missing: the column that tells customers apart; "
      .. "scope3 look FILE proposes a map", true }, { none or false, why, misused })
  end)

  it("has the error of its script", function()
    local none, err = job_args.script { command = "run", script = world.file('error("own", 0)', ".lua") }
    assert.same({ false, "script", "own" }, { none or false, err.kind, err.message })
    local why, misused
    none, why, misused = job_args.script { command = "run", script = world.file("id,mail\n", ".csv") }
    assert.same({ false, true, true }, { none or false, why:find("is not a script", 1, true) ~= nil, misused })
  end)

  it("has the audience of the script, and the words in place of it", function()
    local script = { audience = { id = "s", name = "S", consent_basis = "consent" } }
    assert.same({ id = "s", name = "S", consent_basis = "consent" }, job_args.audience({}, script))
    assert.same({ id = "a", name = "A", consent_basis = "contract" },
      job_args.audience({ audience = "a", name = "A", consent_basis = "contract" }, script))
    assert.same({ id = "s" }, job_args.audience({}, { audience = "s" }))
  end)

  it("waits as long as was said, and else for long", function()
    assert.is_nil(job_args.wait_seconds {})
    assert.same({ 5, 5, 0 }, { job_args.wait_seconds { wait = { "5" } }, job_args.wait_seconds { wait = "5" },
      job_args.wait_seconds { wait = { "0" } } })
    assert.is_true(job_args.wait_seconds { wait = {} } > 3600)
  end)

  local MISSING = "--audience is missing: the id of the audience that the rows go to"
  for i, case in ipairs {
    { {}, {}, MISSING }, { {}, { audience = {} }, MISSING }, { {}, { audience = { id = "a" } } },
    { { command = "run" }, {}, "--audience is missing: the script names no audience" },
    { { audience = " " }, {}, "--audience is empty: it takes the id of an audience" }, { { audience = "a" }, {} },
    { { audience = "a", journal = "/no/a/x", rejects = "/no/b/x" }, {} },
    { { audience = "a", journal = "/no/a/x", rejects = "/no/a/x" }, {},
      "--rejects and --journal are the same file, /no/a/x, which would be overwritten" },
    { { audience = "a", file = { "f.jsonl" } }, { delimiter = ";" },
      "the script's delimiter has no effect on JSON Lines" },
    { { audience = "a", file = { "f.jsonl" } }, {} }, { { audience = "a", file = { "f.csv" } }, { delimiter = ";" } },
    { { audience = "a", dry_run = true, limiter = "l" }, {},
      "--limiter has no effect on a dry run, which talks to nobody" },
    { { audience = "a", dry_run = true, journal = "j" }, {},
      "--journal has no effect on a dry run, which sends nothing" },
  } do
    it(("is looked through before it runs, case %d: %s"):format(i, tostring(case[3])), function()
      local args = case[1]
      args.command, args.file = args.command or "sync", args.file or { "f.csv" }
      assert.equal(case[3], (usage.of_job(args, case[2], {})))
    end)
  end
end)

describe("what the library says", function()
  for problem, case in pairs {
    ["delimiter must be one character"] = { { delimiter = "x" }, "--delimiter must be one character" },
    ["repair must be true"] = { { no_repair = true }, "--no-repair must be true" },
    ["header must be true"] = { { no_header = true }, "--no-header must be true" },
    ["max_bytes is max_members"] = { { max_bytes = 5, max_members = 5 }, "--max-bytes is max_members" },
    ["quote is given, and takes none"] = { { quote = "x" }, "--quote is given, and takes none" },
    ["rate must be"] = { {}, "rate must be" },
    ["rate takes a number and must be"] = { { script = "s.lua" }, "the script's rate takes a number and must be" },
    rate = { { rate = 5 }, "--rate" }, ["account_id is wrong"] = { { account = "x" }, "--account is wrong" },
    ["the file is rate"] = { { rate = 5 }, "the file is rate" },
    ["--rate is rate"] = { { rate = 5 }, "--rate is rate" },
  } do
    it("is said in the words of the command: " .. problem, function()
      assert.equal(case[2], messages.problem(problem, case[1]))
    end)
  end

  for raised, said in pairs {
    ["x.lua:5: client:run: rate must be a number"] = "--rate must be a number",
    ["client:run: rate must be a number"] = "--rate must be a number",
    ["scope3.csv: rate must be a number"] = "--rate must be a number", ["x.lua:5: attempt to call nil"] = false,
  } do
    it("is a misuse where a function of it raised: " .. raised, function()
      assert.equal(said or nil, (messages.misuse(raised, { rate = 5 })))
    end)
  end

  it("of one option is said in its own words, and is a wrong usage", function()
    local err, is_usage = messages.of(errors.invalid("client:run", { { path = "rate", message = "is too high" } }),
      { rate = 5 })
    assert.same({ "usage", "--rate is too high", true }, { err.kind, err.message, is_usage })
    err, is_usage = messages.of(errors.invalid("client:run", { { path = "rate", message = "is odd" },
      { path = "other", message = "is odd" } }), { rate = 5 })
    assert.same({ "usage", "--rate", "other", true }, { err.kind, err.issues[1].path, err.issues[2].path, is_usage })
    err, is_usage = messages.of(errors.invalid("client:run", { { message = "is odd" } }), {})
    assert.same({ "invalid", false }, { err.kind, is_usage })
    assert.same({ "text", false }, { messages.of("text", {}) })
  end)

  for kind, goes_on in pairs {
    timeout = true, network = true, cancelled = true, rate_limited = true, invalid = false,
  } do
    it(("of a wait that ended as %s %s"):format(kind, goes_on and "goes on" or "does not go on"), function()
      assert.equal(goes_on, context.goes_on(errors.new(kind, "x")))
    end)
  end

  it("of a wait that ended by a reply goes on from status 500", function()
    for status, goes_on in pairs { [499] = false, [500] = true, [503] = true } do
      assert.equal(goes_on, context.goes_on(errors.new("http", "x", { status = status })))
    end
    assert.is_false(context.goes_on(errors.new("http", "x")))
  end)

  it("of a service in another place is said with its options", function()
    assert.equal("", context.service_options {})
    assert.equal(" --account 25 --base-url 'http://x y' --ca-file c",
      context.service_options { account = "25", base_url = "http://x y", ca_file = "c" })
  end)

  it("of a journal is said with the way on", function()
    local path = world.file "x"
    local function after(err, res, args)
      return advice.after(args or { journal = path }, err, res)
    end
    local network, old = errors.new("network", "x"), errors.new("journal", "x", { code = "another_job" })
    assert.same({ "run the same command again to go on: " .. path .. " knows what was sent" },
      after(network, { tasks = {} }))
    assert.same({}, after(network, nil))
    assert.same({}, after(network, { tasks = {} }, { journal = path .. ".nosuch" }))
    assert.same({ "a journal is of one job and its rows. For new rows name a new one, such as --journal "
      .. "a/b-$(date +%F).journal; remove a/b.journal once its job is done" },
      after(old, nil, { journal = "a/b.journal" }))
    assert.same({ "the service goes on with what it has; follow it with:  scope3 wait t --audience a" },
      after(network, { tasks = { { task_id = "t" } }, audience = { audience_id = "a" } }, { wait = {} }))
  end)

  it("is an object for machines, with what an error has", function()
    local issues = {}
    for i = 1, 21 do
      issues[i] = { path = i > 1 and "p" .. i or nil, message = "m" .. i }
    end
    local found = output.error_of(errors.new("invalid", "bad", { issues = issues, field = "f", task_id = "t" }))
    assert.same({ "invalid", "f", "t", 21, "p21" }, { found.kind, found.field, found.task_id, #found.issues,
      found.issues[21].path })
    assert.truthy(found.message:find("^bad: m1; p2 m2; .*; p20 m20; …$"), found.message)
    local two = output.error_of(errors.new("invalid", "bad", { issues = { issues[1], issues[2] } }))
    assert.equal("bad: m1; p2 m2", two.message)
    issues[21] = nil
    assert.truthy(output.error_of(errors.new("invalid", "bad", { issues = issues })).message:find("; p20 m20$"))
    assert.equal("bad", output.error_of(errors.new("invalid", "bad", { issues = { issues[1] } })).message)
    found = output.error_of("scope3: x", "usage")
    assert.same({ "usage", "x" }, { found.kind, found.message })
  end)
end)
