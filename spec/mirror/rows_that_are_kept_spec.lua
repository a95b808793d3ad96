-- Rows that a night keeps in its temporary file come out of it as a second reading of their file would have them, and
-- nobody else can read them there.
local nights = require "spec.support.night_of_files"
if not nights.can_keep then
  return -- a build without libcrypto
end

local core = require "scope3.core"
local crypto = require "scope3.crypto"
local seed = require "spec.support.seed"
local world = require "spec.support.world"

local MAP = { { "external_id", 1 }, { "external_id", 2 }, { "email", 3 }, { "email", 4 }, { "phone", 5 },
  { "hashed_email", 6 }, { "region", 7 }, { "uids", 8, "uid2" }, { "uids", 9, "maid" }, { "phone", 10 } }
local KEYS = { { "external_id", "id" }, { "email", "email" }, { "email", "other" }, { "phone", "phone" },
  { "region", "region" }, { "uids", "uid", "maid" } }

local function one_of(list)
  return list[math.random(#list)]
end

local LONG = { 200, 239, 240, 254, 255, 300, 8180, 8192, 20000 }

local function email()
  return one_of { "", "  ", "nothing", " A@Example.org ", ("p%d@example.org"):format(math.random(1000)),
    ("x"):rep(one_of(LONG)) .. "@example.org" }
end

local function phone()
  return one_of { "", "+12065550142", "(206) 555-0142", "1", "x" }
end

local LONG_AS_HASH = ("firstname.lastname."):rep(3):sub(1, 51) .. "n@example.org"

local function id(i)
  return one_of { "id" .. i, "id" .. i, " id" .. i .. " ", "id" .. i .. " ", i .. ".0", ("p%d@example.org"):format(i),
    LONG_AS_HASH, "",
    ("i"):rep(one_of(LONG)) .. i }
end

local HASH = ("0123456789abcdef"):rep(4)

local function csv(n)
  local lines = { "a,b,c,d,e,f,g,h,i,j" }
  for i = 1, n do
    local cells = { id(i), one_of { "", "", id(i) }, email(), one_of { "", email() }, phone(),
      one_of { "", "", HASH, "1" }, one_of { "", "US", "DE", "nowhere" }, one_of { "", "", "1", HASH },
      one_of { "", "1" }, one_of { "", phone() } }
    lines[#lines + 1] = table.concat(cells, ",", 1, one_of { 10, 10, 10, 9, 5, 3 })
  end
  return table.concat(lines, "\n") .. "\n"
end

local function json(n)
  local lines = {}
  for i = 1, n do
    lines[i] = ('{"id":%s,"email":%s,"other":%s,"phone":%s,"region":"US","uid":%s,"more":[%d]}'):format(
      one_of { '"id' .. i .. '"', i, i .. ".0", "true", '""', "null" },
      one_of { '"' .. email() .. '"', "null", "true", '["a@example.org","b@example.org"]', '["' .. email() .. '"]',
        '{"x":1}', "12" },
      one_of { '"' .. email() .. '"', "null", '""' },
      one_of { '"' .. phone() .. '"', "12065550142", "12065550142.0", "1e3", "[]" },
      one_of { "null", '"1"', "true" }, i)
  end
  return table.concat(lines, "\n") .. "\n"
end

-- What a night came to, in full.
local function all_of(night)
  return { night.ended, night.texts, night.blobs, night.notes, night.removed, night.rejections, night.counts,
    night.built, night.night, night.samples }
end

describe("rows that a night keeps", function()
  after_each(world.clean)

  it("come to what a second reading of their file comes to, whatever stands in their cells", function()
    print("   seed " .. seed)
    math.randomseed(seed)
    for _ = 1, world.thorough and 40 or 8 do
      for _, kind in ipairs { { "csv", csv, MAP }, { "jsonl", json, KEYS } } do
        local before = { { format = kind[1], text = kind[2](math.random(30)) } }
        local inputs = { { format = kind[1], text = kind[2](math.random(60)) },
          { format = kind[1], text = kind[2](math.random(60)) } }
        for _, list in ipairs { before, inputs } do
          for _, input in ipairs(list) do
            input.path = world.file(input.text)
          end
        end
        local opts = { map = kind[3], ids = one_of { "refuse", "hash" }, repair = math.random(2) == 1,
          max_members = math.random(40), bytes = one_of { 1, 1e6 }, max_bytes = 60000 }
        local state = nights.night({}, before, opts).state
        local twice = nights.night(state, inputs, opts)
        opts.keep = true
        assert.same(all_of(twice), all_of(nights.night(state, inputs, opts)))
        world.clean()
      end
    end
  end)

  it("go again first, and then the others, wherever they lie", function()
    local rows = { "id,email" }
    for i = 1, 400 do
      rows[#rows + 1] = ("customer%d,someone%d@example.org"):format(i, i)
    end
    local inputs = { { path = world.file(table.concat(rows, "\n") .. "\n") } }
    local opts = { map = { { "external_id", 1 }, { "email", 2 } } }
    local first = nights.night({}, inputs, opts)
    opts.open = { { blob = first.blobs[1], number = 1, outcomes = {
      { first = 90, last = 90, outcome = "open", again = true },
      { first = 100, last = 130, outcome = "open", again = true },
    } } }
    local twice = nights.night({}, inputs, opts)
    opts.keep = true
    local kept = nights.night({}, inputs, opts)
    assert.same({ 32, 368 }, { #kept.again, kept.built.add })
    assert.same({ twice.again, all_of(twice) }, { kept.again, all_of(kept) })
  end)

  it("have the hash of an email in place of an id, also where it is as long", function()
    local inputs = { { path = world.file("id,email\n" .. LONG_AS_HASH .. ",a@example.org\n") } }
    local opts = { map = { { "external_id", 1 }, { "email", 2 } }, ids = "hash" }
    local twice = nights.night({}, inputs, opts)
    opts.keep = true
    assert.same(all_of(twice), all_of(nights.night({}, inputs, opts)))
    assert.equal(1, twice.built.add)
  end)

  it("need nothing of their files any more", function()
    local input = { path = world.file "id,email\na,a@example.org\nb,b@example.org\n" }
    local night = nights.night({}, { input }, { map = { { "external_id", 1 }, { "email", 2 } }, keep = true,
      between = function() os.remove(input.path) end })
    assert.same({ "end", 2 }, { night.ended, night.built.add })
  end)

  it("are built only where they are kept", function()
    local night = assert(core.mirror.night { key = nights.KEY, parts = 1, cipher = assert(crypto.cipher()) })
    local builder = core.builder { max_member = 1000, map = { { "external_id", 1 }, { "email", 2 } } }
    local source = assert(core.source { format = "csv", path = world.file "id,email\na,a@example.org\n" })
    assert.equal("end", builder:survey(night, source, 0, 1e6, 1))
    assert.equal(0, (night:kept()))
    assert(night:merge(0))
    local payload = core.payload { max_members = 10, max_bytes = 1000 }
    assert.has_error(function()
      builder:build(payload, nil, night, core.mirror.chunk(1), core.mirror.chunk(1), 0, 1e6, 1)
    end, "a row is not kept, and there is no source of it")
  end)

  it("are not kept by a night without a cipher, nor by one whose cipher another has", function()
    local night = assert(core.mirror.night { key = nights.KEY, parts = 1 })
    assert.is_false(night:keep(true))
    local cipher = assert(crypto.cipher())
    local first = assert(core.mirror.night { key = nights.KEY, parts = 1, cipher = cipher })
    assert.is_true(first:keep(true))
    assert.is_false(first:keep(false))
    assert.has_error(function() core.mirror.night { key = nights.KEY, cipher = cipher } end,
      "attempt to use a closed cipher")
    assert.is_false((pcall(core.mirror.night, { key = nights.KEY, cipher = io.stdout })))
    assert.is_false((pcall(core.mirror.night, { key = nights.KEY, cipher = true })))
  end)

  it("say that temporary files cannot grow where they cannot", function()
    local script, log = world.file [[
      local core, crypto = require "scope3.core", require "scope3.crypto"
      local night = assert(core.mirror.night { key = "0123456789abcdef", parts = 1, cipher = assert(crypto.cipher()) })
      local builder = core.builder { max_member = 1000, map = { { "external_id", 1 }, { "email", 2 } } }
      local source, rows = core.source { format = "csv" }, { "id,email" }
      for i = 1, 2000 do
        rows[#rows + 1] = ("%d,%s%d@example.org"):format(i, ("x"):rep(50), i)
      end
      assert(night:keep(true))
      source:feed(table.concat(rows, "\n") .. "\n")
      source:finish()
      local state, message, code = builder:survey(night, source, 0, 1e9, 60)
      print(state, message, code)
    ]], world.path ".log"
    os.execute(("(ulimit -f 64; exec %s %s) >%s 2>&1"):format(os.getenv "SCOPE3_LUA_BIN", script, log))
    assert.equal("nil\ttemporary files, in the folder of TMPDIR: File too large\tfull\n", world.read(log))
  end)

  -- What stands in the temporary files of this process: on Linux, that shows files without a name.
  local function temporary_files()
    local stat = io.open("/proc/self/stat")
    if not stat then
      return nil
    end
    local pid = stat:read "*n"
    stat:close()
    local list, texts = assert(io.popen(("ls -l /proc/%d/fd"):format(pid))), {}
    for line in list:lines() do
      local fd = line:match " (%d+) %-> .*/scope3%-%x+ %(deleted%)"
      if fd then
        local file = assert(io.open(("/proc/%d/fd/%s"):format(pid, fd), "rb"))
        texts[#texts + 1] = file:read "*a"
        file:close()
      end
    end
    list:close()
    return table.concat(texts)
  end

  it("cannot be read where they lie", function()
    local rows = { "id,email,phone" }
    for i = 1, 5000 do
      rows[#rows + 1] = ("customer%05d,someone%d@example.org,+12065550142"):format(i, i)
    end
    local input = { path = world.file(table.concat(rows, "\n") .. "\n") }
    local sizes = {}
    for i, keep in ipairs { false, true } do
      collectgarbage() -- nights of before
      collectgarbage()
      local night = nights.night({}, { input }, { map = { { "external_id", 1 }, { "email", 2 }, { "phone", 3 } },
        max_members = 5000, max_bytes = 1e7, keep = keep, between = function()
          local text = temporary_files()
          sizes[i] = text and #text
          for _, part in ipairs { "customer", "someone", "example", "2065550142", "@" .. "example.org,", "00142" } do
            assert.is_nil(text and text:find(part, 1, true), part)
          end
        end })
      assert.equal(5000, night.built.add)
    end
    assert.is_true(not sizes[2] or sizes[2] - sizes[1] > 5000 * 50, sizes[2])
  end)
end)
