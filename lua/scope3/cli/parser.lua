--- The arguments of the `scope3` command, as argparse reads them.
local row_options = require "scope3.cli.row_options"

local parser = {}

local function add_color(command)
  command:option("--color", "Colours: auto (default), where a terminal shows the output, always or never.")
    :argname("WHEN"):choices { "auto", "always", "never" }
end

local function add_quiet(command)
  command:flag("-q --quiet", "Print nothing but errors.")
end

-- Of commands that outlast an outage, which is told as an error only where it does not pass.
local function add_quiet_outage(command)
  command:flag("-q --quiet", "Print nothing but errors, of an outage after --patience.")
end

local function add_common(command, no_sandbox)
  command:flag("--json", "Print one JSON object instead of text.")
  add_color(command)
  command:option("--base-url", "The service's address (SCOPE3_BASE_URL)."):argname("URL")
  command:option("--account", "The advertiser's id, such as 25 (SCOPE3_ACCOUNT_ID)."):argname("ID")
  command:option("--api-key-file", "A file whose first line is the key (SCOPE3_API_KEY_FILE)."):argname("FILE")
  command:option("--api-key-command", "A command that prints the key, such as 'pass show scope3'."):argname("COMMAND")
  command:option("--profile", "Settings under this name (SCOPE3_PROFILE).")
    :argname("NAME")
  command:option("--ca-file", "CA certificates to trust instead of the system's (SCOPE3_CA_FILE)."):argname("FILE")
  command:option("--rate", "Requests a minute (100)."):argname("N"):convert(tonumber)
  command:option("--limiter",
    "Share the rate through FILE with the other commands of this machine that name it, or through a Redis with those "
    .. "of other machines: redis://HOST?fleet=N, of N processes."):argname("FILE")
  -- The help leaves it out where scope3.cli.usage refuses it.
  command:flag("--sandbox",
    "Start a private sandbox for this run and talk to it; needs no key."):hidden(no_sandbox or false)
end

local function add_events(command)
  command:option("--events", "Write each event to FILE as it happens, a line of JSON each; - is standard output.")
    :argname("FILE")
end

local function add_report(command)
  command:option("--report",
    "Write the report to FILE, also where the job fails: .html, .txt (for mails) or .json; named again, several.")
    :argname("FILE"):count("*")
end

local function add_wait(command)
  command:option("--wait",
    "Wait until the tasks and audiences are done, for at most SECONDS (48 hours). --delete-missing waits no longer.")
    :argname("SECONDS"):args("?")
end

local function add_conditions(command)
  command:flag("--require-ready", "With --wait: exit with 3 unless each audience is READY.")
  command:flag("--dry-run", "Do everything but send, and say what would be sent; needs no key.")
  command:option("--sample", "Print the first N members masked, as they would go; a dry run, which sends nothing.")
    :argname("N"):convert(tonumber)
  row_options.rejects(command, "; - is standard output")
  command:option("--metrics",
    "At the end write what the run came to into FILE (*.prom), for node_exporter's textfile collector.")
    :argname("FILE")
  row_options.strict(command)
  command:option("--min-accepted", "Exit with 3 when fewer members were accepted or removed than N."):argname("N")
    :convert(tonumber)
  command:flag("--allow-empty", "Exit with 0 although the input gave no members. With --mirror: "
    .. "remove people although one of several files has no rows.")
end

local function add_members(command)
  command:option("--audience", "The audience's id."):argname("ID")
  command:option("--name", "The audience's name."):argname("NAME")
  command:option("--consent-basis", "consent, legitimate_interest, contract or legal_obligation."):argname("BASIS")
  row_options.reading(command)
  command:flag("--unique", "Let a repeated id wait until the tasks of the earlier requests have ended.")
end

local function add_patience(command)
  command:option("--patience",
    "Seconds to go on while the service cannot be reached or answers 502, 503 or 504 (300).")
    :argname("SECONDS"):convert(tonumber)
end

local function add_times(command)
  command:option("--timeout", "Seconds for one request (60, and 1 for each 100 kB)."):argname("SECONDS")
    :convert(tonumber)
  command:option("--deadline", "Seconds for sending everything (none)."):argname("SECONDS"):convert(tonumber)
  add_patience(command)
end

local function add_state(command)
  command:option("--state",
    "Keep in FILE what the service has, and send only what differs from it."):argname("FILE")
  command:flag("--mirror", "With --state: who has no row leaves the audience.")
  command:flag("--full", "With --state: send every row, whatever the state has.")
  command:option("--refresh-after", "With --state: send again what was accepted longer ago, such as 30d (never).")
    :argname("TIME")
  command:option("--max-removed", "With --mirror: remove nobody when more than this share would leave (30%).")
    :argname("SHARE")
  command:flag("--remove-rejected",
    "With --mirror: remove people whose rows are rejected also where nobody else leaves.")
end

