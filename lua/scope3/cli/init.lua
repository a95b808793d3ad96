--- The `scope3` command: a shell round the client. What its exit codes mean stands in scope3.cli.exit_code.
local core = require "scope3.core"
local exit_code = require "scope3.cli.exit_code"
local fault = require "scope3.cli.fault"
local options = require "scope3.util.options"
local output = require "scope3.cli.output"
local context = require "scope3.cli.context"
local usage = require "scope3.cli.usage"
local version = require "scope3.version"

local cli = {}

local EXIT = exit_code
cli.EXIT = EXIT

local function add_quiet(command)
  command:flag("-q --quiet", "Print nothing but errors.")
end

local function add_common(command, no_sandbox)
  command:flag("--json", "Print one JSON object instead of text.")
  command:option("--base-url", "The service's address (SCOPE3_BASE_URL).")
  command:option("--account", "The advertiser's id, such as 25 (SCOPE3_ACCOUNT_ID).")
  command:option("--ca-file", "CA certificates to trust instead of the system's (SCOPE3_CA_FILE).")
  command:option("--rate", "Requests a minute (100)."):convert(tonumber)
  command:option("--limiter", "Share the rate through FILE with the other commands of this machine that name it."):argname("FILE")
  -- Where it is a wrong usage (scope3.cli.usage), the help is silent about it.
  command:flag("--sandbox", "Start a private sandbox for this run and talk to it; needs no key."):hidden(no_sandbox or false)
end

local function add_wait(command)
  command:option("--wait",
    "Wait until the tasks and audiences are done, for at most SECONDS (48 hours). --delete-missing waits no longer.")
    :argname("SECONDS"):args("?")
end

local function add_repairs(command)
  command:option("--phone-repairs", "Repairs beyond Google's rules, by commas: decimal, plus, mexico, words, trunk_zero, "
    .. "double_zero, first, benin, ivory_coast, brazil; or all.")
    :argname("NAMES")
end

local function add_job(command)
  add_common(command)
  add_quiet(command)
  add_wait(command)
  command:flag("--require-ready", "With --wait: exit with 3 unless each audience is READY.")
  command:flag("--dry-run", "Do everything but send, and say what would be sent; needs no key.")
  command:option("--rejects", "Write row, column and reason of everything refused to FILE (CSV, no values); - is standard output."):argname("FILE")
  command:flag("--strict", "Exit with 1 when any row was rejected, or a stray quote swallowed lines.")
  command:option("--max-rejected",
    "Exit with 3 when more rows were rejected than N, or than a share such as 5% of those not skipped."):argname("N")
  command:option("--min-accepted", "Exit with 3 when fewer members were accepted or removed than N."):argname("N")
    :convert(tonumber)
  command:flag("--allow-empty", "Exit with 0 although the input gave no members.")
  command:option("--audience", "The audience's id.")
  command:option("--name", "The audience's name.")
  command:option("--consent-basis", "consent, legitimate_interest, contract or legal_obligation.")
  command:option("--region", "The country of phones in national form, where a row names none: US, USA or United States.")
  add_repairs(command)
  command:flag("--no-repair", "Refuse what would otherwise be repaired in an identifier, such as mailto:.")
  command:option("--ids",
    "What becomes of ids that are emails or phones: refuse (default), hash (their SHA-256 is the id) or as_is.")
    :choices { "refuse", "hash", "as_is" }
  command:option("--mode", "What a row does: upsert (default) or remove."):choices { "upsert", "remove" }
  command:flag("--unique", "Let a repeated id wait until the tasks of the earlier requests have ended.")
  command:option("--concurrency", "Requests under way at once (1, at most 16)."):convert(tonumber)
  command:option("--journal", "Keep in FILE what was sent; the same command with it goes on where this one stopped."):argname("FILE")
  command:option("--delete-missing", "At the end delete the account's other audiences: these IDS, by commas, or all."):argname("IDS")
  command:option("--max-members", "Members a request (100000)."):convert(tonumber)
  command:option("--max-bytes", "Bytes of a request's body (8388608)."):convert(tonumber)
  command:option("--timeout", "Seconds for one request (60, and 1 for each 100 kB)."):convert(tonumber)
  command:option("--deadline", "Seconds for sending everything (none)."):convert(tonumber)
  command:option("--in-doubt-timeout", "Seconds to wait before what contradicts a request whose answer was lost; without it the job stops there."
    ):convert(tonumber)
  command:option("--patience", "Seconds to go on while the service cannot be reached or answers 502, 503 or 504 (300).")
    :convert(tonumber)
  command:flag("--keep-going",
    "Go on with the other requests where the service refuses one for its content; the exit code is 1 all the same.")
  command:option("--delimiter",
    "What separates columns: a character, tab, comma, semicolon, pipe, space, or a code such as \\x01 (found by itself).")
  command:option("--skip-lines", "Lines before the header of CSV that are passed over (none)."):argname("N")
    :convert(tonumber)
  command:option("--quote", "What encloses values of CSV: one character, or none (\")."):argname("CHARACTER")
  command:option("--escape", "backslash: as MySQL, PostgreSQL and Hive write \\t, \\n, \\\\ and \\N; or none (none)."):argname("NAME")
  command:option("--null", "What stands for no value in CSV where it is not quoted (\\N with --escape backslash)."):argname("TEXT")
  command:option("--encoding",
    "The files' encoding: utf-8 (default), windows-1252, iso-8859-1, utf-16le and others; a byte order mark tells it.")
    :argname("NAME")
  command:flag("--no-header", "The file has no header: columns are given by number.")
  command:option("--format", "csv or jsonl (by the file's name)."):choices { "csv", "jsonl" }
