-- States of mirrors with people in them, for specs.
local core = require "scope3.core"
local folding = require "scope3.mirror.folding"
local json = require "scope3.util.json"
local members = require "scope3.mirror.members"
local states = require "spec.support.states"

local peopled = {}

--- Packs operations { op, audience, id, version }.
function peopled.packed(kept, run, list)
  local chunk = core.mirror.chunk(run)
  for _, entry in ipairs(list) do
    local version = ("%08d"):format(entry[4] or 0)
    assert(chunk:add(entry[1], entry[2], entry[3], core.mirror.key_hash(kept.key, entry[3]), version, version))
  end
  local blob = chunk:blob()
  chunk:close()
  return blob
end

--- Keeps a chunk with a request of all its operations, which came to a state of a try, or was begun.
---@return integer n  of the chunk
function peopled.cut(kept, run, list, came_to, begun)
  local request = 1
  for _, chunk in ipairs(assert(kept:open_chunks())) do
    request = request + #chunk.tries
  end
  begun = begun or 1000
  local n = assert(kept:cut(run, request, peopled.packed(kept, run, list),
    { request = request, first = 1, last = #list, begun = begun }))
  if came_to == "accepted" then
    assert(kept:accepted(run, request, "task-" .. request))
  elseif came_to ~= "begun" then
    assert(kept:ended(run, request, came_to, begun + 60))
  end
  return n
end

--- A night with one chunk that came to something, and its counts.
function peopled.night(kept, at, list, came_to, counts)
  local run = assert(kept:begin_run(at))
  peopled.cut(kept, run, list, came_to, at + 1)
  if counts then
    assert(kept:end_run(run, at + 90, counts))
  end
  return run
end

--- Folds all chunks up to one into the partitions.
---@param stop_at? integer  partition at which it fails
function peopled.fold(kept, last, stop_at)
  local fold = assert(core.mirror.fold { parts = kept.parts, audiences = #kept.about.audiences })
  assert(members.give(kept, fold, assert(kept:open_chunks()), 0, last))
  local outcomes = json.array {}
  for _, chunk in ipairs(assert(kept:open_chunks())) do
    outcomes[#outcomes + 1] = chunk.n <= last and json.array(folding.outcomes(chunk)) or nil
  end
  local ok, err = kept:fold(last, json.encode(outcomes), function(k, blob)
    if k == stop_at then
      return nil, "stopped"
    end
    return fold:part(k, blob) or blob
  end)
  fold:close()
  return ok, err
end

--- Everybody in a state: "standing time mark" by id.
function peopled.all(kept, hashes)
  local reading, found = assert(members.open(kept, hashes)), {}
  local id, standing, at, mark = reading:next()
  while id do
    assert(not found[id], "somebody stands twice")
    found[id] = ("%s %s %s"):format(standing, tostring(at), tostring(mark))
    id, standing, at, mark = reading:next()
  end
  assert(not standing, standing)
  reading:close()
  return found
end

--- A state of two audiences with two nights: the first was folded, the second is still under way.
function peopled.usual(path, fields)
  local kept = assert(states.open(path, fields))
  peopled.night(kept, 1795000000, { { "add", 0, "ann" }, { "add", 1, "ann" }, { "add", 0, "bob" }, { "add", 1, "cy,d" },
    { "add", 0, "dee", 2 } }, "completed", { added = 5, before = 4, sent_bytes = 2048 })
  assert(peopled.fold(kept, 1))
  local run = peopled.night(kept, 1795086400, { { "remove", 0, "bob" }, { "add", 0, "eve" } }, "accepted")
  peopled.cut(kept, run, { { "add", 1, "dee", 2 } }, "failed", 1795086402)
  assert(kept:cut(run, 0, peopled.packed(kept, run, { { "rejected", 0, "fay", 7 } })))
  return kept, run
end

return peopled