local function add_sending(command)
  command:option("--concurrency", "Requests under way at once (1, at most 16)."):argname("N"):convert(tonumber)
  command:option("--journal",
    "Keep in FILE what was sent; the same command with it goes on where this one stopped. auto: in a file of its own "
    .. "for each job, in ~/.local/state/scope3."):argname("FILE")
  command:option("--delete-missing",
    "At the end delete the account's other audiences: these IDS, by commas, or all."):argname("IDS")
  command:option("--max-members", "Members a request (100000)."):argname("N"):convert(tonumber)
  command:option("--max-bytes", "Bytes of a request's body, at most (67108864)."):argname("N"):convert(tonumber)
  add_times(command)
  command:option("--in-doubt-timeout",
    "Seconds to wait before what contradicts a request whose answer was lost; without it the job stops there.")
    :argname("SECONDS"):convert(tonumber)
  command:flag("--keep-going",
    "Go on with the other requests where the service refuses one for its content; the exit code is 1 all the same.")
end

-- The options of a command that sends rows, in the order of its help.
local function add_job(command)
  add_common(command)
  add_quiet_outage(command)
  add_wait(command)
  add_conditions(command)
  add_events(command)
  add_report(command)
  add_members(command)
  add_state(command)
  add_sending(command)
  row_options.format(command)
end

-- Makes an option that is given twice a wrong usage. argparse lets the last value win, so that
-- `--audience a --audience b` would send only to b.
local function forbid_repeats(root)
  for _, command in ipairs(root._commands) do
    for _, option in ipairs(command._options) do
      if option._maxcount == 1 and option._maxargs ~= 0 then
        option:overwrite(false)
      end
    end
  end
end

-- The commands in the order of the help: name, what it does, and what adds its arguments and options.
local COMMANDS = {}

