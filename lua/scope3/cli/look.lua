--- `scope3 look`: what a file of unknown form holds, and the command that would send it.
local context = require "scope3.cli.context"
local errors = require "scope3.error"
local json = require "scope3.util.json"
local look_at = require "scope3.input.look"
local look_table = require "scope3.cli.look_table"
local messages = require "scope3.cli.messages"
local dialect = require "scope3.input.dialect"
local output = require "scope3.cli.output"
local plural = require "scope3.util.plural"
local suggestion = require "scope3.cli.suggestion"

local look = {}

--- The options that say how the file is written, as the arguments give them.
---@param args table
---@return table
local function given(args)
  local header -- nil: it is found; `and false or nil` would never be false
  if args.no_header then
    header = false
  end
  return {
    format = args.format, delimiter = dialect.delimiter(args.delimiter), skip_lines = args.skip_lines,
    quote = args.quote, escape = args.escape, null = args.null, encoding = args.encoding,
    header = header,
  }
end

--- Looks at the file of the arguments. Says what is wrong where that fails.
---@param args table
---@param exit table
---@return scope3.Look?
---@return integer? code
function look.seen(args, exit)
  local opts = given(args)
  local problem = dialect.problem(opts)
  if problem then
    return nil, context.wrong_usage(messages.problem(problem, args), exit)
  end
  local seen, err = look_at.at(args.file, opts, args.rows, context.stop_flag())
  if not seen then
    context.check_stop()
    return nil, context.refuse(err, args, exit)
  end
  return seen
end

local function column_object(facts)
  return {
    name = not facts.hidden and facts.name or nil, number = facts.number, filled = facts.filled,
    distinct = facts.distinct, emails = facts.emails, hashes = facts.hashes, phones = facts.phones,
    national_phones = facts.national, yes = facts.yes, no = facts.no, regions = json.array(facts.regions or {}),
    countries = facts.countries, codes = json.array(facts.codes), uid_type = facts.uid_type,
    samples = json.array(facts.samples),
  }
end

local function map_of(seen)
  local map, why, column = {}, {}, suggestion.columns(seen)
  for _, field in ipairs(seen.proposal.fields) do
    local list = json.array {}
    for i, facts in ipairs(field.columns) do
      list[i] = column(facts)
    end
    map[field.field], why[field.field] = list, field.why
  end
  return map, why
end

local function object_of(seen)
  local columns = json.array {}
  for i, facts in ipairs(seen.columns) do
    columns[i] = column_object(facts)
  end
  local map, why = map_of(seen)
  local words = seen.proposal.usable and suggestion.words(seen, { "--dry-run" })
  local made, reading = seen.proposal, {}
  for _, field in ipairs(suggestion.fields(seen)) do
    reading[field.key] = field.value
  end
  return {
    file = seen.path, format = seen.opts.format, encoding = seen.encoding,
    delimiter = seen.delimiter and suggestion.delimiter(seen.delimiter), reading = reading,
    rows = seen.rows, unreadable_rows = seen.refused, all_rows = seen.all, columns = columns, map = map, why = why,
    region = made.region, ids = made.ids, unsure = json.array(made.unsure),
    trial = seen.trial, consent = made.consent and made.consent.name,
    command = words and table.concat(words, " ") or nil,
  }
end

--- Reports where the file could not be read as far as was asked: it is damaged, or none of its rows can be read.
---@param seen scope3.Look
---@param args table
---@param exit table
---@return integer? code  nil where nothing is wrong
function look.damage(seen, args, exit)
  local err = seen.broken
  if not err and seen.rows == 0 and seen.refused > 0 then
    err = errors.new("source", ("%s: none of %s that %s looked at can be read"):format(
      args.file == "-" and "standard input" or args.file, plural.of(seen.refused, "row"),
      plural.words(seen.refused, "was", "were")), { code = "unreadable" })
  end
  return err and context.refuse(err, args, exit) or nil
end

---@param args table
---@param exit table
---@return integer
function look.main(args, exit)
  local seen, code = look.seen(args, exit)
  if not seen then
    return code
  end
  output.object(object_of(seen))
  output.say(look_table.of(seen))
  local code_of_damage = look.damage(seen, args, exit)
  if code_of_damage then
    return code_of_damage
  elseif seen.trial and seen.trial.members == 0 and not seen.proposal.usable then
    context.fail("no row that was looked at gives a member with the proposed map", "nothing")
    return exit.NOTHING
  end
  return exit.OK
end

return look
