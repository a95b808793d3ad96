--- `scope3 init`: writes a script for a file of unknown form, and says what to run next.
local context = require "scope3.cli.context"
local core = require "scope3.core"
local json = require "scope3.util.json"
local look = require "scope3.cli.look"
local look_table = require "scope3.cli.look_table"
local output = require "scope3.cli.output"
local overwritten = require "scope3.cli.overwritten"
local replaced = require "scope3.cli.replaced"
local script_text = require "scope3.input.look.script_text"
local suggestion = require "scope3.cli.suggestion"
local text = require "scope3.cli.text"

local new_script = {}

-- What keeps a script from being written to a path, or nil.
local function path_problem(path, args)
  local identity = core.file_identity(path)
  if path == "-" then
    return "--output takes the path of a file, and cannot be -"
  elseif identity and identity == core.file_identity(args.file) then
    return "--output and the file of rows are the same file, which would be overwritten"
  elseif identity and not args.force then
    return ("%s exists: --force overwrites it, and --output names another file"):format(path)
  end
  return overwritten.problem({ output = path }, { args.file })
end

-- What to run next. Nothing where no terminal takes the names.
local function next_commands(path, file)
  if not (suggestion.is_writable(path) and suggestion.is_writable(file)) then
    return {}
  end
  path = suggestion.path(path)
  local run = ("scope3 run %s %s"):format(text.word(path), text.word(suggestion.path(file)))
  local commands = {
    { "try it, without sending", run .. " --dry-run" },
    { "send to a sandbox of its own", run .. " --sandbox --wait" },
    { "send, with SCOPE3_API_KEY and SCOPE3_ACCOUNT_ID", run .. " --wait" },
  }
  if file ~= "-" then -- a journal and a state need rows that can be read again
    local stem = path:gsub("%.lua$", "")
    commands[3][2] = commands[3][2] .. " --journal " .. text.word(stem .. ".journal")
    commands[4] = { "or send a whole list every night: only what changed goes, and who is gone leaves",
      run .. " --wait --mirror --state " .. text.word(stem .. ".state") }
  end
  return commands
end

-- Says what was written, and what to run.
local function report(seen, path)
  local commands, lines = next_commands(path, seen.path), { ("\nWrote %s.\n"):format(text.visible(path)) }
  local object = { script = path, file = seen.path, unsure = json.array(seen.proposal.unsure),
    commands = json.array {} }
  for i, one in ipairs(commands) do
    lines[#lines + 1] = ("\n# %s\n%s\n"):format(one[1], one[2])
    object.commands[i] = one[2]
  end
  if #commands == 0 then
    lines[2] = look_table.UNWRITABLE .. "\n"
  end
  output.object(object)
  if seen.proposal.sure_of_consent then
    lines[1] = lines[1] .. "It sends only the rows that say yes in the column of consent.\n"
  end
  output.say(look_table.proposal(seen) .. table.concat(lines) .. "\n" .. look_table.PRIVATE)
end

---@param args table
---@param exit table
---@return integer
function new_script.main(args, exit)
  local path = args.output or suggestion.stem(args.file) .. ".lua"
  local problem = path_problem(path, args)
  if problem then
    return context.wrong_usage(problem, exit)
  end
  local seen, code = look.seen(args, exit)
  if not seen then
    return code
  end
  code = look.damage(seen, args, exit)
  if code then
    output.say "No script was written. --rows says how many rows to look at, where the first of them suffice.\n"
    return code
  elseif not seen.proposal.usable then
    output.say(look_table.proposal(seen))
    context.fail("no script was written: no map was found that would send the file", "nothing")
    return exit.NOTHING
  end
  local written, why = replaced.write(path, script_text.of(seen, {
    file = text.visible(seen.path), audience = suggestion.audience(seen.path), column = suggestion.columns(seen),
    fields = suggestion.fields(seen),
  }))
  if not written then
    context.fail(("cannot write %s: %s"):format(path, why), "failed")
    return exit.FAILED
  end
  report(seen, path)
  return exit.OK
end

return new_script
