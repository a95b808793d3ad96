-- A word that is not known is answered with the one that was probably meant, wherever the command takes one of several.
local world = require "spec.support.world"

describe("a mistyped word", function()
  local input

  setup(function()
    input = world.file("id,mail\n1,a@example.org\n", ".csv")
  end)

  teardown(world.clean)

  -- What the command complains of. INPUT stands for a file, and MAP for what makes a dry run of it.
  local function complaint(words)
    local given = {}
    for word in words:gsub("MAP", "--audience a --dry-run --map external_id=id --map email=mail"):gmatch "%S+" do
      given[#given + 1] = word == "INPUT" and input or word
    end
    local code, out, err = world.command(given)
    assert.same({ 2, "" }, { code, out }, err)
    return err:match "^[^\n]*"
  end

  for words, meant in pairs {
    ["snyc"] = "did you mean 'sync'?",
    ["help snyc"] = "did you mean 'sync'?",
    ["--versio"] = "did you mean '--version'?",
    ["sync INPUT --concurency 2"] = "did you mean '--concurrency'?",
    ["sync INPUT --concurency=2"] = "did you mean '--concurrency'?",
    ["sync INPUT --mode upser"] = "did you mean 'upsert'?",
    ["sync --mode=upser INPUT"] = "did you mean 'upsert'?",
    ["sync INPUT --format CSV"] = "did you mean 'csv'?",
    ["hash emial a@example.org"] = "did you mean 'email'?",
    ["hash --region US phnoe 1"] = "did you mean 'phone'?",
    ["hash phone 1 --phone-repairs plu"] = "did you mean 'plus'?",
    ["sync INPUT --audience a --map external_id=id --map emial=mail"] = "did you mean 'email'?",
    ["sync INPUT MAP --phone-repairs plus,wods"] = "did you mean 'words'?",
    ["sync INPUT MAP --consent-basis consnt"] = "did you mean 'consent'?",
    ["sync INPUT MAP --escape backslahs"] = "did you mean 'backslash'?",
    ["sync INPUT MAP --encoding utf8x"] = "did you mean 'utf-8'?",
    ["sync INPUT MAP --delimiter semicolo"] = "did you mean 'semicolon'?",
    ["sandbox --until-eof --set task_secons=1"] = "did you mean task_seconds?",
  } do
    it("has one that was meant: " .. words, function()
      local said = complaint(words)
      assert.equal(1, select(2, said:gsub("did you mean", "")), said)
      assert.truthy(said:find(meant, 1, true), said)
    end)
  end

  for _, words in ipairs {
    "xyzzy", "help xyzzy", "sync INPUT --xyzzy", "sync INPUT -y", "sync INPUT --mode other", "hash a@example.org email",
    "sync INPUT --audience a --map external_id=id --map xyzzy=mail", "sync INPUT MAP --phone-repairs xyzzy",
    "sync INPUT MAP --consent-basis xyzzy", "sandbox --until-eof --set xyzzy=1",
    "wait t --sandbx", -- an option that its help leaves out
  } do
    it("has none where nothing is like it: " .. words, function()
      local said = complaint(words)
      assert.is_nil(said:lower():find("did you mean", 1, true), said)
    end)
  end

  it("is not repeated where it may be a value", function()
    assert.is_nil(complaint("sync INPUT --mode upsertt"):find("upsertt", 1, true))
    assert.is_nil(complaint("hash emial jane@example.org"):find("jane", 1, true))
  end)
end)
