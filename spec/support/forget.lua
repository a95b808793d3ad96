-- Lets go of each spec file when it has ended. busted keeps the functions of all files until the last has run, and with
-- them the modules that each has loaded: a megabyte a file, which every collection of garbage then walks over.
local forget = {}

-- What tells where and what a block is stays.
local STAYS = { attributes = true, trace = true }

local function let_go(element, children_of)
  local children = children_of(element)
  for i = #children, 1, -1 do
    let_go(children[i], children_of)
    children[i] = nil
  end
  for name, value in pairs(element) do
    if type(value) == "function" or type(value) == "table" and not STAYS[name] then
      element[name] = nil
    end
  end
end

-- luv stays, where it was loaded: one that is loaded once more and then collected closes the loop that others use.
local function keep_luv()
  local luv = package.loaded.luv
  if luv then
    function package.preload.luv()
      return luv
    end
  end
end

--- Lets go of each file from now on.
---@param busted table
function forget.ended_files(busted)
  busted.subscribe({ "file", "end" }, function(file)
    local run = file.run
    keep_luv()
    let_go(file, busted.children)
    file.run = setmetatable(run, nil) -- its own functions are asked where an error was; the metatable holds the chunk
    return nil, true
  end)
end

return forget
