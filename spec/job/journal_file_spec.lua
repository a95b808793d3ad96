-- The file of a journal, byte for byte: what is read from it, what is repaired at its end, and what is refused.
local core = require "scope3.core"
local journal = require "scope3.job.journal"
local json = require "scope3.util.json"
local world = require "spec.support.world"

local JOB = { account = "25" }
local HEADER = '{"job":{"account":"25"},"type":"job","version":2}'
local BEGIN, ACCEPTED = '{"request":1,"type":"begin"}', '{"request":1,"task_id":"t","type":"accepted"}'

-- Lines of a journal as this version writes them: each seal covers the one before, the line's number and its record.
local function sealed(...)
  local lines, seal = {}, "scope3 journal 2"
  for i, record in ipairs { ... } do
    seal = core.sha256(("%s\n%d\n%s"):format(seal, i, record)):sub(1, 16)
    lines[i] = ("%s\t%d\t%s\n"):format(record, i, seal)
  end
  return table.concat(lines)
end

local function encoded(records)
  local list = {}
  for i, record in ipairs(records) do
    list[i] = json.encode(record)
  end
  return list
end

local function assert_free(path)
  local handle = assert(core.append_file(path))
  handle:close()
end

describe("the file of a journal", function()
  it("has a line for each record, which is sealed with its number and all lines before it", function()
    local path = world.path ".journal"
    local keeper = journal.file(path)
    assert(keeper:open(JOB))
    local begun = { request = 1 }
    assert(keeper:begin(begun))
    assert(keeper:accepted { request = 1, task_id = "t" })
    assert(keeper:ended { request = 1, status = "completed" })
    keeper:close()
    assert.equal(sealed(HEADER, BEGIN, ACCEPTED, '{"request":1,"status":"completed","type":"ended"}'), world.read(path))
    assert.same({ request = 1 }, begun)
    assert_free(path)
  end)

  -- A file; the records that are read, whether a line was taken away, and the file as it is left.
  local whole = sealed(HEADER, BEGIN)
  for what, case in pairs {
    ["that is empty begins with the job"] = { "", {}, nil, sealed(HEADER) },
    ["that has only the job has no record"] = { sealed(HEADER), {}, nil, sealed(HEADER) },
    ["gives its records in their order"] =
      { sealed(HEADER, BEGIN, ACCEPTED), { BEGIN, ACCEPTED }, nil, sealed(HEADER, BEGIN, ACCEPTED) },
    ["whose last line has all but its end is given that"] = { whole:sub(1, -2), { BEGIN }, nil, whole },
    ["whose only line has all but its end is given that"] =
      { sealed(HEADER):sub(1, -2), {}, nil, sealed(HEADER) },
    ["loses a last line that was written in part"] = { whole .. ACCEPTED:sub(1, 20), { BEGIN }, true, whole },
    ["loses a last line of one byte"] = { whole .. "{", { BEGIN }, true, whole },
    ["loses a last line without its number"] = { whole .. ACCEPTED, { BEGIN }, true, whole },
    ["begins anew where its first line was written in part"] = { HEADER:sub(1, 12), {}, true, sealed(HEADER) },
    ["begins anew where its first line was cut behind its account"] = { HEADER:sub(1, 24), {}, true, sealed(HEADER) },
    ["begins anew where its first line has no number"] = { HEADER, {}, true, sealed(HEADER) },
  } do
    it(what, function()
      local path = world.file(case[1])
      local keeper = journal.file(path)
      assert(keeper:open(JOB))
      assert.same({ case[2], case[3] }, { encoded(keeper:replay()), keeper.cut_short })
      assert.equal(case[4], world.read(path))
      assert(keeper:ended { request = 1 }) -- a record more goes where it belongs
      keeper:close()
      local again = journal.file(path)
      assert(again:open(JOB))
      case[2][#case[2] + 1] = '{"request":1,"type":"ended"}'
      assert.same(case[2], encoded(again:replay()))
      again:close()
    end)
  end

  -- A file, the code of the error, and what its message says of the journal.
  local older = HEADER:gsub('"version":2', '"version":1') .. "\t1\t0123456789abcdef\n"
  for what, case in pairs {
    ["that is a text is left alone"] = { "my notes\n", "damaged", "is no journal" },
    ["that is a text without a line end is left alone"] = { "my notes", "damaged", "is no journal" },
    ["that is JSON of another kind is left alone"] = { '{"job":{"account":"25"}}', "damaged", "is no journal" },
    ["that begins like one, in two lines, is left alone"] = { '{"jo\nb', "damaged", "is no journal" },
    ["of another version is left alone"] = { older, "damaged",
      "was written by another version of this library: name another journal, and every row is sent again" },
    ["whose first line has another seal is damaged there"] =
      { HEADER .. "\t1\t0123456789abcdef\n", "damaged", "is damaged at line 1, " },
    ["with a line of another place is damaged there"] =
      { sealed(HEADER, BEGIN) .. sealed(ACCEPTED), "damaged", "is damaged at line 3, " },
    ["with a line that is not numbered as it was is damaged there"] =
      { (whole:gsub("\t2\t", "\t02\t")), "damaged", "is damaged at line 2, " },
    ["with a line that is no JSON is damaged there"] =
      { sealed(HEADER, "begin"), "damaged", "is damaged at line 2, " },
    ["with a line that is no record is damaged there"] = { sealed(HEADER, "5"), "damaged", "is damaged at line 2, " },
    ["with a record of no type is damaged there"] = { sealed(HEADER, "{}"), "damaged", "is damaged at line 2, " },
    ["with a record of an odd type is damaged there"] =
      { sealed(HEADER, '{"type":5}'), "damaged", "is damaged at line 2, " },
    ["with an empty line is damaged there"] = { sealed(HEADER) .. "\n" .. "x", "damaged", "is damaged at line 2, " },
    ["with another byte for its last line end is damaged there"] =
      { whole:sub(1, -2) .. "\r", "damaged", "is damaged at line 2, so it cannot say what was sent. "
        .. "Bring it back from a copy; or name another journal, and every row is sent again" },
    ["of no job is another's"] = { sealed '{"job":5,"type":"job","version":2}', "another_job",
      "belongs to another job: its first line is no job's. " },
    ["of another account is another's"] = { sealed '{"job":{"account":"26"},"type":"job","version":2}', "another_job",
      "belongs to another job: account was 26 and is now 25. Give the same again, or name another journal" },
    ["of a job with an option more is another's"] =
      { sealed '{"job":{"account":"25","zone":"x"},"type":"job","version":2}', "another_job",
        "zone was x and is now nil. " },
    ["of a job with an option less is another's"] =
      { sealed '{"job":{},"type":"job","version":2}', "another_job", "account was nil and is now 25. " },
    ["tells what differs first, by name"] =
      { sealed('{"job":{"c":"","f":"","b":"","h":"","e":"","aa":"y","k":"","g":"","j":"","d":"","i":""},'
        .. '"type":"job","version":2}'), "another_job", "another job: aa was y and is now nil. " },
  } do
    it(what, function()
      local path = world.file(case[1])
      local ok, err = journal.file(path):open(JOB)
      assert.same({ nil, "journal", case[2] }, { ok, err.kind, err.code })
      assert.equal(("the journal %s "):format(path), err.message:sub(1, #path + 13))
      assert.truthy(err.message:find(case[3], 1, true), err.message)
      assert.equal(case[1], world.read(path))
      assert_free(path)
    end)
  end

  it("that cannot be made says why", function()
    local ok, err = journal.file("/no/such/folder/journal"):open(JOB)
    assert.same({ nil, "unusable", "the journal /no/such/folder/journal cannot be opened: No such file or directory" },
      { ok, err.code, err.message })
  end)
end)

describe("a journal that was let go", function()
  local path, keeper
  before_each(function()
    path = world.path ".journal"
    keeper = journal.file(path)
    assert(keeper:open(JOB))
    assert(keeper:begin { request = 1 })
    keeper:close()
  end)

  local function refused()
    local ok, err = keeper:accepted { request = 1, task_id = "t" }
    assert.is_nil(ok)
    return err.code, err.message:sub(#path + 14)
  end

  it("is taken again by the next record, and goes on where it was", function()
    assert(keeper:accepted { request = 1, task_id = "t" })
    assert.equal(sealed(HEADER, BEGIN, ACCEPTED), world.read(path))
    keeper:close()
    keeper:close()
    assert_free(path)
  end)

  it("is opened once more as if it had never been", function()
    local other = world.file(sealed(HEADER, BEGIN) .. "{")
    os.rename(other, path)
    keeper = journal.file(path)
    for _, is_cut in ipairs { true, false } do
      assert(keeper:open(JOB))
      assert.same({ { BEGIN }, is_cut or nil }, { encoded(keeper:replay()), keeper.cut_short })
      keeper:close()
    end
    assert(keeper:accepted { request = 1, task_id = "t" })
    assert.equal(sealed(HEADER, BEGIN, ACCEPTED), world.read(path))
    keeper:close()
  end)

  it("is left to the run that went on with it", function()
    world.write(path, sealed(HEADER, BEGIN, ACCEPTED))
    assert.same({ "another_run", "was continued by another run of this job: follow that one" }, { refused() })
    assert.equal(sealed(HEADER, BEGIN, ACCEPTED), world.read(path))
    assert_free(path)
  end)

  it("is not made again where it is gone", function()
    os.remove(path)
    assert.same({ "missing", "is gone: another run of this job ended and put it away, or somebody removed it" },
      { refused() })
    assert.is_nil(io.open(path))
  end)

  it("is not written to while another process has it", function()
    local held = assert(core.append_file(path))
    assert.same({ "locked", "is in use by another process, which runs this job: wait for it, or stop it" },
      { refused() })
    held:close()
    assert(keeper:accepted { request = 1, task_id = "t" })
    keeper:close()
  end)

  it("is not written to where it was moved or changed while a job had it", function()
    local moved = world.path ".moved"
    assert(keeper:accepted { request = 1, task_id = "t" })
    os.rename(path, moved)
    local ok, err = keeper:ended { request = 1 }
    assert.same({ nil, "moved" }, { ok, err.code })
    assert.truthy(err.message:find("is not where it was: it was moved or removed. What this run sent stands in the "
      .. "file that was moved: bring it back, and run the same command again", 1, true), err.message)
    os.rename(moved, path)
    world.write(path, "x")
    ok, err = keeper:ended { request = 1 }
    assert.same({ nil, "changed" }, { ok, err.code })
    assert.truthy(err.message:find("is not as this run left it: somebody else changed it. "
      .. "Only one run of a job may write to its journal", 1, true), err.message)
    keeper:close()
  end)
end)

-- The disk is what fails here: handles of the core with some of their methods put over them.
describe("a journal whose disk fails", function()
  local path, keeper, failing, calls
  local plain = core.append_file

  local function handle_over(handle)
    return setmetatable({}, { __index = function(_, name)
      return function(_, ...)
        calls[name] = (calls[name] or 0) + 1
        if failing[name] then
          return failing[name]()
        end
        return handle[name](handle, ...)
      end
    end })
  end

  before_each(function()
    path, failing, calls = world.path ".journal", {}, {}
    keeper = journal.file(path)
    core.append_file = function(...)
      local handle, why, code = plain(...)
      return handle and handle_over(handle), why, code
    end
  end)
  after_each(function()
    core.append_file = plain
  end)

  local function full(code)
    return function()
      return nil, "No space left on device", code
    end
  end

  local function assert_refused(code, text, ok, err)
    assert.same({ nil, "journal", code, ("the journal %s %s"):format(path, text) },
      { ok, err.kind, err.code, err.message })
  end

  it("while it is read is not opened, and let go", function()
    world.write(path, sealed(HEADER, BEGIN))
    failing.read = full()
    assert_refused("unusable", "cannot be read: No space left on device", keeper:open(JOB))
    assert_free(path)
  end)

  for what, case in pairs {
    ["without its last line end"] = { sealed(HEADER, BEGIN):sub(1, -2), "append" },
    ["with a part of a line"] = { sealed(HEADER, BEGIN) .. "{", "truncate" },
  } do
    it(what .. " is not opened where that cannot be repaired", function()
      world.write(path, case[1])
      failing[case[2]] = full()
      assert_refused("unusable", "cannot be repaired: No space left on device", keeper:open(JOB))
      assert.equal(case[1], world.read(path))
      assert_free(path)
    end)
  end

  it("is not opened where the job cannot be noted", function()
    failing.append = full()
    assert_refused("unusable", "cannot be written: No space left on device", keeper:open(JOB))
    keeper:close()
    assert_free(path)
  end)

  it("takes the next record where nothing of the last one was written", function()
    assert(keeper:open(JOB))
    failing.append = full()
    assert_refused("unusable", "cannot be written: No space left on device", keeper:begin { request = 1 })
    failing.append = nil
    assert(keeper:begin { request = 1 })
    assert.equal(sealed(HEADER, BEGIN), world.read(path))
    keeper:close()
  end)

  it("takes nothing behind a record that may be there in part, until it is opened again", function()
    assert(keeper:open(JOB))
    failing.append = full "torn"
    for _ = 1, 2 do
      assert_refused("unusable", "cannot be written: No space left on device", keeper:begin { request = 1 })
      assert.equal(2, calls.append)
    end
    failing.append = nil
    keeper:close()
    assert(keeper:open(JOB))
    assert(keeper:begin { request = 1 })
    assert.equal(sealed(HEADER, BEGIN), world.read(path))
    keeper:close()
  end)

  it("tells a child of fork that it may not write", function()
    assert(keeper:open(JOB))
    failing.append = function()
      return nil, "it is its parent's", "forked"
    end
    assert_refused("forked", "cannot be written: it is its parent's", keeper:begin { request = 1 })
    keeper:close()
  end)

  -- Whether another run wrote to it meanwhile cannot be said then, and is not.
  local UNKNOWN = "cannot be compared with what this run left in it: not enough memory. Run the same again, and it "
    .. "goes on"

  local function no_memory()
    error("not enough memory", 0)
  end

  it("is let go where memory runs out, and takes no further record", function()
    assert(keeper:open(JOB))
    failing.state = no_memory
    keeper:close()
    assert_free(path)
    failing.state = nil
    assert_refused("unusable", UNKNOWN, keeper:begin { request = 1 })
    assert_free(path)
    assert.equal(sealed(HEADER), world.read(path))
  end)

  it("is let go where memory runs out as it is taken again, and takes the next record later", function()
    assert(keeper:open(JOB))
    keeper:close()
    failing.state = no_memory
    assert_refused("unusable", UNKNOWN, keeper:begin { request = 1 })
    assert_free(path)
    failing.state = nil
    assert(keeper:begin { request = 1 })
    keeper:close()
    assert.equal(sealed(HEADER, BEGIN), world.read(path))
  end)

  it("is another's where that wrote to it meanwhile", function()
    assert(keeper:open(JOB))
    keeper:close()
    world.write(path, sealed(HEADER, BEGIN))
    assert_refused("another_run", "was continued by another run of this job: follow that one",
      keeper:begin { request = 1 })
    assert_free(path)
  end)
end)
