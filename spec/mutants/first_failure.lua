-- An output of busted for a run that ends at the first failure: the spec file, the spec, and why.
return function()
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()

  local function file_of(element)
    while element do
      if element.descriptor == "file" then
        return element.name
      end
      element = busted.context.parent(element)
    end
    return "?"
  end

  local function tell(element, _, message)
    print(("FAILED\t%s\t%s"):format(file_of(element), tostring(element and element.name):gsub("%s+", " ")))
    print(message)
    return nil, true
  end

  busted.subscribe({ "failure" }, tell)
  busted.subscribe({ "error" }, tell)
  return handler
end
