-- What is seen of the people of a state: as they stand with the chunks that are not folded yet. And blobs that are
-- written anew without some of them.
local core = require "scope3.core"
local seed = require "spec.support.seed"

local KEY = "0123456789abcdef"
local PARTS, AUDIENCES = 4, 3
local OPTIONS = { parts = PARTS, audiences = AUDIENCES }

local function hash_of(id)
  return core.mirror.key_hash(KEY, id)
end

-- A chunk of entries { op, audience, id, version }.
local function chunk_of(run, list)
  local chunk = core.mirror.chunk(run)
  for _, entry in ipairs(list) do
    local version = ("%08d"):format(entry[4] or 0)
    assert(chunk:add(entry[1], entry[2], entry[3], hash_of(entry[3]), version, version))
  end
  local blob = chunk:blob()
  chunk:close()
  return blob
end

local function ranges(n, outcome)
  return n > 0 and { { first = 1, last = n, outcome = outcome } } or {}
end

-- All partitions, with chunks { blob, outcomes } in them.
local function folded(parts, chunks)
  local fold, all = assert(core.mirror.fold(OPTIONS)), {}
  for _, chunk in ipairs(chunks) do
    assert(fold:chunk(chunk[1], chunk[2]))
  end
  for k = 0, PARTS - 1 do
    all[k] = assert(fold:part(k, parts[k] or "") or parts[k] or "")
  end
  fold:close()
  return all
end

local function view_of(chunks, only)
  local view = assert(core.mirror.view { parts = PARTS, audiences = AUDIENCES, only = only })
  for _, chunk in ipairs(chunks) do
    assert(view:chunk(chunk[1], chunk[2]))
  end
  return view
end

-- Everybody that is seen, by id.
local function seen(parts, chunks, only)
  local view, all = view_of(chunks, only), {}
  for k = 0, PARTS - 1 do
    assert(view:part(k, parts[k]))
    local id, standing, run, mark = view:next()
    while id do
      assert.is_nil(all[id])
      all[id] = ("%s %d %s"):format(standing, run, tostring(mark))
      id, standing, run, mark = view:next()
    end
    assert.is_nil(standing)
    assert.is_nil(view:next()) -- and no more
  end
  view:close()
  return all
end

local OPS = { "add", "add", "add", "remove", "note", "rejected", "refused" }
local OUTCOMES = { "applied", "applied", "unsure", "none" }

