-- Searches what the specs made the library say (spec/support/traces.lua) for keys, emails, phones,
-- hashes and marked ids: search.lua FOLDER Prints each place, and ends with 1 where there is one.
local folder = assert(arg[1], "a folder is needed")

-- What the specs use, by its form.
-- A journal holds a SHA-256 for each request, which stands for whole requests; nothing else has 64 hex digits.
local FORMS = {
  { name = "a key", pattern = "scope3_[%w]+_key" },
  { name = "a key", pattern = "scope3_secret[%w_]*" },
  { name = "a marked key", pattern = "[zZ][qQ]7canary" }, -- those of spec/client/privacy_spec.lua
  { name = "a marked id", pattern = "canary[-.][A-Za-z]" },
  { name = "an email", pattern = "[%w._+-]+@[%w-]+%.[%w.-]+" },
  { name = "an email, encoded", pattern = "[%w._+-]+%%40[%w-]+%.[%w.-]+" },
  { name = "a phone", pattern = "%+%d%d%d%d%d%d%d%d%d+" },
  { name = "a hash", pattern = "%f[%x]" .. ("%x"):rep(64) .. "%f[%X]", not_in = { journals = '"digest":"$' } },
}

local names = assert(io.popen("ls '" .. folder:gsub("'", "'\\''") .. "'"))
local found, searched = 0, 0
for kind in names:lines() do
  local number = 0
  for line in io.lines(folder .. "/" .. kind) do
    number, searched = number + 1, searched + 1
    for _, form in ipairs(FORMS) do
      local at = 1
      while true do
        local first, last = line:find(form.pattern, at)
        if not first then
          break
        end
        at = last + 1
        local allowed = form.not_in and form.not_in[kind]
        if not (allowed and line:sub(1, first - 1):find(allowed)) then
          found = found + 1
          if found <= 40 then
            print(("   %s in %s, line %d: %s"):format(form.name, kind, number,
              line:sub(math.max(1, first - 60), last + 40)))
          end
        end
      end
    end
  end
end
names:close()
print(("   searched %d lines of what the library said for keys and people: %d found"):format(searched, found))
os.exit(found == 0 and searched > 0 and 0 or 1)