end

-- argparse lets the last of two values win, so that `--audience a --audience b` sends to b alone. An option that is given
-- twice is a wrong usage.
local function once(parser)
  for _, command in ipairs(parser._commands) do
    for _, option in ipairs(command._options) do
      if option._maxcount == 1 and option._maxargs ~= 0 then
        option:overwrite(false)
      end
    end
  end
end

-- What was asked for beside a command. It ends the reading of the arguments by an error, of which argparse keeps no more
-- than its text.
local asked

local function ask(fields)
  return function()
    asked = fields
    error("asked for help or the version", 0)
  end
end

-- argparse prints the help and ends the process by itself.
local function tell_help(parser)
  parser._options[parser._help_option_idx]:action(ask { parser = parser })
  for _, command in ipairs(parser._commands) do
    command._options[command._help_option_idx]:action(ask { parser = command })
  end
end

local function build_parser(argparse)
  local parser = argparse("scope3", "Carries first-party audiences into Scope3: rows in, hashed members out.",
    "From the environment: SCOPE3_API_KEY (the key), SCOPE3_ACCOUNT_ID, SCOPE3_BASE_URL, SCOPE3_CA_FILE.\n"
    .. "Exit codes, the first that holds: 4 standard output could not be written; 130 stopped; 2 usage; 70 a fault of\n"
    .. "scope3 itself; 1 something failed, was never answered or was rejected by the service, or under --strict a row\n"
    .. "was rejected or lines were swallowed; 3 nothing was accepted or removed, or a threshold was missed; 0 all else.")
  parser:command_target("command")
  parser:require_command(true)
  parser:flag("-V --version", "Print the version."):action(ask { version = version })

  local sync = parser:command("sync", "Send the rows of a file to an audience, columns mapped by name.")
  sync:argument("file", "CSV or JSON Lines files, gzip or not, or patterns of their names; - is standard input."):args("+")
  add_job(sync)
  sync:option("--map", "FIELD is external_id, email, phone, region, hashed_email, hashed_phone or uid:TYPE; named again, it adds "
    .. "a column to take when those before give nothing that can be used. COLUMN is a name, or a number such as #4.")
    :argname("FIELD=COLUMN"):count("*")

  local run = parser:command("run", "Send the rows of a file through a transformation script.")
  run:argument("script", "A Lua file that returns a table with map or member.")
  run:argument("file", "CSV or JSON Lines files, gzip or not, or patterns of their names (standard input)."):args("*")
  add_job(run)

  local audiences = parser:command("audiences", "List the account's audiences.")
  add_common(audiences)

  local task = parser:command("task", "Show a task.")
  task:argument("id", "The task's id.")
  add_common(task, true)
  add_quiet(task)

  local wait = parser:command("wait", "Wait until a task has ended.")
  wait:argument("id", "The task's id.")
  wait:option("--audience", "Wait then until this audience has left PROCESSING.")
  wait:option("--timeout", "Seconds to wait (48 hours)."):convert(tonumber)
  wait:option("--patience",
    "Seconds to go on while the service cannot be reached or answers 502, 503 or 504 (300)."):convert(tonumber)
  wait:flag("--require-ready", "With --audience: exit with 3 unless it is READY.")
  add_common(wait, true)
  add_quiet(wait)

  local hash = parser:command("hash",
    "Show what an email or phone is normalised and hashed to, and what an external id becomes.")
  hash:argument("kind", "email, phone or id."):choices { "email", "phone", "id" }
  hash:argument("value", "Values; without any, lines of standard input."):args("*")
  hash:option("--region", "The country of phones in national form.")
  add_repairs(hash)
  hash:option("--ids", "What becomes of ids that are emails or phones: refuse (default), hash or as_is.")
    :choices { "refuse", "hash", "as_is" }
  hash:flag("--explain", "Say what was repaired, or why a value is refused.")
  hash:flag("--no-repair", "Refuse what would otherwise be repaired.")
  hash:flag("--json", "Print one JSON object a value.")

  local sandbox = parser:command("sandbox", "Run a local stand-in for the service.")
  sandbox:option("--port", "The port to listen on (a free one)."):convert(tonumber):default("0"):show_default(false)
  sandbox:option("--task-seconds", "How long a task runs (0.2)."):convert(tonumber)
  sandbox:option("--rate-limit", "Requests a minute before it answers 429 (none)."):convert(tonumber)
  sandbox:option("--set",
    "A setting, such as task_outcomes='[\"failed:terminal\"]' or faults='[…]' (docs/sandbox.md); the value is "
    .. "JSON or a word.")
    :argname("NAME=VALUE"):count("*")
  sandbox:flag("--until-eof", "End when standard input ends.")

  local doctor = parser:command("doctor", "Look at the installation, the key and the account, and say what to do about each problem.")
  add_common(doctor)
  add_quiet(doctor)

  local help = parser:command("help", "Show the help of a command.")
  help:argument("topic", "The command."):args("?")
  help:flag("--json", "Print one JSON object instead of text.")
  once(parser)
  tell_help(parser)
  return parser