local function random_chunk(run)
  local list = {}
  for i = 1, math.random(0, 30) do
    list[i] = { OPS[math.random(#OPS)], math.random(0, AUDIENCES - 1), "id" .. math.random(40), math.random(3) }
  end
  return { chunk_of(run, list), ranges(#list, OUTCOMES[math.random(#OUTCOMES)]) }, list
end

describe("the people of a state", function()
  setup(function()
    math.randomseed(seed)
    print("   seed " .. seed)
  end)

  it("stand as an entry that came to something has them, with the night and the mark", function()
    local parts = folded({}, { { chunk_of(3, { { "add", 0, "a" }, { "add", 2, "a" }, { "add", 1, "b" } }),
      ranges(3, "applied") } })
    assert.same({ a = "k-k 3 nil", b = "-k- 3 nil" }, seen(parts, {}))
    local entries = { { "add", 1, "a", 0 }, { "remove", 1, "b" }, { "add", 0, "c" }, { "rejected", 0, "d", 5 } }
    local blob = chunk_of(7, entries)
    assert.same({ a = "kkk 7 nil", c = "k-- 7 nil", d = "--- 0 rejected" },
      seen(parts, { { blob, ranges(3, "applied") } }))
    assert.same({ a = "kuk 3 nil", b = "-u- 3 nil", c = "u-- 0 nil", d = "--- 0 rejected" },
      seen(parts, { { blob, ranges(3, "unsure") } }))
    assert.same({ a = "kok 3 nil", b = "-o- 3 nil", c = "o-- 0 nil", d = "--- 0 rejected" },
      seen(parts, { { blob, ranges(3, "open") } }))
    assert.same({ a = "k-k 3 nil", b = "-k- 3 nil", c = "--- 0 refused", d = "--- 0 rejected" }, seen(parts, { { blob,
      { { first = 1, last = 2, outcome = "none" }, { first = 3, last = 3, outcome = "none", refused = true } } } }))
  end)

  it("are those whom a fold would leave, whatever the chunks", function()
    for _ = 1, 150 do
      local parts, chunks = {}, {}
      for i = 1, 3 do
        parts = folded(parts, { (random_chunk(i)) })
      end
      for i = 1, math.random(0, 4) do
        chunks[i] = random_chunk(10 + i)
      end
      assert.same(seen(folded(parts, chunks), {}), seen(parts, chunks))
    end
  end)

  it("are counted as they are seen", function()
    for _ = 1, 30 do
      local parts = folded({}, { (random_chunk(1)), (random_chunk(2)) })
      local chunk, list = random_chunk(3)
      local chunks = { { chunk[1], ranges(#list, OUTCOMES[math.random(#OUTCOMES)]) },
        { chunk[1], ranges(#list, "open") } }
      local wanted = { people = 0, rejected = 0, refused = 0 }
      for a = 1, AUDIENCES do
        wanted[a] = { known = 0, unsure = 0, open = 0 }
      end
      for _, text in pairs(seen(parts, chunks)) do
        wanted.people = wanted.people + 1
        local mark = text:match "%a+$"
        wanted[mark] = wanted[mark] and wanted[mark] + 1
        for a = 1, AUDIENCES do
          local name = ({ k = "known", u = "unsure", o = "open" })[text:sub(a, a)]
          if name then
            wanted[a][name] = wanted[a][name] + 1
          end
        end
      end
      local view = view_of(chunks)
      local counts = { people = 0, rejected = 0, refused = 0, {}, {}, {} }
      for k = 0, PARTS - 1 do
        assert(view:part(k, parts[k]))
        local part = assert(view:count())
        for _, name in ipairs { "people", "rejected", "refused" } do
          counts[name] = counts[name] + part[name]
        end
        for a = 1, AUDIENCES do
          for name, n in pairs(part[a]) do
            counts[a][name] = (counts[a][name] or 0) + n
          end
        end
      end
      view:close()
      assert.same(wanted, counts)
    end
  end)

  it("are only those who are asked for, where some are", function()
    local entries = {}
    for i = 1, 60 do
      entries[i] = { "add", i % 3, "id" .. i }
    end
    local parts = folded({}, { { chunk_of(1, entries), ranges(60, "applied") } })
    local chunks = { { chunk_of(2, { { "add", 0, "new" }, { "add", 0, "other" }, { "remove", 2, "id2" } }),
      ranges(3, "open") } }
    assert.same({ new = "o-- 0 nil", id2 = "--o 1 nil", id9 = "k-- 1 nil" },
      seen(parts, chunks, hash_of "new" .. hash_of "id9" .. hash_of "id2" .. hash_of "nobody"))
    assert.same({}, seen(parts, chunks, ""))
  end)

  it("are seen of each partition once, after all chunks", function()
    local blob = chunk_of(1, { { "add", 0, "a" } })
    for _, case in ipairs {
      function(view)
        assert(view:part(0, ""))
        view:part(0, "")
      end,
      function(view)
        assert(view:part(0, ""))
        view:chunk(blob, {})
      end,
    } do
      local view = view_of {}
      local fine, message = pcall(case, view)
      assert.is_false(fine)
      assert.truthy(tostring(message):find("out of their order", 1, true), message)
      assert.has_error(function() view:next() end) -- and nothing more is given
      view:close()
      assert.has_error(function() view:next() end, "attempt to use a closed view")
    end
    local view = view_of {}
    assert.is_nil(view:next())
    assert.same({ nil, "the state is damaged", "damaged" }, { view:part(0, "x") })
    assert.same({ nil, "the state is damaged", "damaged" }, { view:next() })
    assert.same({ nil, "the state is damaged", "damaged" }, { view:count() })
    assert.same({ nil, "the state is damaged", "damaged" }, { view:chunk(blob, {}) })
    view:close()
    assert.has_error(function() core.mirror.view { parts = 3 } end)
    assert.has_error(function() core.mirror.view { key = KEY } end)
    assert.has_error(function() core.mirror.view { only = 1 } end)
  end)

  it("are read from a blob that nothing else holds", function()
    local entries = {}
    for i = 1, 300 do
      entries[i] = { "add", 0, "id" .. i .. ("x"):rep(100) }
    end
    local parts = folded({}, { { chunk_of(1, entries), ranges(300, "applied") } })
    local view = view_of {}
    assert(view:part(0, parts[0] .. "")) -- nothing else holds this text
    collectgarbage()
    local n = 0
    for id in view.next, view do
      n = n + 1
      assert.equal("x", id:sub(-1))
    end
    assert.is_true(n > 30)
    view:close()
  end)
end)

describe("a blob without those who are forgotten", function()
  setup(function()
    math.randomseed(seed)
  end)

  local function without(ids)
    local hashes = {}
    for i, id in ipairs(ids) do
      hashes[i] = hash_of(id)
    end
    return core.mirror.without { parts = PARTS, audiences = AUDIENCES, hashes = table.concat(hashes) }
  end

  it("has everybody else as they were, and no byte of those ids", function()
    for _ = 1, 60 do
      local parts, chunks = folded({}, { (random_chunk(1)), (random_chunk(2)) }), {}
      for i = 1, 3 do
        chunks[i] = random_chunk(2 + i)
      end
      local gone, ids = {}, {}
      for i = 1, math.random(12) do
        ids[i] = "id" .. math.random(40)
        gone[ids[i]] = true
      end
      local wanted = seen(parts, chunks)
      for id in pairs(gone) do
        wanted[id] = nil
      end
      local object = without(ids)
      local texts = {}
      for k = 0, PARTS - 1 do
        parts[k] = parts[k] ~= "" and object:members(k, parts[k]) or parts[k]
        texts[#texts + 1] = parts[k]
      end
      for i, chunk in ipairs(chunks) do
        chunks[i] = { object:chunk(chunk[1]) or chunk[1], chunk[2] }
        texts[#texts + 1] = chunks[i][1]
      end
      object:close()
      assert.same(wanted, seen(parts, chunks))
      assert.same(seen(folded(parts, chunks), {}), wanted)
      for id in pairs(gone) do
        for _, text in ipairs(texts) do
          assert.is_nil(text:find(hash_of(id), 1, true))
          assert.is_nil(text:find(string.char(#id) .. id, 1, true))
        end
      end
    end
  end)

  it("keeps the numbers of the other entries", function()
    local blob = chunk_of(9, { { "add", 0, "a" }, { "add", 1, "b" }, { "add", 2, "c" } })
    local object = without { "a" }
    local new, gone = object:chunk(blob)
    assert.equal(1, gone)
    local second = { { first = 1, last = 2, outcome = "applied" }, { first = 3, last = 3, outcome = "unsure" } }
    assert.same({ b = "-k- 9 nil", c = "--u 0 nil" }, seen({}, { { new, second } }))
    assert.is_false(object:chunk(new)) -- nobody of them is left
    object:close()
    -- A night takes it, and one more may be blanked.
    local night = assert(core.mirror.night { key = KEY, parts = PARTS, audiences = AUDIENCES })
    assert(night:chunk(new, second))
    night:close()
    object = without { "c", "b" }
    new, gone = object:chunk(new)
    assert.equal(2, gone)
    assert.same({}, seen({}, { { new, second } }))
    object:close()
  end)

  it("is the old one where none of them is in it", function()
    local parts = folded({}, { { chunk_of(1, { { "add", 0, "a" } }), ranges(1, "applied") } })
    local object = without { "b" }
    for k = 0, PARTS - 1 do
      assert.is_false(object:members(k, parts[k]))
    end
    assert.is_false(object:chunk(chunk_of(1, {})))
    object:close()
    object = core.mirror.without {}
    assert.is_false(object:members(0, ""))
    object:close()
    assert.has_error(function() object:members(0, "") end, "attempt to use a closed object")
  end)

  it("is not made of one that is damaged", function()
    local object = without { "a" }
    assert.same({ nil, "the state is damaged", "damaged" }, { object:members(0, "x") })
    assert.same({ nil, "the state is damaged", "damaged" }, { object:chunk "x" })
    -- A damaged one leaves the object as it was.
    assert.equal(1, select(2, object:chunk(chunk_of(1, { { "add", 0, "a" } }))))
    object:close()
  end)
end)
