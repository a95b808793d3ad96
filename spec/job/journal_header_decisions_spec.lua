-- What a journal is told of its job, word for word: later runs and versions compare it. And what cannot be resumed.
local errors = require "scope3.error"
local identity = require "scope3.identity"
local scope3 = require "scope3"
local world = require "spec.support.world"

local MAP = { external_id = "id", email = "email", phone = "tel" }
local COLUMNS = "id,email,tel\n"
local URL = "http://127.0.0.1:9"

-- Runs a job whose journal refuses it. Gives what the journal was told, and the error.
local function told(opts, input, script)
  local header
  local function nothing() end
  local keeper = { replay = nothing, begin = nothing, accepted = nothing, ended = nothing, close = nothing }
  function keeper.open(_, job)
    header = job
    return nil, errors.new("journal", "this is as far as it goes")
  end
  local client = scope3.client { api_key = "scope3_test_key", account_id = "25", base_url = URL }
  local all = { journal = keeper }
  for key, value in pairs(opts) do
    all[key] = value
  end
  local res, err = client:run(script or { map = MAP, audience = "a" }, input, all)
  assert.is_nil(res)
  return header, err
end

local function plain()
  return {
    service = URL .. "/api/v2/buyer", account = "25", audience = "a", name = "", consent_basis = "",
    max_members = 100000, max_bytes = 67108864, mode = "upsert", by = "map", epochs = false,
    identity = identity.version, ids = "refuse", repair = true, region = "", phone_repairs = "",
    delimiter = "", quote = "", escape = "", null = "", skip_lines = "", encoding = "", header = "", format = "",
  }
end

describe("a journal is told", function()
  -- Options of the job, and what they change of what the journal is told. What is the default changes nothing. Then the
  -- file, where it is written otherwise.
  for what, case in pairs {
    ["of a plain job, where its members go and how they are made"] = { {}, {} },
    ["the audience's name"] = { { audience = { id = "a", name = "The A" } }, { name = "The A" } },
    ["the basis of consent"] = { { audience = { id = "b", consent_basis = "consent" } },
      { audience = "b", consent_basis = "consent" } },
    ["the limits of a request"] = { { max_members = 7, max_bytes = 5000 }, { max_members = 7, max_bytes = 5000 } },
    ["that members are removed"] = { { mode = "remove" }, { mode = "remove" } },
    ["nothing of the usual mode"] = { { mode = "upsert" }, {} },
    ["that repeats are looked for"] = { { unique = true }, { epochs = true } },
    ["nothing of repeats that are not looked for"] = { { unique = false, concurrency = 1 }, {} },
    ["that two requests go at once"] = { { concurrency = 2 }, { epochs = true } },
    ["that four requests go at once"] = { { concurrency = 4 }, { epochs = true } },
    ["that emails are not repaired"] = { { repair = false }, { repair = false } },
    ["nothing of repairs that are usual"] = { { repair = true }, {} },
    ["what becomes of raw ids"] = { { ids = "hash" }, { ids = "hash" } },
    ["nothing of raw ids that are refused"] = { { ids = "refuse" }, {} },
    ["the region of phones"] = { { region = "DE" }, { region = "DE" } },
    ["the repair of phones"] = { { phone_repairs = { "plus" } }, { phone_repairs = "plus" } },
    ["the repairs of phones in one text"] =
      { { phone_repairs = { "plus", "trunk_zero" } }, { phone_repairs = "plus,trunk_zero" } },
    ["the spelling of columns"] = { { delimiter = "tab", quote = "single", escape = "backslash", null = "NULL" },
      { delimiter = "\\x09", quote = "'", escape = "backslash", null = "NULL" },
        "id\temail\ttel\n" },
    ["nothing of the usual quote and escape"] = { { quote = "double", escape = "none" }, {} },
    ["what is left out above the rows"] = { { skip_lines = 2, header = true }, { skip_lines = 2, header = true },
      "a\nb\n" .. COLUMNS },
    ["the encoding by one of its names"] = { { encoding = "latin1" }, { encoding = "iso-8859-1" } },
    ["the format"] = { { format = "csv" }, { format = "csv" } },
    ["nothing of a run's own affairs"] = { { timeout = 30, rate = 50, keep_going = true, delete_missing = "all" }, {} },
  } do
    it(what, function()
      local expected = plain()
      for key, value in pairs(case[2]) do
        expected[key] = value
      end
      local header, err = told(case[1], world.file(case[3] or COLUMNS, ".csv"))
      assert.equal("this is as far as it goes", err.message)
      assert.same(expected, header)
    end)
  end

  it("that a function makes the members, or that there is no header", function()
    local file = world.file("1,a@example.com\n", ".csv")
    assert.equal("member", told({}, file, { audience = "a", member = function() end }).by)
    local header = told({ header = false }, file, { audience = "a", map = { external_id = 1, email = 2 } })
    assert.same({ "map", false }, { header.by, header.header })
  end)
end)

describe("a job with a journal", function()
  local file
  before_each(function()
    file = world.file(COLUMNS, ".csv")
  end)

  -- What is wrong with inputs that come once.
  local AGAIN = "%s cannot be read again, so the job could not be resumed; save it to a file first"
  local NO_FILE = "journal: only files can be resumed, not iterators and readers"
  local function fifo()
    local path = world.path ".pipe"
    assert(os.execute("mkfifo " .. path))
    return path
  end
  for what, case in pairs {
    ["from standard input"] = { function() return "-" end, "journal: " .. AGAIN:format "standard input" },
    ["from a folder"] = { function() return "/tmp" end, "journal: " .. AGAIN:format "/tmp is a directory, which" },
    ["from a device"] =
      { function() return "/dev/null" end, "journal: " .. AGAIN:format "/dev/null is a device, which" },
    ["from a pipe"] = { fifo, "is a pipe, which cannot be read again" },
    ["from files of which one is a device"] =
      { function() return { file, "/dev/null" } end, "/dev/null is a device, which cannot be read again" },
    ["from an iterator"] = { function() return function() end end, NO_FILE },
    ["from a source"] = { function() return scope3.csv(file) end, NO_FILE },
  } do
    it(("%s is refused before anything is read or noted"):format(what), function()
      local header, err = told({}, case[1]())
      assert.same({ nil, "invalid", "no_file" }, { header, err.kind, err.code })
      assert.truthy(err.message:find(case[2], 1, true), err.message)
    end)
  end

  it("from standard input is refused also where that is a file", function()
    local path = world.path ".journal"
    local code, _, complaint = world.command({ "sync", "-", "--audience", "a", "--account", "25", "--sandbox",
      "--map", "external_id=id", "--map", "email=email", "--journal", path },
      { stdin = world.file("id,email\n1,a@example.com\n", ".csv") })
    assert.truthy(complaint:find("standard input cannot be read again", 1, true), complaint)
    assert.is_true(code ~= 0)
    assert.is_nil(io.open(path))
  end)

  it("from a file that is not there says that, and notes nothing", function()
    local header, err = told({}, { file, "/no/such/file" })
    assert.is_nil(header)
    assert.not_equal("no_file", err.code)
    assert.truthy(err.message:find("cannot read /no/such/file: No such file or directory", 1, true), err.message)
  end)

  it("from several files is not refused", function()
    local header = told({}, { file, world.file(COLUMNS, ".csv") })
    assert.same(plain(), header)
  end)
end)
