--- What an iterator gives, and its faults, for loops that go on behind one: a row, or false and an error. A source is
--- asked, whatever else raises its error.
return function(iterate)
  local raised
  return function()
    local row, err
    if type(iterate) == "table" then
      row, err = iterate:next()
    elseif not raised then
      local fine
      fine, row = pcall(iterate)
      if not fine then
        row, err, raised = nil, row, true
      end
    end
    if row == nil and err then
      return false, err
    end
    return row
  end
end