end

local COMMANDS = {
  sync = "scope3.cli.send", run = "scope3.cli.send", audiences = "scope3.cli.inspect", task = "scope3.cli.inspect",
  wait = "scope3.cli.inspect", hash = "scope3.cli.hash", sandbox = "scope3.cli.sandbox", doctor = "scope3.cli.doctor",
}

-- Options that take a number and got something else: argparse's converter alone gives no message of use.
local NUMBERS = { "min_accepted", "rate", "concurrency", "max_members", "max_bytes", "timeout", "deadline", "in_doubt_timeout",
  "patience", "skip_lines",
  "port", "task_seconds", "rate_limit" }

-- argparse takes a negative number for an option of its own.
local function negative(name, word, value)
  if word == "--" .. name and value and value:find("^%-[%d.]") and tonumber(value) then
    return ("--%s takes a number that is not negative, not %s"):format(name, value)
  end
end

local function check_numbers(argv)
  for i, word in ipairs(argv) do
    local name, value = word:match("^%-%-([%w-]+)=?(.*)$")
    local counted = name and options.contains(NUMBERS, (name:gsub("-", "_")))
    local problem = (name == "wait" or counted) and negative(name, word, argv[i + 1])
    if problem then
      return problem
    end
    if name == "wait" and (argv[1] == "sync" or argv[1] == "run") then
      value = word:find("=", 1, true) and value or argv[i + 1]
      if value and not tonumber(value) and (word ~= "--wait" or value:sub(1, 1) ~= "-") then
        return ("--wait takes a number of seconds, not '%s' (put --wait behind the other words, or write --wait=SECONDS)"):format(value)
      end
    end
    for _, number in ipairs(NUMBERS) do
      if name and name:gsub("-", "_") == number then
        value = word:find("=", 1, true) and value or argv[i + 1]
        if value and not tonumber(value) then
          return ("--%s takes a number, not '%s'"):format(name, value)
        end
      end
    end
  end
end

