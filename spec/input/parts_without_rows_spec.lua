-- Empty parts of an output, as Spark writes them, and the marks next to them are left out with a warning.
local scope3 = require "scope3"
local world = require "spec.support.world"

local SCRIPT = { audience = "a", map = { external_id = "id", email = "mail" } }
local ROWS = "id,mail\n%d,p%d@example.org\n"

local function folder(files)
  local path = world.path()
  assert(os.execute("mkdir " .. path))
  for name, text in pairs(files) do
    world.write(path .. "/" .. name, text)
  end
  return path
end

local function rows(n)
  return (ROWS:gsub("%%d", tostring(n)))
end

local function sync(path)
  return world.command {
    "sync", path, "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--dry-run",
  }
end

local function run(paths, opts)
  opts = opts or {}
  opts.dry_run = opts.dry_run == nil and true or opts.dry_run
  return scope3.client {}:run(SCRIPT, paths, opts)
end

local function warned(res)
  local found = {}
  for _, warning in ipairs(res.warnings) do
    found[#found + 1] = warning.code .. " " .. warning.file:match "[^/]*$"
  end
  table.sort(found)
  return found
end

describe("parts of one output", function()
  local made = {}

  teardown(function()
    for _, path in ipairs(made) do
      os.execute("rm -r " .. path)
    end
    world.clean()
  end)

  local function parts(files)
    local path = folder(files)
    made[#made + 1] = path
    return path
  end

  it("that are empty are left out, each with a warning, wherever they stand and however they are empty", function()
    local path = parts { ["a.csv"] = "", ["b.csv"] = rows(1), ["c.csv"] = "\n\r\n", ["d.csv"] = rows(2),
      ["e.csv"] = "\239\187\191", ["f.csv"] = "" }
    assert(os.execute(("gzip -c %s/a.csv > %s/g.csv.gz"):format(path, path)))
    local res = assert(run(path .. "/*"))
    assert.same({ 2, 2 }, { res.rows, res.would_send })
    assert.same({
      "empty_file a.csv", "empty_file c.csv", "empty_file e.csv", "empty_file f.csv", "empty_file g.csv.gz",
    },
      warned(res))
    path = parts { ["a.jsonl"] = "", ["b.jsonl"] = '{"id":1,"mail":"a@example.org"}\n', ["c.jsonl"] = "" }
    res = assert(run(path .. "/*"))
    assert.same({ 1, { "empty_file a.jsonl", "empty_file c.jsonl" } }, { res.would_send, warned(res) })
  end)

  it("have marks next to them, which are left out too, whatever stands in them", function()
    local path = parts { _SUCCESS = '{"success":true}\n', _committed_123 = '{"added":[]}', _started_123 = "",
      [".part-0.csv.crc"] = "crc\0\0\0\2\0", ["part-0.csv"] = rows(1) }
    local res = assert(run { path .. "/*", path .. "/.part-0.csv.crc" })
    assert.same({ 1, { "mark_left_out .part-0.csv.crc", "mark_left_out _SUCCESS", "mark_left_out _committed_123",
      "mark_left_out _started_123" } }, { res.would_send, warned(res) })
  end)

  it("that are all empty are the empty input that one is", function()
    local path = parts { ["a.csv"] = "", ["b.csv"] = "", ["a.jsonl"] = "", ["b.jsonl"] = "", _SUCCESS = "" }
    for _, pattern in ipairs { path .. "/*.csv", path .. "/*.jsonl", path .. "/[_a]*" } do
      local res, err = run(pattern)
      assert.is_nil(res)
      assert.same({ "source", "empty" }, { err.kind, err.code }, pattern)
      assert.equal(3, (sync(pattern)))
    end
  end)

  it("with other columns keep their error, and so does what alone is given", function()
    local path = parts { ["a.csv"] = "", ["b.csv"] = rows(1), ["c.csv"] = "other,x\n1,2\n" }
    local _, err = run(path .. "/*")
    assert.truthy(tostring(err):find("there is no column", 1, true), tostring(err))
    _, err = run(path .. "/a.csv")
    assert.equal("empty", err.code)
  end)

  it("that are pipes and give nothing stop the job: what failed writes nothing, too", function()
    local path = parts { ["b.csv"] = rows(1) }
    local pipe = world.path(".pipe")
    assert(os.execute(("mkfifo %s; (true > %s) &"):format(pipe, pipe)))
    local res, err = run { path .. "/b.csv", pipe }
    assert.is_nil(res)
    assert.same({ "source", "empty_pipe" }, { err.kind, err.code })
    assert.truthy(err.message:find("nothing of the others was sent", 1, true), err.message)
  end)

  it("are resumed with their journal, and sent again, with the same rows", function()
    local sandbox = world.sandbox { task_seconds = 0 }
    local path = parts { ["a.csv"] = "", ["b.csv"] = rows(1), ["c.csv"] = "", ["d.csv"] = rows(2) }
    local journal = world.path(".journal")
    for _, resumed in ipairs { 0, 2 } do
      local res = assert(sandbox:client():run(SCRIPT, path .. "/*", { journal = journal }))
      assert.same({ 2, resumed, 2 }, { res.accepted, res.resumed, #warned(res) })
    end
    sandbox:close()
  end)

  it("shows them on the command line", function()
    local path = parts { ["a.csv"] = "", ["b.csv"] = rows(1) }
    local code, out = sync(path .. "/*")
    assert.equal(0, code)
    assert.truthy(out:find("a.csv: the file is empty, and was left out", 1, true), out)
  end)
end)
