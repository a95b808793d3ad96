--- `scope3 sandbox`: runs in front until Ctrl-C.
local output = require "scope3.cli.output"
local setting = require "scope3.cli.setting"

local command = {}

---@param args table
---@param exit table
---@return integer
function command.main(args, exit)
  local ok, sandbox = pcall(require, "scope3.sandbox")
  if not ok then
    setting.fail("the sandbox needs cqueues for this Lua (luarocks install cqueues, or apt install lua-cqueues)", "failed")
    return exit.FAILED
  end
  local served, why = pcall(sandbox.serve, {
    port = args.port, until_eof = args.until_eof, task_seconds = args.task_seconds, rate_limit = args.rate_limit,
    on_listen = function(url)
      output.say(("listening on %s\n"):format(url))
      output.say(("try: scope3 sync FILE --base-url %s --account 25 --audience demo --map … (SCOPE3_API_KEY=scope3_anything)\n"):format(url))
    end,
  })
  if not served and tostring(why):find("interrupted!", 1, true) then
    return exit.STOPPED -- Ctrl-C, as the interpreter says it
  elseif not served then
    setting.fail((tostring(why):gsub("^.-sandbox: ", "the sandbox: ")), "failed")
    return exit.FAILED
  end
  return exit.OK
end

return command
