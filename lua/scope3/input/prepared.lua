--- Rows that are members already: lines as `scope3 prepare` writes them, with the keys that a request has. They are
--- checked, and go as they are.
local prepared = {}

--- What is read of a line. Its universal ids name their types themselves.
---@return scope3.MapTarget[]
function prepared.targets()
  return {
    { path = "external_id", role = "external_id", column = "externalId" },
    { path = "hashed_email", role = "hashed_email", column = "hashedEmail" },
    { path = "hashed_phone", role = "hashed_phone", column = "hashedPhone" },
    { path = "uids", role = "uids", uid_type = "uids", column = "uids" },
  }
end

--- Lines of one person, whose ids end in numbers, that a list of ids has to find.
prepared.MEMBERS = 16 -- as scope3.input.map has it, which a sync of members in memory does without

-- What is done once, where the raw rows are.
local READING = { "region", "phone_repairs", "repair" }

--- An option that nothing of such rows uses.
---@param given table
---@return string? name
---@return string? why
function prepared.ineffective(given)
  for _, key in ipairs(READING) do
    if given[key] ~= nil then
      return key, "has no effect on members that are prepared: what they were made of is not here"
    end
  end
  if given.ids == "hash" then
    return "ids", "cannot be hash where members are prepared: ids are hashed where they are"
  elseif given.format == "csv" then
    return "format", "cannot be csv where members are prepared: they are JSON Lines"
  end
end

--- What a script that says `prepared` may not have, or nil.
---@param t table
---@return string?
function prepared.problem(t)
  for _, key in ipairs { "map", "member", "where", "audiences" } do
    if t[key] ~= nil then
      return ("a script with prepared has no %s: its rows are members already"):format(key)
    end
  end
end

return prepared
