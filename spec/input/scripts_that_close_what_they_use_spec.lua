-- Lua code may close or change the objects of a call in progress: in a script, a metamethod or a finalizer.
-- That is refused as misuse. A fault here reads freed memory, which the sanitizers report.
local core = require "scope3.core"

local ROWS = 40

local function rows(format)
  local list = { format == "csv" and "id,mail,tel" or nil }
  for i = 1, ROWS do
    list[#list + 1] = format == "csv" and ("%d,p%d@example.org,x"):format(i, i)
      or ('{"id":"%d","mail":"p%d@example.org","deep":{"a":[1,2]}}'):format(i, i)
  end
  return table.concat(list, "\n") .. "\n"
end

local function source_of(format, text)
  local source = core.source { format = format, decode = format == "jsonl" and core.json_decode or nil }
  source:feed(text or rows(format))
  source:finish()
  return source
end

local MAP = { { "external_id", "id" }, { "email", "mail" } }

local function object_set(format, script)
  local set = { source = source_of(format), payload = core.payload { max_members = 1000, max_bytes = 100000 },
    next = core.payload { max_members = 1000, max_bytes = 100000 }, sealed = core.id_set() }
  script.max_member, script.rejections = 2000, true
  if not script.member then
    script.map, script.columns = format == "jsonl" and MAP or { { "external_id", 1 }, { "email", 2 } }, { "id", "mail" }
  end
  set.builder = core.builder(script)
  set.builder:epoch(set.sealed, set.next)
  return set
end

local function sums(builder)
  local counts = builder:counts()
  return counts.rows == counts.skipped + counts.rejected_rows + counts.used_rows, counts
end

-- name -> what is done, and what the error says; none where it is allowed
local CALLBACK, FILLED = "from inside its own callback", "while a builder fills it"
local SCRIPT = "from inside a script"
local MISUSES = {
  { "builder:close", CALLBACK, function(s) s.builder:close() end },
  { "builder:fill", CALLBACK, function(s) s.builder:fill(s.payload, s.source, 1e9, 1) end },
  { "builder:take", CALLBACK, function(s) s.builder:take(s.payload, {}) end },
  { "builder:add", CALLBACK, function(s) s.builder:add(s.payload, { external_id = "1", email = "a@example.org" }) end },
  { "builder:flush", CALLBACK, function(s) s.builder:flush(s.payload) end },
  { "builder:epoch", CALLBACK, function(s) s.builder:epoch() end },
  { "builder:columns", CALLBACK, function(s) s.builder:columns(MAP, {}) end },
  { "builder:counts", CALLBACK, function(s) s.builder:counts() end },
  { "builder:sums", CALLBACK, function(s) s.builder:sums() end },
  { "builder:rejections", CALLBACK, function(s) s.builder:rejections() end },
  { "builder:missing", CALLBACK, function(s) s.builder:missing() end },
  { "payload:close", FILLED, function(s) s.payload:close() end },
  { "payload:reset", FILLED, function(s) s.payload:reset() end },
  { "payload:replace", FILLED, function(s) s.payload:replace(s.next, 1, 1) end },
  { "filling by another builder", FILLED, function(s)
    core.builder { max_member = 2000 }:add(s.payload, { external_id = "1", email = "a@example.org" })
  end },
  { "closing the next payload", FILLED, function(s) s.next:close() end },
  { "clearing the next payload", FILLED, function(s) s.next:reset() end },
  { "id_set:clear", nil, function(s) s.sealed:clear() end },
  { "collecting", nil, function() collectgarbage() end },
}
local OF_SOURCE = {
  { "source:close", SCRIPT, function(s) s.source:close() end },
  { "source:read", SCRIPT, function(s) s.source:read() end },
  { "source:feed", SCRIPT, function(s) s.source:feed "x" end },
  { "source:finish", SCRIPT, function(s) s.source:finish() end },
  { "source:raw", SCRIPT, function(s) s.source:raw() end },
  { "source:columns", SCRIPT, function(s) s.source:columns() end },
  { "source:find", SCRIPT, function(s) s.source:find "id" end },
}

-- A variable that is left closes without a word: what is in use stays until it is not.
local leave = (rawget(_G, "loadstring") or load)("local set, name = ... ; local left <close> = set[name]")
local LEFT = { "builder", "payload", "next", "sealed", "source" }

describe("code that runs inside a call", function()
  local function check(set, misuse, said)
    local message = said and tostring(said) or ""
    if misuse[2] then
      assert.truthy(message:find(misuse[2], 1, true), misuse[1] .. ": " .. message)
    else
      assert.equal("", message, misuse[1])
    end
    local hold, counts = sums(set.builder)
    assert.is_true(hold, misuse[1])
    assert.is_true(counts.used_rows > 0, misuse[1])
    local adds = set.payload:living()
    assert.equal(counts.members, adds + (set.next:living()), misuse[1]) -- the payload is whole
    for _, name in ipairs(LEFT) do
      local close = set[name].close
      if close then
        close(set[name])
        close(set[name])
      end
    end
  end

  for _, place in ipairs { "member", "where" } do
    it("is told what it must not do, from inside " .. place .. "(row)", function()
      for _, format in ipairs { "csv", "jsonl" } do
        for _, list in ipairs { MISUSES, OF_SOURCE } do
          for _, misuse in ipairs(list) do
            local set, said
            local seen = 0
            local function act(row)
              seen = seen + 1
              if seen == 5 then
                local fine, why = pcall(misuse[3], set)
                said = not fine and why or nil
              end
              assert(row.id)
              if place == "where" then
                return true
              end
              return { external_id = row.id, email = row.mail }
            end
            set = object_set(format, place == "member" and { member = act } or { where = act })
            local state = set.builder:fill(set.payload, set.source, 1e9, 600)
            assert.equal("end", state, misuse[1])
            assert.equal(ROWS, seen, misuse[1])
            check(set, misuse, said)
          end
        end
      end
    end)
  end

  it("is told what it must not do, from inside a row that makes its columns up", function()
    for _, misuse in ipairs(MISUSES) do
      local set, said = object_set("csv", {}), nil
      set.builder:take(set.payload, { id = "0", mail = "first@example.org" })
      set.builder:take(set.payload, setmetatable({}, { __index = function(_, key)
        local fine, why = pcall(misuse[3], set)
        said = not fine and why or said
        collectgarbage()
        return key == "id" and "made-up" or ("%s@example.org"):format(key)
      end }))
      check(set, misuse, said)
    end
  end)

  it("leaves what is in use until it is not, where a variable of it is left", leave and function()
    for _, name in ipairs(LEFT) do
      local set
      local seen = 0
      set = object_set("jsonl", { member = function(row)
        seen = seen + 1
        if seen == 3 then
          leave(set, name)
          collectgarbage()
        end
        return { external_id = row.id, email = row.mail }
      end })
      local fine, state = pcall(set.builder.fill, set.builder, set.payload, set.source, 1e9, 5)
      assert.is_true(fine, state)
      assert.equal("end", state, name)
      assert.equal(ROWS, seen)
      if name ~= "sealed" then
        fine, state = pcall(set[name].close == nil and set[name].size or set[name].counts or set[name].count
          or set[name].columns, set[name])
        assert.is_false(fine, name)
        assert.truthy(state:find("attempt to use a closed", 1, true), state)
      end
    end
  end or nil)

  it("frees what a failed call used", function()
    local set
    set = object_set("csv", { where = function() return 7 end })
    assert.equal("script", (set.builder:fill(set.payload, set.source, 1e9, 600)))
    set.payload:reset()
    set.source:read()
    assert.is_true((sums(set.builder)))
    local failing = setmetatable({}, { __index = function() error("made up", 0) end })
    local fine, why = pcall(set.builder.take, set.builder, set.payload, failing)
    assert.is_false(fine)
    assert.equal("made up", why)
    local hold, counts = sums(set.builder)
    assert.is_true(hold)
    assert.same({ script_error = 2 }, counts.rejected)
    set.payload:reset()
    set.payload:close()
    set.source:close()
    set.builder:close()
  end)
end)

describe("a builder's texts", function()
  local function churn()
    for i = 1, 2000 do
      local _ = ("another text of the same length %d"):format(i)
    end
    collectgarbage()
    collectgarbage()
  end

  -- Made at run time, so that nobody but the tables holds them.
  local function name(...)
    return table.concat { ... }
  end

  local function tables()
    local map = {
      { "external_id", name("custo", "mer") }, { "email", name("cont", "act") },
      { "uids", name("adver", "tising"), name("ma", "id") },
    }
    local conditions = {
      { "eq", name("coun", "try"), { name("germ", "anyx") } }, { "ne", name("sta", "te"), { name("gone", "-away") } },
    }
    return map, conditions
  end

  local function text()
    return '{"customer":"1","contact":"a@example.org","country":"germanyx",'
      .. '"advertising":"6d92078a-8246-4ba4-ae5b-76104861e7dc"}\n'
      .. '{"customer":"2","contact":"b@example.org","country":"francexx"}\n'
  end

  it("stay, when the tables that it was made of are emptied", function()
    for _, way in ipairs { "new", "columns" } do
      local map, conditions = tables()
      local builder = core.builder {
        max_member = 1000, map = way == "new" and map or nil, conditions = way == "new" and conditions or nil,
      }
      if way == "columns" then
        builder:columns(map, conditions)
      end
      for _, list in ipairs { map, conditions } do
        for i = #list, 1, -1 do
          for key in pairs(list[i]) do
            list[i][key] = nil
          end
          list[i] = nil
        end
      end
      churn()
      local payload = core.payload { max_members = 10, max_bytes = 10000 }
      assert.equal("end", (builder:fill(payload, source_of("jsonl", text()), 1e9, 1)))
      churn()
      local counts = builder:counts()
      assert.same({ 2, 1, 1, 1, 1 },
        { counts.rows, counts.members, counts.hashed_email, counts.uids, counts.skipped }, way)
      local missing = builder:missing()
      assert.equal("sta,te", (table.concat(missing, "|"):gsub("^sta", "sta,")), way)
    end
  end)

  it("are not looked at after others took their place", function()
    local builder = core.builder { max_member = 1000, map = (tables()) }
    local payload = core.payload { max_members = 10, max_bytes = 10000 }
    builder:fill(payload, source_of("jsonl", text()), 1e9, 1)
    builder:columns({ { "external_id", 1 }, { "email", 2 } }, {})
    churn()
    local missing, twice = builder:missing()
    assert.same({ {}, {} }, { missing, twice })
  end)
end)
