-- The files under a collector: filled, sealed, taken the oldest first, accepted, lingering, freed. Without nginx: a
-- table stands in for what they need of it.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local world = require "spec.support.world"

local PLACE, STAND_IN = "spec.torture.nginx_stand_in", { "scope3.nginx.process", "scope3.loop.nginx" }
local MODULES = { "spool", "spool_adoption", "spool_name", "spool_orphans", "spool_pages", "spool_reader",
  "spool_sink", "spool_strangers" }
local spool_files = require "spec.support.spool_files"
local spooled = require "spec.support.spooled"
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
local NAME, LABEL = "0123456789abcdef", '{"audienceId":"a"}'

describe("the files of a spool", function()
  local spool, spool_sink, spool_name, folder, builder, payload
  local real, clock, now = { time = core.time, now = core.now, ngx = rawget(_G, "ngx") }, 1800000000, 0

  -- Modules that know the stand-in are of no use to other specs.
  local function forget()
    for _, name in ipairs(MODULES) do
      package.loaded["scope3.nginx." .. name] = nil
    end
    for _, name in ipairs(STAND_IN) do
      package.loaded[name] = nil
    end
    package.loaded["scope3.util.nginx_log"], package.loaded[PLACE] = nil, nil
  end

  setup(function()
    forget()
    local stand_in = require(PLACE)
    stand_in.install()
    core.time, core.now = function() return clock end, function() return now end
    spool, spool_sink = require "scope3.nginx.spool", require "scope3.nginx.spool_sink"
    spool_name = require "scope3.nginx.spool_name"
  end)
  teardown(function()
    core.time, core.now = real.time, real.now
    rawset(_G, "ngx", real.ngx)
    forget()
    world.clean()
  end)
  before_each(function()
    folder = world.path()
    os.execute("mkdir -m 700 " .. folder)
    builder = core.builder { max_member = 10000 }
    payload = core.payload { max_members = 1000, max_bytes = 100000 }
  end)
  after_each(function()
    os.execute("rm -rf " .. folder)
  end)

  local function open(most_bytes)
    local opened = spool.new { folder = folder, name = NAME, grace = 1, most_bytes = most_bytes or 2 ^ 26 }
    return opened, select(2, opened:look())
  end

  -- Keeps members "id", or removals "-id".
  local function keep(to, ...)
    for _, id in ipairs { ... } do
      local remove = id:sub(1, 1) == "-"
      payload:reset()
      assert(builder:add(payload, { external_id = remove and id:sub(2) or id, remove = remove,
        hashed_email = not remove and spool_files.HASH or nil }))
      assert(to:keep(payload, 1, 1, LABEL))
    end
  end

  -- Members of a file as keep() takes them.
  local function members_of(file, label)
    local found = {}
    for json, operation, _, _, its_label in spooled.members(file.spool) do
      assert.equal(label or LABEL, its_label)
      found[#found + 1] = (operation == "remove" and "-" or "") .. json:match '"externalId":"([^"]*)"'
    end
    return table.concat(found, " ")
  end

  -- Of the files with members.
  local function names()
    local list = {}
    for _, path in ipairs(core.glob(folder .. "/*.spool") or {}) do
      list[#list + 1] = spool_files.has_members(world.read(path)) and path:match "[^/]*$" or nil
    end
    table.sort(list)
    return list
  end

  -- Frees what has lingered. How many files, and seconds until there is another one.
  local function settle(sink)
    local freed = 0
    sink:settle(now, function()
      freed = freed + 1
    end)
    local due = sink:due()
    return freed, due and due - now
  end

  -- What a sink gets, file by file.
  local function take_all(sink)
    local files, texts = {}, {}
    for file in function() return sink:take() end do
      files[#files + 1], texts[#texts + 1] = file, members_of(file)
    end
    return files, texts
  end

  it("are sealed with fixed bytes, and taken the oldest first", function()
    local of = open()
    local sink = spool_sink.new(of, 0)
    keep(of, "a", "-b")
    assert.is_nil(sink:take()) -- it is being filled
    of:seal()
    local path = folder .. "/" .. names()[1]
    local bytes = world.read(path)
    keep(of, "c")
    of:seal()
    of:seal() -- there is nothing to seal
    keep(of, "d")
    local files, texts = take_all(sink)
    assert.same({ "a -b", "c" }, texts)
    assert.same({ path, 3, 0, 1 }, { files[1].path, sink.under_way, of:unread(), of:unsealed() })
    assert.equal(bytes, world.read(path))
    sink:accept(files[1])
    assert.equal(bytes, world.read(path))
    assert.same({ 3, 1 }, { #names(), sink.under_way })
    assert.same({ 1 }, { settle(sink) })
    assert.equal(2, #names())
    of:close()
    assert.equal(2, #names())
  end)

  it("are sealed by size: a part of what may wait, at least 4 MiB", function()
    for most_bytes, least in pairs { [2 ^ 20] = 4 * 2 ^ 20, [2 ^ 29] = 8 * 2 ^ 20 } do
      local of = open(most_bytes)
      payload:reset()
      for i = 1, 100 do
        builder:add(payload, { external_id = "u" .. i, uids = { { type = "t", value = ("x"):rep(900) } } })
      end
      repeat
        assert(of:keep(payload, 1, 100, ""))
      until of:unread() > 0
      assert.equal(0, of:unsealed())
      local size = #world.read(folder .. "/" .. names()[1])
      assert.is_true(size >= least and size < least + 2 ^ 18, size)
      assert(of:keep(payload, 1, 1, ""))
      assert.equal(2, #names())
      of:close()
      os.execute("rm -f " .. folder .. "/*")
    end
  end)

  it("are adopted at a start as far as that is quick, and the others later, before what is newer", function()
    local before = open()
    payload:reset()
    for i = 1, 100 do
      builder:add(payload, { external_id = "u" .. i, uids = { { type = "t", value = ("x"):rep(900) } } })
    end
    repeat
      assert(before:keep(payload, 1, 100, ""))
    until before.bytes > 24 * 2 ^ 20
    before:close()
    local all = names()
    assert.is_true(#all >= 6)
    local of = open()
    assert.same({ 4, true }, { of.adopted, of.bytes < 20 * 2 ^ 20 })
    keep(of, "new")
    of:seal()
    local sink, found = spool_sink.new(of, 0), {}
    for _ = 1, 2 do
      for file in function() return sink:take() end do
        found[#found + 1] = file.identity .. ".spool"
      end
      of:look(function() end)
    end
    assert.same(#all + 1, #found)
    assert.same(all, { unpack(found, 1, #all) })
    of:close()
  end)

  it("have names that sort by age and none twice, also after the clock was set back", function()
    local made = {}
    for round = 1, 4 do
      clock = 1800000000 - round * 3600
      local of = open()
      for i = 1, 3 do
        keep(of, ("r%dn%d"):format(round, i))
        of:seal()
        local list = names()
        made[#made + 1] = list[#list]
      end
      of:close()
    end
    assert.same(made, names())
    local of = open()
    local files, texts = take_all(spool_sink.new(of, 0))
    assert.equal("r1n1 r1n2 r1n3 r2n1 r2n2 r2n3 r3n1 r3n2 r3n3 r4n1 r4n2 r4n3", table.concat(texts, " "))
    for i, file in ipairs(files) do
      assert.equal(made[i], file.identity .. ".spool")
    end
    of:close()
    local seen = {}
    for _ = 1, 1000 do -- of one moment and process
      local identity = spool_name.identity(spool_name.path(folder .. "/" .. NAME, 1, 1, ".spool"))
      assert.is_nil(seen[identity] or identity:find("/", 1, true))
      seen[identity] = true
    end
  end)

  it("become new ones under other names once they are empty", function()
    local of = open()
    local sink, seen = spool_sink.new(of, 0), {}
    for round = 1, 5 do
      for i = 1, 3 do
        keep(of, ("r%dn%d"):format(round, i))
        of:seal()
      end
      local files, texts = take_all(sink)
      assert.equal(("r%dn1 r%dn2 r%dn3"):format(round, round, round), table.concat(texts, " "))
      for _, file in ipairs(files) do
        assert.is_nil(seen[file.identity])
        seen[file.identity] = true
        sink:accept(file)
      end
      assert.same({ 3 }, { settle(sink) })
      assert.equal(2, #core.glob(folder .. "/*"))
    end
    os.execute("rm -f " .. folder .. "/*") -- somebody removes the empty ones
    keep(of, "a")
    of:seal()
    assert.equal("a", members_of(sink:take()))
    of:close()
    assert.equal(1, #core.glob(folder .. "/*"))
  end)

  it("begin a configuration that is later than those of the folder", function()
    local before = spool_name.CONFIGURATION
    os.execute(("touch %s/%s-%016.0f-%016.0f-7-%016.0f.spool"):format(folder, NAME, 5, before + 10, 1))
    spool_name.begin(folder, "other")
    assert.equal(before, spool_name.CONFIGURATION)
    spool_name.begin(folder, NAME)
    assert.equal(before + 11, spool_name.CONFIGURATION)
    spool_name.CONFIGURATION = before
  end)

  it("of earlier releases are adopted in their place, with their operations, whatever their size", function()
    local function leave(name, ...)
      local file = assert(core.spool(("%s/%s-%s.spool"):format(folder, NAME, name)))
      for i, id in ipairs { ... } do
        payload:reset()
        local remove = id:sub(1, 1) == "-"
        builder:add(payload, { external_id = remove and id:sub(2) or id, remove = remove,
          hashed_email = not remove and spool_files.HASH or nil })
        assert(file:keep(payload, 1, 1, i, LABEL))
      end
      file:close()
    end
    local many = {}
    for i = 1, 3000 do
      many[i] = (i % 2 == 0 and "-" or "") .. "m" .. i
    end
    -- configuration, when it was made, process, number
    leave("0000000000000900-0000000000001000-77-1", unpack(many))
    leave("0000000000000100-0000000000002000-3-12", "-y", "z")
    local of = open()
    keep(of, "new")
    of:seal()
    local _, texts = take_all(spool_sink.new(of, 0))
    assert.same({ table.concat(many, " "), "-y z", "new" }, texts)
    of:close()
  end)

  it("are adopted once their worker is no more, although it lived when they were seen first", function()
    local process, lives = package.loaded["scope3.nginx.process"], true
    local before = process.is_alive
    process.is_alive = function() return lives end
    local of, sibling = open(), open()
    keep(sibling, "a")
    assert.is_nil((of:look()))
    for _, file in entries(sibling.files) do
      file.spool:close() -- as the system does for one that is killed
    end
    assert.is_nil((of:look()))
    lives = false
    assert.same({ members = 1, lost = 0 }, (of:look()))
    of:close()
    process.is_alive = before
  end)

  it("linger after they were accepted, and come back in order when the connection breaks", function()
    local of = open()
    local sink = spool_sink.new(of, 3)
    for _, id in ipairs { "a", "-a", "b", "c" } do
      keep(of, id)
      of:seal()
    end
    local first = sink:take()
    sink:accept(first)
    now = now + 1
    local second = sink:take()
    sink:accept(second)
    local third = sink:take()
    assert.same({ 1, 0, 2 }, { sink.under_way, settle(sink) })
    now = now + 2
    assert.same({ 1, 1 }, { settle(sink) })
    assert.equal(3, #names())
    assert.equal(2, sink:recall())
    assert.same({ 0, 3 }, { sink.under_way, of:unread() })
    local files, texts = take_all(sink)
    assert.same({ "-a", "b", "c" }, texts)
    assert.same({ second.identity, third.identity }, { files[1].identity, files[2].identity })
    for _, file in ipairs(files) do
      sink:accept(file)
    end
    now = now + 3
    assert.same({ 3 }, { settle(sink) })
    assert.same({ {}, true }, { names(), of.bytes < 100 }) -- the headers of empty files
    keep(of, "d")
    of:seal()
    sink:accept(sink:take())
    of:close() -- it lingers, and is not lost
    of = open()
    assert.equal("d", members_of(of:take()))
    of:close()
  end)

  it("keep their pages where they are sent soon, so that these need not be fetched anew, and as long as they are few",
    function()
      local of, paths = open(), {}
      payload:reset()
      for i = 1, 100 do
        builder:add(payload, { external_id = "u" .. i, uids = { { type = "t", value = ("x"):rep(900) } } })
      end
      local function fill(soon)
        assert(of:keep(payload, 1, 100, ""))
        local path = folder .. "/" .. names()[#paths + 1]
        while of.files[path].used < 3000000 do
          assert(of:keep(payload, 1, 100, ""))
        end
        of:seal(soon)
        paths[#paths + 1] = path
      end
      -- Which files have pages in memory. Where the system does not say, as they should be.
      local function loaded(expected)
        for i, path in ipairs(paths) do
          local kilobytes = spool_files.resident(path)
          assert.equal(expected[i], kilobytes and kilobytes > 0 or not kilobytes and expected[i], i)
        end
      end
      fill(true)
      fill(true)
      loaded { true, true }
      fill(false)
      loaded { true, true, false }
      fill(true) -- too many
      loaded { false, true, false, true }
      for _, i in ipairs { 1, 3 } do
        assert.is_true(#world.read(paths[i]) < of.files[paths[i]].used + 2 ^ 16) -- nothing beyond its records
      end
      local sink = spool_sink.new(of, 0)
      for _ = 1, 4 do
        local file = sink:take()
        members_of(file, "")
        sink:accept(file)
      end
      loaded { false, true, false, true }
      assert.same({ 4 }, { settle(sink) })
      paths = {}
      fill(true) -- files that were freed have made room
      fill(true)
      loaded { true, true }
      of:close()
    end)

  it("wait for an older one that the system does not open, and not for ever", function()
    local before = open()
    keep(before, "old")
    before:close()
    -- The file between the two is a folder: the system refuses to open it.
    local blocked = ("%s/%s-%016.0f-%016.0f-7-%016.0f.spool"):format(folder, NAME, before.stamp + 1, 5, 1)
    os.execute("mkdir " .. blocked)
    clock = clock + 10
    local after = spool.new { folder = folder, name = NAME, grace = 1, most_bytes = 2 ^ 26 }
    after.stamp = before.stamp + 2
    keep(after, "new")
    after:close()
    local of, wait = open()
    assert.truthy(wait:find("^an older file cannot be opened: "), wait)
    keep(of, "own")
    of:seal()
    local _, texts = take_all(spool_sink.new(of, 0))
    assert.same({ "old" }, texts)
    now = now + 30
    assert.truthy((select(2, of:look())))
    now = now + 31
    assert.is_nil((select(2, of:look())))
    _, texts = take_all(spool_sink.new(of, 0))
    assert.same({ "new", "own" }, texts)
    of:close()
    os.execute("rmdir " .. blocked)
  end)

  it("that no collector sends any more are named in the log, once, where members wait in them", function()
    local lines = require(PLACE).lines
    local function said(name)
      local n = 0
      for _, line in ipairs(lines) do
        n = n + (line:find(("%s/%s-*, and no collector here sends them"):format(folder, name), 1, true) and 1 or 0)
      end
      return n
    end
    local function start(name)
      require("scope3.nginx.spool_strangers").know(name) -- as each collector of the configuration is, also one to come
      return spool.new { folder = folder, name = name, grace = 1, most_bytes = 2 ^ 26 }
    end
    local changed, empty, idle = start "00000000000000aa", start "00000000000000bb", start "00000000000000cc"
    keep(changed, "1")
    keep(idle, "2")
    keep(empty, "3")
    empty:seal()
    empty:release { { file = empty:take(), last = 1 } }
    for _, one in ipairs { changed, idle, empty } do
      one:close()
    end
    spool_files.write(("%s/00000000000000bb-%016.0f-%016.0f-7-%016.0f.spool"):format(folder, 1, 5, 1), "")
    forget() -- as a configuration does that is read anew
    require(PLACE).install()
    lines, spool = require(PLACE).lines, require "scope3.nginx.spool"
    start "00000000000000cc"
    local other = start "00000000000000dd"
    other:look()
    now = now + 20
    other:look()
    assert.same({ 1, 0, 0, 0 }, { said "00000000000000aa", said "00000000000000bb", said "00000000000000cc",
      said "00000000000000dd" })
    other:close()
    other = start "00000000000000aa"
    assert.equal(1, other:look().members)
    other:close()
  end)
end)