local function define(name, does, add)
  COMMANDS[#COMMANDS + 1] = { name = name, does = does, add = add }
end

define("sync", "Send the rows of a file to an audience, columns mapped by name.", function(sync)
  sync:argument("file",
    "CSV or JSON Lines files, gzip or not, or patterns of their names; - is standard input."):args("+")
  add_job(sync)
  row_options.map(sync)
end)

define("run", "Send the rows of a file through a transformation script.", function(run)
  run:argument("script", "A Lua file that returns a table with map or member.")
  run:argument("file", "CSV or JSON Lines files, gzip or not, or patterns of their names (standard input)."):args("*")
  add_job(run)
end)

define("prepare", "Hash rows into lines of members, which sync takes; nothing is sent.", function(prepare)
  prepare:argument("file", "CSV or JSON Lines files, gzip or not, or patterns of their names (standard input).")
    :args("*")
  row_options.map(prepare)
  row_options.reading(prepare)
  row_options.rejects(prepare, "")
  row_options.strict(prepare)
  prepare:flag("--allow-empty", "Exit with 0 although the input gave no members.")
  add_report(prepare)
  add_quiet(prepare)
  add_color(prepare)
  row_options.format(prepare)
end)

define("forget", "Remove people from every audience of the account, by their external ids.", function(forget)
  forget:argument("id", "External ids. The list of processes shows them: --file does not."):args("*")
  forget:option("--file", "A file with one external id a line; - is standard input."):argname("FILE")
  add_common(forget, true)
  add_quiet_outage(forget)
  forget:option("--wait", "Wait until the tasks have ended, for at most SECONDS (48 hours).")
    :argname("SECONDS"):args("?")
  forget:flag("--dry-run", "Say from which audiences how many ids would be removed, and send nothing; needs the key.")
  add_events(forget)
  add_report(forget)
  forget:option("--state", "With --wait take them out of the state in FILE, too, when they have been removed.")
    :argname("FILE")
  row_options.ids(forget)
  forget:option("--region", "The country of ids that are phones in national form."):argname("COUNTRY")
  row_options.repairs(forget)
  forget:flag("--no-repair", "Refuse what would otherwise be repaired in an id.")
  add_times(forget)
  forget:flag("--allow-empty", "Exit with 0 although there are no ids, or no audiences.")
end)

define("drain", "Send what machines put into a queue of Redis, until it is stopped.", function(drain)
  add_common(drain, true)
  add_quiet_outage(drain)
  add_events(drain)
  require("scope3.cli.drain_args").add(drain)
  add_patience(drain)
end)

local function add_state_file(command)
  command:option("--state", "The file that the state is in."):argname("FILE")
end

define("state", "Say what a state belongs to and holds, or who is in it; nothing is written, nor sent.", function(state)
  state:argument("action", "show (default), or members: a line of CSV for each person, with the id."):args("?")
    :choices { "show", "members" }
  add_state_file(state)
  state:flag("--json", "Print one JSON object instead of text; of members one a line for each person.")
  add_color(state)
end)

define("history", "List the nights of a state, and what each came to; nothing is written, nor sent.",
  function(history)
    add_state_file(history)
    history:flag("--json", "Print one JSON object instead of text.")
    add_color(history)
  end)

local function add_look(command)
  command:argument("file", "A CSV or JSON Lines file, gzip or not; - is standard input.")
  command:option("--rows", "Rows to look at (10000)."):argname("N"):convert(tonumber)
  command:flag("--json", "Print one JSON object instead of text.")
  add_color(command)
  row_options.format(command)
end

define("look", "Say what a file holds and how it is written, and propose a map; nothing leaves the machine.", add_look)

define("init", "Look at a file as look does, and write a script that sends it; nothing leaves the machine.",
  function(init)
    init:option("-o --output", "The script to write (the file's name with .lua, in this folder)."):argname("SCRIPT")
    init:flag("--force", "Overwrite the script where it exists.")
    add_look(init)
  end)

define("audiences", "List the account's audiences.", add_common)

define("task", "Show a task.", function(task)
  task:argument("id", "The task's id.")
  add_common(task, true)
  add_quiet(task)
end)

define("wait", "Wait until a task has ended.", function(wait)
  wait:argument("id", "The task's id.")
  wait:option("--audience", "Wait then until this audience has left PROCESSING."):argname("ID")
  wait:option("--timeout", "Seconds to wait (48 hours)."):argname("SECONDS"):convert(tonumber)
  add_patience(wait)
  wait:flag("--require-ready", "With --audience: exit with 3 unless it is READY.")
  add_events(wait)
  add_report(wait)
  add_common(wait, true)
  add_quiet_outage(wait)
end)

define("hash", "Show what an email or phone is normalised and hashed to, and what an external id becomes.",
  function(hash)
    hash:argument("kind", "email, phone or id."):choices { "email", "phone", "id" }
    hash:argument("value", "Values; without any, lines of standard input."):args("*")
    hash:option("--region", "The country of phones in national form."):argname("COUNTRY")
    row_options.repairs(hash)
    hash:option("--ids", "What becomes of ids that are emails or phones: refuse (default), hash or as_is.")
      :choices { "refuse", "hash", "as_is" }
    hash:flag("--explain", "Say what was repaired, or why a value is refused.")
    hash:flag("--no-repair", "Refuse what would otherwise be repaired.")
    hash:flag("--json", "Print one JSON object a value.")
    add_color(hash)
  end)

define("sandbox", "Run a local stand-in for the service.", function(sandbox)
  sandbox:option("--port", "The port to listen on (a free one)."):argname("N"):convert(tonumber)
    :default("0"):show_default(false)
  sandbox:option("--task-seconds", "How long a task runs (0.2)."):argname("SECONDS"):convert(tonumber)
  sandbox:option("--rate-limit", "Requests a minute before it answers 429 (none)."):argname("N"):convert(tonumber)
  sandbox:option("--set",
    "A setting, such as task_outcomes='[\"failed:terminal\"]' or faults='[…]' (docs/sandbox.md); the value is "
    .. "JSON or a word.")
    :argname("NAME=VALUE"):count("*")
  sandbox:flag("--until-eof", "End when standard input ends.")
  add_color(sandbox)
end)

define("doctor", "Look at the installation, the key and the account, and say what to do about each problem.",
  function(doctor)
    add_common(doctor)
    add_quiet(doctor)
  end)

define("help", "Show the help of a command.", function(help)
  help:argument("topic", "The command."):args("?")
  help:flag("--json", "Print one JSON object instead of text.")
  add_color(help)
end)

define("completion", "Print a script with which a shell completes commands and options.", function(completion)
  completion:argument("shell", "bash, zsh or fish."):choices { "bash", "zsh", "fish" }
end)

-- Commands that speak of the others.
local OF_ALL = { help = true, completion = true }

-- Adds the commands. Where the words name one, the others have no options: most of what a start costs is theirs.
local function add_commands(root, named)
  local alone = false
  for _, command in ipairs(COMMANDS) do
    alone = alone or command.name == named and not OF_ALL[named]
  end
  for _, command in ipairs(COMMANDS) do
    local made = root:command(command.name, command.does)
    if not alone or command.name == named then
      command.add(made)
    end
  end
end

-- Reports a request for help. By itself argparse prints it and ends the process.
local function report_help(root, ask)
  root._options[root._help_option_idx]:action(ask { parser = root })
  for _, command in ipairs(root._commands) do
    command._options[command._help_option_idx]:action(ask { parser = command })
  end
end

--- Builds the parser.
---@param argparse table  the module
---@param version string
---@param ask fun(asked: {version: string?, parser: table?}): fun()  makes the action of --version and --help
---@param named? string  the command that the words name
---@return table
function parser.build(argparse, version, ask, named)
  local root = argparse("scope3", "Carries first-party audiences into Scope3: rows in, hashed members out.")
  root:command_target("command")
  root:require_command(true)
  root:flag("-V --version", "Print the version."):action(ask { version = version })

  add_commands(root, named)
  forbid_repeats(root)
  report_help(root, ask)
  return root
end

return parser

