-- What a night writes into its state before a request is on the disk when the request leaves: no loss of power takes a
-- request away that was sent. It looks at the calls of the process.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local process = require "spec.mirror.seasons.process"
local world = require "spec.support.world"

describe("a request of a night", function()
  local folder, service = world.path ".night", nil

  setup(function()
    assert(os.execute("mkdir -p " .. folder))
    service = process.service(process.SETTINGS)
  end)

  teardown(function()
    service:close()
    os.execute("rm -rf " .. folder)
  end)

  -- Runs one, and gives its calls in order: { call, file or first word sent }.
  local function night(rows)
    local log, csv = folder .. "/log", folder .. "/crm.csv"
    os.remove(log)
    world.write(csv, "id,mail,consent\n" .. rows)
    local ran = process.run(folder, process.words(nil, { { csv, "--state", folder .. "/crm.state", "--mirror",
      "--max-members", "2", "--max-removed", "100%", "--wait=6000", "--base-url", service.url } }),
      { ahead = 0, speed = process.SPEED, log = log })
    assert.equal(0, ran.code, ran.complaint)
    local calls = {}
    for call, what in world.read(log):gmatch "(%S+) ([^\n]*)\n" do
      calls[#calls + 1] = { call, what }
    end
    return calls
  end

  -- How many requests left, of how many writes into the state before them; all of these were synced.
  local function check(calls)
    local waits, writes, posts, written_since = {}, 0, 0, 0
    for _, one in ipairs(calls) do
      local call, what = one[1], one[2]
      local is_state = what:find("crm%.state") and not what:find "%-shm$" -- which SQLite makes anew
      if is_state and call:find "sync$" then
        waits[what] = nil
      elseif is_state then
        waits[what], writes, written_since = true, writes + 1, written_since + 1
      elseif call == "send" and what == "POST" then
        assert.is_nil(next(waits), ("written and not synced when a request left: %s"):format(tostring(next(waits))))
        assert.is_true(written_since > 0, "nothing was written before a request")
        posts, written_since = posts + 1, 0
      end
    end
    return posts, writes
  end

  it("leaves when all that the state says of it is on the disk", function()
    local posts, writes = check(night "a,a@example.org,yes\nb,b@example.org,yes\nc,c@example.org,yes\n")
    assert.equal(2, posts)
    assert.is_true(writes > 4)
    posts = check(night "a,new@example.org,yes\nc,c@example.org,yes\nd,d@example.org,yes\n")
    assert.equal(2, posts) -- who is added or changed, and who leaves
  end)
end)