local COUNTS = { rate = "count", concurrency = "count", max_members = "count", max_bytes = "count", rate_limit = "count",
  skip_lines = "count" }

-- What is wrong with the arguments that are whole numbers, or nil.
local function check_counts(args)
  for key, kind in pairs(COUNTS) do
    local problem = options.problem({ [key] = args[key] }, { [key] = kind })
    if problem then
      return "--" .. problem:gsub("_", "-")
    end
  end
end

-- What to say beside a wrong usage: where the help of the command is that was named, or which commands there are.
local function pointer(parser, name)
  if COMMANDS[name] then
    return ("Try 'scope3 %s --help'.\n"):format(name)
  end
  return parser:get_usage() .. "\nTry 'scope3 --help'.\n"
end

local function wrong_usage(parser, argv, problem)
  context.wrong_usage(tostring(problem), EXIT) -- it may repeat what was given
  io.stderr:write("\n", pointer(parser, argv[1]))
  return EXIT.USAGE
end

local function show_help(parser)
  local words = parser:get_help()
  output.object { help = words }
  output.say(words .. "\n")
  return EXIT.OK
end

local function help_of(parser, args, argv)
  for _, command in ipairs(parser._commands) do
    if command._name == args.topic then
      return show_help(command)
    end
  end
  if args.topic then
    return wrong_usage(parser, argv, ("there is no command '%s'"):format(args.topic))
  end
  return show_help(parser)
end

-- argparse takes a value that begins with a dash for an option, and suggests others. The value is not repeated.
local function dashed(problem, argv)
  if type(problem) ~= "string" or not problem:find("^unknown option '%-[%d.]") then
    return problem
  end
  for i, word in ipairs(argv) do
    local before = argv[i - 1] or ""
    if word:find("^%-[%d.]") then
      return before:find("^%-%-%l") and before .. " takes no value that begins with a dash"
        or "a value that begins with a dash is taken for an option: put -- before the values"
    end
  end
  return problem
end

-- Reads the arguments: these, or nil and what is wrong with them.
local function read(parser, argv)
  local problem = check_numbers(argv)
  if problem then
    return nil, problem
  end
  asked = nil
  local read_all, ok, args = pcall(parser.pparse, parser, argv)
  if asked then
    return nil
  elseif not read_all then
    error(ok, 0)
  elseif not ok then
    return nil, dashed(args, argv)
  end
  problem = check_counts(args) or usage.problem(args)
  return not problem and args or nil, problem
end

-- Runs the command; `given` keeps its arguments for what goes wrong in it.
local function run(argv, given)
  local found, argparse = pcall(require, "argparse")
  if not found then
    context.fail("the command needs argparse for this Lua (luarocks install argparse, or apt install lua-argparse)", "failed")
    return EXIT.FAILED
  end
  local parser = build_parser(argparse)
  local args, problem = read(parser, argv)
  if asked and asked.version then
    output.object { version = version }
    output.say("scope3 " .. version .. "\n")
    return EXIT.OK
  elseif asked then
    return show_help(asked.parser)
  elseif not args then
    return wrong_usage(parser, argv, problem)
  elseif args.command == "help" then
    return help_of(parser, args, argv)
  end
  given.args = args
  local code = require(COMMANDS[args.command]).main(args, EXIT)
  return code ~= EXIT.STOPPED and context.sandbox_broke() and EXIT.FAILED or code
end

-- Whether a machine reads, also where the other words cannot be read.
local function asks_for_json(argv)
  for _, word in ipairs(argv) do
    if word == "--" then
      return false
    elseif word == "--json" or word:find("^%-%-json=") then
      return true
    end
  end
  return false
end

--- Runs the command line.
---@param argv string[]
---@return integer code  for the process to exit with
function cli.main(argv)
  core.hold_standard()
  if argv[1] ~= "sandbox" then -- that one ends at the signal itself
    core.catch_stop()
  end
  output.begin(asks_for_json(argv))
  local given = { args = {} }
  local code = fault.guard(function()
    return run(argv, given)
  end, given, EXIT)
  if core.stopped() and code ~= EXIT.OK and code ~= EXIT.STOPPED then
    output.stopped()
    code = EXIT.STOPPED
  end
  return output.finish(code, EXIT)
end

return cli
