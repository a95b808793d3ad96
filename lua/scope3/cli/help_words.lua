--- What the help says beside the parser's options: usage, groups, examples, the environment and the exit codes.
---
--- Help, manual pages and completions take their words from here and from scope3.cli.parser. Each example runs, in a
--- folder with a customers.csv and a newsletter.lua.
local help_words = {}

--- The groups of options, in the order of the help. An option that none names stays under "Other options".
---@type {name: string, options: string[]}[]
help_words.GROUPS = {
  { name = "Input", options = { "file", "where", "rows", "format", "delimiter", "quote", "escape", "null", "encoding",
    "skip_lines", "no_header" } },
  { name = "Members", options = { "audience", "name", "consent_basis", "map", "each", "mode", "exclude", "unique",
    "region", "phone_repairs", "no_repair", "ids" } },
  { name = "State", options = { "state", "mirror", "full", "refresh_after", "max_removed", "remove_rejected" } },
  { name = "Sending", options = { "dry_run", "sample", "journal", "delete_missing", "concurrency", "max_members",
    "max_bytes", "timeout", "deadline", "patience", "in_doubt_timeout", "keep_going" } },
  { name = "Queue", options = { "redis", "redis_ca_file", "queue", "once", "lease", "every" } },
  { name = "Waiting", options = { "wait", "require_ready" } },
  { name = "Sandbox", options = { "port", "task_seconds", "rate_limit", "set", "until_eof" } },
  { name = "Output and exit code", options = { "output", "force", "report", "rejects", "events", "metrics", "strict",
    "max_rejected", "min_accepted", "allow_empty", "explain", "quiet", "json", "color" } },
  { name = "Service", options = { "account", "api_key_file", "api_key_command", "profile", "base_url",
    "ca_file", "rate", "limiter", "sandbox" } },
}

--- Groups of a command whose options mean something else than those of a job.
help_words.OWN_GROUPS = {
  wait = { { name = "Waiting", options = { "audience", "require_ready", "timeout", "patience" } } },
  state = { { name = "Input", options = { "state" } } },
  history = { { name = "Input", options = { "state" } } },
}

--- The groups of commands.
---@type {name: string, commands: string[]}[]
help_words.COMMANDS = {
  { name = "Begin", commands = { "look", "init" } },
  { name = "Send", commands = { "sync", "run", "drain" } },
  { name = "Hash apart from sending", commands = { "prepare" } },
  { name = "Remove people", commands = { "forget" } },
  { name = "Look at a state", commands = { "state", "history" } },
  { name = "Look at the service", commands = { "audiences", "task", "wait" } },
  { name = "Try and check", commands = { "hash", "sandbox", "doctor" } },
  { name = "Get help", commands = { "help", "completion" } },
}

--- How each command is called. The options that are needed stand for all of them.
help_words.USAGE = {
  sync = "<file>... --audience ID --map FIELD=COLUMN... [options]",
  run = "<script> [<file>...] [options]",
  prepare = "[<file>...] --map FIELD=COLUMN... [options]",
  forget = "<id>... | --file FILE [options]",
  drain = "--redis URL --queue NAME [options]",
  state = "[show|members] --state FILE [options]",
  history = "--state FILE [options]",
  look = "<file> [options]",
  init = "<file> [-o SCRIPT] [options]",
  audiences = "[options]",
  task = "<id> [options]",
  wait = "<id> [options]",
  hash = "email|phone|id [<value>...] [options]",
  sandbox = "[options]",
  doctor = "[options]",
  help = "[<command>]",
  completion = "bash|zsh|fish",
}

---@class scope3.cli.Example
---@field why string
---@field [integer] string  the lines of the command

--- What to begin with.
---@type scope3.cli.Example[]
help_words.FIRST_STEPS = {
  { why = "Look at a file, and see how it would be sent", "scope3 look customers.csv" },
  { why = "Show what a value is hashed to, and why", 'scope3 hash email --explain "Jane <Jane@X.org>"' },
  { why = "Look at what would be sent, without a key", "scope3 sync customers.csv --audience crm --dry-run \\",
    '    --map external_id="Customer Id" --map email=Email' },
  { why = "Check the installation, the key and the account", "scope3 doctor --account 25" },
}

