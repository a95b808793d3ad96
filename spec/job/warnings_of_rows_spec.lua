-- What a job warns of in the rows that it read, with how many rows, and what it tells of each rejection.
local scope3 = require "scope3"
local world = require "spec.support.world"

local SCRIPT = { audience = "a", map = { external_id = "id", email = "mail" } }
local HEADER = "id,mail\n"

describe("the rows of a job", function()
  local client = scope3.client {}

  local function run(text, script, opts)
    local all = { dry_run = true }
    for key, value in pairs(opts or {}) do
      all[key] = value
    end
    local ending = text:sub(1, 1) == "{" and ".jsonl" or ".csv"
    local res = assert(client:run(script or SCRIPT, world.file(text, ending), all))
    world.assert_sums(res)
    return res
  end

  -- The warnings but for their messages, and the messages.
  local function warnings_of(res)
    local fields, messages = {}, {}
    for i, warning in ipairs(res.warnings) do
      fields[i], messages[i] = {}, warning.message
      for key, value in pairs(warning) do
        fields[i][key] = key ~= "message" and value or nil
      end
    end
    return fields, table.concat(messages, "\n")
  end

  local function member(row)
    return { external_id = row.id, email = row.mail }
  end
  local function never()
    return false
  end
  local A, B, C = "1,a@example.com\n", "2,b@example.com\n", "3,c@example.com\n"
  local ORDER = '{"id":"9","mail":"o@example.com","__parentId":"1"}\n'
  local HOW = 'Map another column, or say what becomes of them: ids = "hash" (--ids hash) sends the SHA-256 as the id, '
    .. 'ids = "as_is" (--ids as_is) the raw value.'

  -- A file, the warnings, the message of the first, and a script.
  for what, case in pairs {
    ["are not warned of where they are well"] = { HEADER .. A .. B, {} },
    ["with an email for an id are warned of"] = { HEADER .. "x@example.com,x@example.com\n" .. A,
      { { code = "ids_are_contacts", emails = 1, phones = 0 } },
      "1 row was refused because an email or a phone is the external id. " .. HOW },
    ["with a phone for an id are warned of"] = { HEADER .. "+49301234567,x@example.com\n" .. A,
      { { code = "ids_are_contacts", emails = 0, phones = 1 } }, "1 row was refused" },
    ["with emails and a phone for ids are warned of together"] =
      { HEADER .. "x@example.com,x@example.com\ny@example.com,y@example.com\n+49301234567,x@example.com\n",
        { { code = "ids_are_contacts", emails = 2, phones = 1 } }, "3 rows were refused" },
    ["of one id 0 are not warned of"] = { HEADER .. "0,a@example.com\n" .. B, {} },
    ["of two ids 0 are warned of"] =
      { HEADER .. "0,a@example.com\n0,a@example.com\n" .. B, { { code = "ids_are_zero", rows = 2 } },
        "2 rows have the external id 0 and count as one member. Shops give that id to guests: "
          .. "leave such rows out, or map another column." },
    ["of which one belongs to another are warned of"] =
      { '{"id":"1","mail":"a@example.com"}\n' .. ORDER, { { code = "child_rows", rows = 1 } },
        "Rows with a __parentId were skipped (1): Shopify writes so what belongs to another row, and an order of a "
          .. "customer is no member. A map or a condition that names __parentId takes them." },
    ["of which two belong to another are warned of"] =
      { '{"id":"1","mail":"a@example.com"}\n' .. ORDER .. ORDER, { { code = "child_rows", rows = 2 } },
        "Rows with a __parentId were skipped (2): " },
    ["that replace one with more identifiers are warned of"] =
      { "id,mail,tel\n1,a@example.com,+49301234567\n1,a@example.com,\n", { { code = "members_poorer", members = 1 } },
        "1 member was replaced", { audience = "a", map = { external_id = "id", email = "mail", phone = "tel" } } },
    ["of which a function takes none are warned of"] =
      { HEADER .. A .. B, { { code = "no_row_taken", rows = 2 } }, "where(row) took none of 2 rows",
        { audience = "a", where = never, member = member } },
    ["of which the only one is not taken are warned of"] =
      { HEADER .. A, { { code = "no_row_taken", rows = 1 } }, "where(row) took none of 1 row",
        { audience = "a", where = never, member = member } },
    ["of which a function takes one are not warned of"] =
      { HEADER .. A .. B .. C, {}, "", { audience = "a", member = member, where = function(row)
        return row.id == "2"
      end } },
    ["that are none are not warned of"] = { HEADER, {}, "", { audience = "a", where = never, member = member } },
    ["that a function makes no members of are not warned of"] =
      { HEADER .. A .. B, {}, "", { audience = "a", member = function() return nil end } },
    ["of which a condition takes none are warned of by it"] =
      { HEADER .. A, { { code = "condition_never_met", column = "mail", operator = "eq", rows = 1 } }, "",
        { audience = "a", map = SCRIPT.map, where = { mail = "x" } } },
  } do
    it(what, function()
      local fields, messages = warnings_of(run(case[1], case[4]))
      assert.same(case[2], fields)
      assert.equal(case[3] or "", messages:sub(1, #(case[3] or "")))
    end)
  end

  -- Rejections as texts: row, column, reason, and the file by its place among those of the job.
  -- `input_of` makes another input of their paths.
  local function told(script, texts, input_of)
    local list, paths, place = {}, {}, {}
    for i, text in ipairs(texts) do
      paths[i] = world.file(text, ".csv")
      place[paths[i]] = i
    end
    local input = input_of and input_of(paths) or paths
    local res = assert(client:run(script, input, { dry_run = true, on_reject = function(one)
      assert.is_nil(one.field)
      list[#list + 1] = ("%d %s %s%s %s"):format(one.row, one.column or "-", one.reason,
        one.dropped and " dropped" or "", one.file and place[one.file] or "-")
    end }))
    world.assert_sums(res)
    return list
  end

  it("that are rejected are told with their columns by name, or by number where they have none", function()
    assert.same({ "1 mail email_no_at dropped -", "1 - no_identifier -", "2 id no_external_id -" },
      told(SCRIPT, { "name,mail,id\nx,nonsense,1\nx,a@example.com,\n" .. "x,a@example.com,3\n" }))
    local by_number = { audience = "a", header = false, map = { external_id = 1, email = 2 } }
    assert.same({ "1 2 email_no_at dropped -", "1 - no_identifier -" }, told(by_number, { "1,nonsense\n2,b@x.org\n" }))
  end)

  it("of a source or an iterator are told with their columns", function()
    local text = "x,mail,id\n1,nonsense,1\n1,b@example.com,2\n"
    local expected = { "1 mail email_no_at dropped -", "1 - no_identifier -" }
    assert.same(expected, told(SCRIPT, { text }, function(paths)
      return scope3.csv(paths[1])
    end))
    assert.same(expected, told(SCRIPT, { text }, function(paths)
      local source = assert(scope3.csv(paths[1]))
      return function()
        local row = source()
        return row and { id = row.id, mail = row.mail }
      end
    end))
  end)

  it("that a function makes are told with the field that is wrong", function()
    assert.same({ "1 email email_no_at dropped -", "1 - no_identifier -", "2 external_id no_external_id -" },
      told({ audience = "a", member = member }, { HEADER .. "1,nonsense\n,a@example.com\n" .. C }))
  end)

  it("of several files are told with the columns of theirs, and with the file", function()
    assert.same({ "1 mail email_no_at dropped 1", "1 - no_identifier 1", "2 MAIL email_no_at dropped 2",
      "2 - no_identifier 2" },
      told(SCRIPT, { HEADER .. "1,nonsense\n", "x,MAIL,ID\n,b@example.com,2\n,nonsense,3\n" }))
  end)

  it("are told of one after the other, and none twice", function()
    local text = { HEADER }
    for i = 1, 1000 do
      text[#text + 1] = i .. ",nonsense\n"
    end
    local list = told({ audience = "a", map = SCRIPT.map, max_members = 3 }, { table.concat(text) })
    assert.same({ 2000, "1 mail email_no_at dropped -", "1000 - no_identifier -" }, { #list, list[1], list[2000] })
  end)
end)
