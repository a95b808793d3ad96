--- Entries for a queue from the members of a spool file: the same ones each time, so that one which was appended before
--- is known by its key.
local stream_entries = {}

-- Members of an entry: some 160 kB, for which a worker waits once, and which Redis holds in one piece.
stream_entries.MOST_MEMBERS = 800
local MOST_BYTES = 4 * 2 ^ 20 -- after which an entry gets no further audience

--- Makes an iterator over the entries of a file.
---@param file scope3.SpoolFile
---@param payload table  to read into; it is emptied
---@param own_label string  of the collector's own audience, whose members have none in the file
---@return fun(): string?, integer?, scope3.QueueText?, integer?  once-key, members, their lines, and how many were
---  passed over because they are too large; an operation replaces those before it on the same member and audience.
---  The lines are good until the next call
function stream_entries.of(file, payload, own_label)
  local next_members = file.spool:reader()
  local _, number, stamp, _, _, label = next_members()
  return function()
    local pieces, living, members, bytes, unfit = {}, 0, 0, 0, 0
    local once = ("%s.%d"):format(file.identity, number)
    while stamp and members < stream_entries.MOST_MEMBERS and bytes < MOST_BYTES do
      if pieces[#pieces] == payload then
        pieces[#pieces] = payload:as_lines() -- the payload is needed for the next audience
      end
      payload:reset()
      local head, taken, passed, full = label
      taken, number, stamp, full, passed, label =
        next_members(payload, nil, stream_entries.MOST_MEMBERS - members, label)
      members, unfit = members + taken, unfit + passed
      if taken > 0 then
        local adds, removes = payload:living()
        living, bytes = living + adds + removes, bytes + payload:lines_size()
        pieces[#pieces + 1] = ("@%s\n"):format(head == "" and own_label or head)
        pieces[#pieces + 1] = payload
      end
      if full or taken + passed == 0 then
        break
      end
    end
    if members + unfit > 0 then
      return once, living, pieces, unfit
    end
  end
end

return stream_entries