---@type table<string, scope3.cli.Example[]>
help_words.EXAMPLES = {
  sync = {
    { why = "Try a file on a private sandbox, without a key", "scope3 sync customers.csv --sandbox --audience crm \\",
      '    --map external_id="Customer Id" --map email=Email --map phone=Mobile' },
    { why = "Send it, and wait until the service has matched the members",
      "scope3 sync customers.csv --account 25 --audience crm --wait \\",
      '    --map external_id="Customer Id" --map email=Email --map region=Country' },
    { why = "Every night: go on where a run stopped, and fail where much is refused",
      "scope3 sync customers.csv --account 25 --audience crm --quiet \\",
      '    --map external_id="Customer Id" --map email=Email \\',
      "    --journal crm.journal --rejects refused.csv --max-rejected 5%" },
    { why = "Every night: send only what changed, and remove who is gone",
      "scope3 sync customers.csv --account 25 --audience crm --wait \\",
      "    --mirror --state mirror.state \\",
      '    --map external_id="Customer Id" --map email=Email' },
    { why = "Leave people out who object: an id, an email or a phone a line",
      "printf 'C10001\\njane@example.org\\n' > objections.txt",
      "scope3 sync customers.csv --account 25 --audience crm \\",
      '    --exclude objections.txt --map external_id="Customer Id" \\',
      "    --map email=Email" },
  },
  run = {
    { why = "Look at what a script would send", "scope3 run newsletter.lua customers.csv --dry-run" },
    { why = "Send what another program writes",
      "cat customers.csv | scope3 run newsletter.lua --account 25 --wait" },
  },
  prepare = {
    { why = "Hash where the rows are, and send from elsewhere",
      'scope3 prepare customers.csv --map external_id="Customer Id" \\', "    --map email=Email > members.jsonl",
      "scope3 sync members.jsonl --account 25 --audience crm" },
    { why = "The same of several files at once, in their order",
      "ls customers*.csv | parallel -k scope3 prepare {} --quiet \\",
      "    --map \'external_id=Customer Id\' --map email=Email > members.jsonl" },
  },
  forget = {
    { why = "Say from which audiences people would be removed",
      "scope3 forget --file erase.txt --account 25 --dry-run" },
    { why = "Remove them, and wait until that is done", "scope3 forget --file erase.txt --account 25 --wait" },
  },
  drain = {
    { why = "Send what a queue holds, and end",
      "scope3 drain --redis redis://127.0.0.1 --queue crm --account 25 --once" },
    { why = "Go on until it is stopped; a second one elsewhere stands by",
      "scope3 drain --redis redis://127.0.0.1 --queue crm --account 25" },
  },
  state = {
    { why = "What a state belongs to and holds", "scope3 state --state crm.state" },
    { why = "Who is in it, as CSV", "scope3 state members --state crm.state > members.csv" },
  },
  history = {
    { why = "List the nights", "scope3 history --state crm.state" },
    { why = "The same for another program", "scope3 history --state crm.state --json" },
  },
  look = {
    { why = "What a file holds, and the command that would send it", "scope3 look customers.csv" },
    { why = "The same of what another program writes", "cat customers.csv | scope3 look -" },
  },
  init = {
    { why = "Write a script, and try it without sending", "scope3 init customers.csv -o newsletter.lua --force \\",
      "    && scope3 run newsletter.lua customers.csv --dry-run" },
  },
  audiences = {
    { why = "List the audiences", "scope3 audiences --account 25" },
    { why = "The same for another program", "scope3 audiences --account 25 --json" },
  },
  task = { { why = "Show what became of a task", "scope3 task TASK_ID --account 25" } },
  wait = {
    { why = "Wait for a task, for an hour at most", "scope3 wait TASK_ID --account 25 --timeout 3600" },
    { why = "Wait for its audience too, and fail unless it is ready",
      "scope3 wait TASK_ID --account 25 --audience crm --require-ready" },
  },
  hash = {
    { why = "Why an email is hashed as it is", 'scope3 hash email --explain "Jane <Jane@X.org>"' },
    { why = "A phone in national form", 'scope3 hash phone --region GB "020 7946 0905"' },
    { why = "One JSON object for each line", "echo jane@x.org | scope3 hash email --json" },
  },
  sandbox = {
    { why = "A service that half of the members match", "scope3 sandbox --set match_rate=0.5" },
    { why = "One whose tasks take long, at a fixed port", "scope3 sandbox --port 8080 --task-seconds 30" },
  },
  doctor = {
    { why = "Look at everything", "scope3 doctor --account 25" },
    { why = "Look at the installation, without a key", "scope3 doctor --sandbox" },
  },
  help = { { why = "Show the options of sync", "scope3 help sync" } },
  completion = {
    { why = "For bash, in ~/.bashrc", 'eval "$(scope3 completion bash)"' },
    { why = "For zsh, in ~/.zshrc behind compinit", "source <(scope3 completion zsh)" },
    { why = "For fish, in ~/.config/fish/config.fish", "scope3 completion fish | source" },
  },
}

--- What the command takes from the environment.
---@type string[][]
help_words.ENVIRONMENT = {
  { "SCOPE3_API_KEY", "The key." },
  { "SCOPE3_API_KEY_FILE", "A file whose first line is the key." },
  { "SCOPE3_ACCOUNT_ID", "The account, where --account is not given." },
  { "SCOPE3_BASE_URL", "The service's address, where --base-url is not given." },
  { "SCOPE3_CA_FILE", "The CA certificates, where --ca-file is not given." },
  { "SCOPE3_REDIS_URL", "The Redis of drain, where --redis is not given." },
  { "SCOPE3_PROFILE", "A profile of ~/.config/scope3/config.lua." },
}

--- The exit codes, the first that holds first.
---@type string[][]
help_words.EXIT_CODES = {
  { "4", "standard output could not be written" },
  { "130", "stopped" },
  { "2", "usage" },
  { "70", "a fault of scope3 itself" },
  { "1", "something failed, was never answered or was rejected by the service, or under --strict a row was rejected or "
    .. "lines were swallowed" },
  { "3", "nothing was accepted or removed, or a threshold was missed" },
  { "0", "all else" },
}

return help_words
