--- The `scope3` command: a shell round the client. Its exit codes are explained in scope3.cli.exit_code.
---
--- What only some words need is loaded when they come: --version answers without the client.
local argv = require "scope3.cli.argv"
local core = require "scope3.core"
local exit_code = require "scope3.cli.exit_code"
local output = require "scope3.cli.output"
local version = require "scope3.version"

local cli = {}

local EXIT = exit_code
cli.EXIT = EXIT

-- The module of each command. It is loaded when the command runs.
local COMMANDS = {
  prepare = "scope3.cli.prepare",
  sync = "scope3.cli.send", run = "scope3.cli.send", audiences = "scope3.cli.inspect", task = "scope3.cli.inspect",
  wait = "scope3.cli.inspect", hash = "scope3.cli.hash", sandbox = "scope3.cli.sandbox", doctor = "scope3.cli.doctor",
  help = "scope3.cli.help", completion = "scope3.cli.completion",
  state = "scope3.cli.state", history = "scope3.cli.history",
  forget = "scope3.cli.forget", drain = "scope3.cli.drain", look = "scope3.cli.look", init = "scope3.cli.new_script",
}

local function wrong_usage(root, words, problem)
  require("scope3.cli.context").wrong_usage(tostring(problem), EXIT) -- it may repeat what was given
  io.stderr:write("\n", require("scope3.cli.help").pointer(root, words[1]))
  return EXIT.USAGE
end

local function show_version()
  output.object { version = version }
  output.say("scope3 " .. version .. "\n")
  return EXIT.OK
end

-- What --version and --help ask for. The error ends argparse's parsing; argparse keeps only the text of an error.
local asked

local function ask(fields)
  return function()
    asked = fields
    error("asked for help or the version", 0)
  end
end

-- Parses the words: the arguments, or nil and what is wrong with them.
local function parse(root, words)
  local problem = argv.number_problem(words)
  if problem then
    return nil, problem
  end
  asked = nil
  local parsed, ok, args = pcall(root.pparse, root, words)
  if asked then
    return nil
  elseif not parsed then
    error(ok, 0)
  elseif not ok then
    return nil, require("scope3.cli.suggest").better(argv.explain(args, words), words, root)
  end
  problem = argv.count_problem(args) or require("scope3.cli.usage").problem(args)
  return not problem and args or nil, problem
end

-- Runs the command. `given` keeps its arguments for the handler of errors.
local function run(words, given)
  local context, parser = require "scope3.cli.context", require "scope3.cli.parser"
  require("scope3.cli.color").begin(words, output.is_json())
  local found, argparse = pcall(require, "argparse")
  if not found then
    context.fail("the command needs argparse for this Lua (luarocks install argparse, or apt install lua-argparse)",
      "failed")
    return EXIT.FAILED
  end
  local root = parser.build(argparse, version, ask, words[1])
  local args, problem = parse(root, words)
  if asked and asked.version then
    return show_version()
  elseif asked then
    return require("scope3.cli.help").show(root, asked.parser, EXIT)
  elseif not args then
    return wrong_usage(root, words, problem)
  end
  given.args, given.metrics = args, args.metrics and require "scope3.cli.metrics_file"
  local code = require(COMMANDS[args.command]).main(args, EXIT, root)
  return code ~= EXIT.STOPPED and context.sandbox_broke() and EXIT.FAILED or code
end

local function run_guarded(words, given)
  return require("scope3.cli.error_handler").guard(function()
    return run(words, given)
  end, given, EXIT)
end

--- Runs the command line.
---@param words string[]  as `arg` has them
---@return integer code  for the process to exit with
function cli.main(words)
  core.hold_standard()
  if words[1] ~= "sandbox" then -- that command ends at the signal itself
    core.catch_stop()
  end
  output.begin(argv.asks_for_json(words))
  local given, began = { args = {} }, core.now()
  local code = argv.asks_for_version(words) and show_version() or run_guarded(words, given)
  if core.stopped() and code ~= EXIT.OK and code ~= EXIT.STOPPED then
    output.stopped()
    code = EXIT.STOPPED
  end
  if given.metrics then
    return given.metrics.finish(given.args.metrics, code, core.now() - began, EXIT)
  end
  return output.finish(code, EXIT)
end

return cli
