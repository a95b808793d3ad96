--- Folders of the user, as the environment names them. A relative one would lie elsewhere wherever the command runs,
--- such as below a folder of uploads: it counts as not set, as the XDG base directory specification asks.
local user_folder = {}

local function absolute(name)
  local value = os.getenv(name)
  return value and value:sub(1, 1) == "/" and value or nil
end

--- The user's own folder.
---@return string?
function user_folder.home()
  return absolute "HOME"
end

--- The folder of a kind, such as that of configurations.
---@param name string  the variable that names it
---@param below_home string  where it is without that
---@return string?
function user_folder.of(name, below_home)
  local home = user_folder.home()
  return absolute(name) or home and home .. below_home or nil
end

return user_folder
