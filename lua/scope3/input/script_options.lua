--- The options of scripts, apart from what reads them: checking the options of a job needs no more.
local dialect = require "scope3.input.dialect"
local identity = require "scope3.identity"
local options = require "scope3.util.options"

local script_options = {}

--- Options that say how rows are read: the same rows with others may give other members.
script_options.READING = options.merge(identity.options, dialect.OPTIONS, {
  header = "boolean", format = { "csv", "jsonl" },
})

--- Options of a job that a script may set too.
script_options.JOB = options.merge(script_options.READING, {
  max_members = "count", max_bytes = "count", rate = "count", timeout = "seconds", deadline = "seconds",
  mode = { "upsert", "remove", "mirror" }, unique = "boolean", concurrency = "count", delete_missing = "all_or_ids",
  in_doubt_timeout = "seconds", patience = "seconds", keep_going = "boolean", delete_timeout = "seconds",
  refresh_after = "seconds", remove_rejected = "boolean", max_removed = { expected = "a share from 0 to 1",
    is = function(value)
      return type(value) == "number" and value >= 0 and value <= 1
    end },
})

return script_options
