-- A job over several files is resumed with its journal, also where a request runs over the end of a file.
local world = require "spec.support.world"

describe("the journal of a job over several files", function()
  local sandbox = world.around(setup, teardown, before_each)
  local SCRIPT = { audience = "a", map = { external_id = "id", email = "mail" } }

  local function file(first, last)
    local lines = { "id,mail" }
    for i = first, last do
      lines[#lines + 1] = ("%d,m%d@example.com"):format(i, i)
    end
    return world.file(table.concat(lines, "\n") .. "\n", ".csv")
  end

  it("is resumed where requests run over the end of a file, in order, in epochs and side by side", function()
    local files = { file(1, 10), file(11, 13), file(14, 30), file(5, 8) }
    local kinds = { plain = {}, epochs = { unique = true }, parallel = { concurrency = 3 } }
    for name, opts in pairs(world.thorough and kinds or { epochs = kinds.epochs }) do
      sandbox:reset()
      sandbox:configure { task_seconds = 0.02 }
      local client, path = sandbox:client(), world.path ".journal"
      opts.max_members, opts.journal, opts.in_doubt_timeout = 7, path, 0
      local res = assert(client:run(SCRIPT, files, opts))
      assert(res:wait())
      world.assert_sums(res)
      local requests, sent = #sandbox:requests "sync", res.accepted
      res = assert(client:run(SCRIPT, files, opts))
      assert(res:wait())
      assert.same({ sent, sent, requests }, { res.accepted, res.resumed, #sandbox:requests "sync" }, name)
      world.assert_sums(res)
      local whole = world.read(path)
      for cut = 2, 6 do -- killed after so many records
        local lines = {}
        for line in whole:gmatch "[^\n]+" do
          lines[#lines + 1] = #lines < cut and line or nil
        end
        world.write(path, table.concat(lines, "\n") .. "\n")
        res = assert(client:run(SCRIPT, files, opts))
        assert(res:wait())
        assert.equal(sent, res.accepted, name .. " after " .. cut)
        world.assert_sums(res)
      end
      assert.equal(30, #sandbox:ids "a")
    end
  end)
end)
