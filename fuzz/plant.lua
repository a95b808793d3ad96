-- Shows that libFuzzer is guided by code in Lua: four letters, each compared on a line of its own. fuzz/run.sh ends
-- this one when it has found them, and fails when it has not. By chance it would take four thousand million inputs.
return function(input)
  if input:byte(1) ~= 0x6c then
    return
  end
  if input:byte(2) ~= 0x75 then
    return
  end
  if input:byte(3) ~= 0x61 then
    return
  end
  if input:byte(4) ~= 0x21 then
    return
  end
  error "found"
end
