-- An output of busted for a run that ends at the first failure: the spec file, the spec, and why.
return function()
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()
  local file = "?"

  local function begin(element)
    file = element.name
    return nil, true
  end

  local function tell(element, _, message)
    print(("FAILED\t%s\t%s"):format(file, tostring(element and element.name):gsub("%s+", " ")))
    print(message)
    return nil, true
  end

  busted.subscribe({ "file", "start" }, begin)
  busted.subscribe({ "failure" }, tell)
  busted.subscribe({ "error" }, tell)
  return handler
end
