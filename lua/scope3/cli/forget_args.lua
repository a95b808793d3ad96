--- Arguments of `scope3 forget` that contradict each other, or of which one would have no effect.
local messages = require "scope3.cli.messages"

local forget_args = {}

-- What is wrong with where the ids of people come from.
local function ids_problem(args)
  if args.file and #args.id > 0 then
    return "--file and ids contradict each other: give the one or the other"
  elseif not args.file and #args.id == 0 then
    return "the ids are missing: name them, or --file FILE, which has one a line"
  end
  for _, id in ipairs(args.id) do
    if id == "" then
      return "an id is empty"
    end
  end
end

-- Options of forget that would do nothing beside another one.
local function without_effect(args)
  if args.sandbox then
    return "--sandbox has no effect on forget: a private sandbox has no audiences"
  end
  for _, key in ipairs { "wait", "timeout" } do
    if args.dry_run and args[key] then
      return ("%s has no effect with --dry-run, which sends nothing"):format(messages.option(key))
    end
  end
  if args.phone_repairs and args.ids ~= "hash" then
    return "--phone-repairs has no effect without --ids hash"
  elseif args.region and args.ids == "as_is" then
    return "--region has no effect with --ids as_is"
  end
end

--- What is wrong with the words, before they are parsed, or nil. A number behind --wait may be an id, of whom nobody
--- would think any more.
---@param words string[]
---@return string?
function forget_args.words_problem(words)
  local is_file, is_doubtful = false, false
  for i, word in ipairs(words) do
    is_file = is_file or word:find("^%-%-file%f[^a-z]") ~= nil
    is_doubtful = is_doubtful or word == "--wait" and tonumber(words[i + 1]) ~= nil
  end
  if is_doubtful and not is_file then
    return "the number behind --wait may be seconds or an id: write --wait=SECONDS, or put --wait behind the ids"
  end
end

--- What is wrong with the arguments, or nil.
---@param args table
---@return string?
function forget_args.problem(args)
  return ids_problem(args) or without_effect(args)
end

return forget_args
