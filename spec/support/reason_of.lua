--- The reason for which a value was refused; of one that was not, what was repaired.
return function(value, why)
  if value == nil then
    return why.code
  end
  return why
end
