--- `scope3 sandbox`: runs in front until Ctrl-C.
local output = require "scope3.cli.output"
local context = require "scope3.cli.context"
local settings = require "scope3.sandbox.settings"

local command = {}

-- The settings that the arguments give; nil and what is wrong with one.
local function settings_of(args)
  local found = { task_seconds = args.task_seconds, rate_limit = args.rate_limit }
  for _, text in ipairs(args.set or {}) do
    local name, value = settings.read(text)
    if not name then
      return nil, "--set: " .. value
    elseif found[name] ~= nil then
      return nil, ("%s is set twice"):format(name)
    end
    found[name] = value
  end
  local problem = settings.change({}, found)
  if problem then
    return nil, problem
  end
  return found
end

---@param args table
---@param exit table
---@return integer
function command.main(args, exit)
  local ok, sandbox = pcall(require, "scope3.sandbox") -- fails without cqueues, which only this command needs
  if not ok then
    context.fail("the sandbox needs cqueues for this Lua (luarocks install cqueues, or apt install lua-cqueues)",
      "failed")
    return exit.FAILED
  end
  local opts, problem = settings_of(args)
  if not opts then
    return context.wrong_usage(problem, exit)
  end
  opts.port, opts.until_eof = args.port, args.until_eof
  opts.on_listen = function(url)
    output.say(("listening on %s\n"):format(url))
    output.say(("try: scope3 sync FILE --base-url %s --account 25 --audience demo --map … "
      .. "(SCOPE3_API_KEY=scope3_anything)\n"):format(url))
  end
  local served, why, failures = pcall(sandbox.serve, opts)
  if served and not why then
    context.fail(failures, "failed")
    return exit.FAILED
  elseif not served and tostring(why):find("interrupted!", 1, true) then
    return exit.STOPPED -- Ctrl-C, as the interpreter says it
  elseif not served then
    context.fail((tostring(why):gsub("^.-sandbox: ", "the sandbox: ")), "failed")
    return exit.FAILED
  end
  return exit.OK
end

return command
