--- Folds what has ended into the partitions of a state, and says what became of what has not.
local core = require "scope3.core"
local json = require "scope3.util.json"
local protocol = require "scope3.mirror.protocol"

local folding = {}

local SHARE = 10 -- a fold is due when chunks weigh more than one part of so many of the members
local LEAST = 1048576 -- bytes of chunks for which no fold is worth its writes
local MOST = 256 -- chunks; each is read at the beginning of a night

--- How many operations of a chunk a request had: those behind them were never sent.
---@param chunk scope3.StateChunk
---@return integer
function folding.count(chunk)
  local count = 0
  for _, try in ipairs(chunk.tries) do
    count = math.max(count, try.last)
  end
  return count
end

--- What became of the operations of a chunk, for the core. Those that no request had are left out.
---@param chunk scope3.StateChunk
---@return scope3.MirrorRange[]
function folding.outcomes(chunk)
  local count = folding.count(chunk)
  return count > 0 and protocol.outcomes { count = count, tries = chunk.tries } or {}
end

-- How many of the oldest chunks a fold would take in; 0 where none is due.
local function due(chunks, members)
  local count, bytes = protocol.foldable(chunks), 0
  for i = 1, count do
    bytes = bytes + chunks[i].size
  end
  if count > MOST or bytes > math.max(LEAST, members / SHARE) then
    return count
  end
  return 0
end

-- Makes what a partition is with the chunks of a fold in it.
local function applier(store, fold)
  local outcomes = json.decode(fold.outcomes)
  if type(outcomes) ~= "table" or #outcomes ~= fold.last - fold.first + 1 then
    return store:fail { message = "it is damaged", code = "damaged" }
  end
  local made, message, code = core.mirror.fold { parts = store.parts, audiences = store.audiences }
  if not made then
    return store:fail { message = message, code = code }
  end
  local ok
  for i, ranges in ipairs(outcomes) do
    local shown, err = store:show_chunk(fold.first + i - 1, function(blob)
      ok, message, code = made:chunk(blob, ranges)
    end)
    if not shown or not ok then
      made:close()
      return nil, err or select(2, store:fail { message = message, code = code })
    end
  end
  return made
end

-- What store:fold() and store:finish_fold() call for each partition.
local function apply_with(store)
  local made
  return function(k, members, fold)
    local err
    if not made then
      made, err = applier(store, fold)
      if not made then
        return nil, err
      end
    end
    local blob, message, code = made:part(k, members)
    if blob == nil then
      return store:fail { message = message, code = code }
    end
    return blob or members
  end, function()
    if made then
      made:close()
    end
  end
end

-- Runs a fold; what it holds is freed, and so are the pages of its chunks.
local function run(store, work)
  local apply, close = apply_with(store)
  local fine, ok, err = pcall(work, apply)
  close()
  if not fine then
    error(ok, 0)
  end
  if ok then
    ok, err = store:shrink()
  end
  return ok, err
end

--- Ends a fold that was begun. Nothing can be read of the partitions before.
---@param store scope3.MirrorStore
---@return true?
---@return scope3.Error? err
function folding.finish(store)
  if not store.folding then
    return true
  end
  return run(store, function(apply)
    return store:finish_fold(apply)
  end)
end

--- Folds the oldest chunks where that is due.
---@param store scope3.MirrorStore
---@param chunks scope3.StateChunk[]  all that are there; none that this process may yet send
---@return scope3.StateChunk[]? left
---@return scope3.Error? err
function folding.fold(store, chunks)
  local figures, err = store:figures()
  if not figures then
    return nil, err
  end
  local count = due(chunks, figures.members)
  if count == 0 then
    return chunks
  end
  local outcomes, left = json.array {}, {}
  for i, chunk in ipairs(chunks) do
    if i <= count then
      outcomes[i] = json.array(folding.outcomes(chunk))
    else
      left[#left + 1] = chunk
    end
  end
  local ok
  ok, err = run(store, function(apply)
    return store:fold(chunks[count].n, json.encode(outcomes), apply)
  end)
  return ok and left or nil, err
end

return folding
