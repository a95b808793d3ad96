--- `scope3 completion`: prints a script for a shell, which offers commands, options, values and files.
---
--- What is offered comes from the parser, and from the lists of values that the library knows.
local core = require "scope3.core"
local output = require "scope3.cli.output"

local command = {}

---@alias scope3.cli.Values string[]|"files"|nil  nil: nothing is known of them

---@class scope3.cli.Offer  an option or an argument
---@field names string[]  of an option
---@field about string  one short sentence
---@field label string  of its value
---@field takes "none"|"maybe"|"one"
---@field values scope3.cli.Values
---@field repeats boolean

---@class scope3.cli.Offers  of a command
---@field name string
---@field about string
---@field options scope3.cli.Offer[]
---@field arguments scope3.cli.Offer[]

-- Names with what follows them at once.
local function with_sign(names, sign)
  local made = {}
  for i, name in ipairs(names) do
    made[i] = name .. sign
  end
  return made
end

-- The fields of a map. What has a type goes on with that.
local function fields_of_map()
  local made = {}
  for i, name in ipairs(require("scope3.input.map").FIELDS) do
    made[i] = name:match("^(%l+:)%u+$") or name .. "="
  end
  return made
end

local function repairs()
  local made = { "all" }
  for _, name in ipairs(core.phone_repairs) do
    made[#made + 1] = name
  end
  return made
end

-- The values of options and arguments that are no choices of the parser.
local function known_values(root)
  local dialect = require "scope3.input.dialect"
  local topics = {}
  for i, one in ipairs(root._commands) do
    topics[i] = one._name
  end
  return {
    map = fields_of_map(), phone_repairs = repairs(), encoding = core.encodings, delete_missing = { "all" },
    consent_basis = require("scope3.api.validate").CONSENT_BASES, delimiter = dialect.DELIMITERS,
    escape = dialect.ESCAPES, quote = { "none" }, set = with_sign(require("scope3.sandbox.settings").names(), "="),
    topic = topics, file = "files", script = "files",
  }
end

-- The first sentence, without what stands in brackets at its end.
local function short(text)
  text = text:match("^(.-)[.;] ") or text
  return (text:gsub("%.$", ""):gsub(" %([^()]*%)$", ""))
end

local function offer(element, known)
  local target = element:_get_default_target()
  local label = element._argname or element._name
  return {
    names = element._aliases, about = short(element._description), label = label,
    takes = element._maxargs == 0 and "none" or element._minargs == 0 and "maybe" or "one",
    values = element._choices or known[target] or label == "FILE" and "files" or nil,
    repeats = element._maxcount > 1 or element._maxargs > 1,
  }
end

local function offers_of(elements, known)
  local list = {}
  for _, element in ipairs(elements) do
    if not element._hidden then
      list[#list + 1] = offer(element, known)
    end
  end
  return list
end

--- What a parser offers: its commands, and its own options as those of a command without a name.
---@param root table
---@return scope3.cli.Offers[]
function command.offers(root)
  local known = known_values(root)
  local list = { { name = "", about = "", options = offers_of(root._options, known), arguments = {} } }
  for _, one in ipairs(root._commands) do
    list[#list + 1] = { name = one._name, about = short(one._description),
      options = offers_of(one._options, known), arguments = offers_of(one._arguments, known) }
  end
  return list
end

---@param args table
---@param exit table
---@param root table  the parser
---@return integer
function command.main(args, exit, root)
  output.say(require("scope3.cli.completion." .. args.shell)(command.offers(root)))
  return exit.OK
end

return command
