--- Whether a process lives.
local ffi = require "ffi"

ffi.cdef "int kill(int pid, int signal);"
local ESRCH = 3 -- there is no such process

local process = {}

---@param pid integer
---@return boolean
function process.is_alive(pid)
  return ffi.C.kill(pid, 0) == 0 or ffi.errno() ~= ESRCH
end

return process
