--- What `scope3 state` and `scope3 history` have in common: a state that is only read, and words for it.
local context = require "scope3.cli.context"
local text = require "scope3.cli.text"
local time = require "scope3.util.time"

local state_file = {}

--- A time of a state as a text.
---@param seconds integer?  since 1970
---@return string?
function state_file.iso(seconds)
  return seconds and (time.utc(seconds):gsub("%.000Z$", "Z"))
end

--- Where the members of a state go: "account 25 · api.example".
---@param about scope3.StateAbout
---@return string
function state_file.place(about)
  return ("account %s · %s"):format(about.account, about.service:match "^%a+://([^/]+)" or about.service)
end

--- The last part of a path, for a headline.
---@param path string
---@return string
function state_file.name(path)
  return text.visible((path:gsub("^.*/", "")))
end

--- Opens the state of the arguments, and has it read: the exit code. `show` gives nil and an error where that failed.
---@param args table
---@param exit table
---@param show fun(kept: scope3.MirrorStore): true?, scope3.Error?
---@return integer code
function state_file.read(args, exit, show)
  local kept, err = require("scope3.mirror.store").open(args.state, nil, { read_only = true })
  if not kept then
    return context.refuse(err, args, exit)
  end
  local fine, ok, why = pcall(show, kept)
  kept:close()
  if not fine then
    error(ok, 0)
  elseif not ok then
    return context.refuse(why, args, exit)
  end
  return exit.OK
end

return state_file
