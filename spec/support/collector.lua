--- The pace of the garbage collector, in percent: how long it rests, and how fast it works (nil: as before). Returns
--- what both were. Lua 5.5 has other words for it.
return function(pause, speed)
  local has_words = pcall(collectgarbage, "param", "pause")
  local function set(old, new, value)
    if has_words then
      return collectgarbage("param", new, value)
    end
    return collectgarbage(old, value)
  end
  return set("setpause", "pause", pause), speed and set("setstepmul", "stepmul", speed)
end
