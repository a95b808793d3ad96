--- Entries for a queue from the members of a spool file: the same ones each time, so that one which was appended before
--- is known by its key.
local stream_entries = {}

-- Members of an entry: some 90 kB. From 128 kB on each text is memory that the system maps anew: three times the time.
stream_entries.MOST_MEMBERS = 400
local MOST_BYTES = 4 * 2 ^ 20 -- after which an entry gets no further audience

--- Makes an iterator over the entries of a file.
---@param file scope3.SpoolFile
---@param payload table  to read into; it is emptied
---@param own_label string  of the collector's own audience, whose members have none in the file
---@return fun(): string?, integer?, string?, integer?  once-key, members, their lines, and how many were passed over
---  because they are too large; an operation replaces those before it on the same member and audience
function stream_entries.of(file, payload, own_label)
  local next_members = file.spool:reader()
  local _, number, stamp, _, _, label = next_members()
  return function()
    local texts, living, members, bytes, unfit = {}, 0, 0, 0, 0
    local once = ("%s.%d"):format(file.identity, number)
    while stamp and members < stream_entries.MOST_MEMBERS and bytes < MOST_BYTES do
      payload:reset()
      local head, taken, passed, full = label
      taken, number, stamp, full, passed, label =
        next_members(payload, nil, stream_entries.MOST_MEMBERS - members, label)
      members, unfit = members + taken, unfit + passed
      if taken > 0 then
        local lines, adds, removes = payload:as_lines(), payload:living()
        living = living + adds + removes
        texts[#texts + 1] = ("@%s\n"):format(head == "" and own_label or head)
        texts[#texts + 1] = lines
        bytes = bytes + #lines
      end
      if full or taken + passed == 0 then
        break
      end
    end
    if members + unfit > 0 then
      return once, living, table.concat(texts), unfit
    end
  end
end

return stream_entries
