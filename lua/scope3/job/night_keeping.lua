--- Which rows a night keeps in its temporary file, so that those that differ are built without a second reading of
--- their file. Those of packed files are, because unpacking costs most; and all where nearly all will be built. Of
--- other files the night keeps places: the rows that differ are few, and read from there.
local night_keeping = {}

---@class scope3.KeptFile  in the place of a source whose rows the night keeps
---@field shape table
---@field private core table  of the night
---@field private from integer  where its rows begin among all that are kept, and end
---@field private to integer
---@field private size? integer  of the file
local Kept = {}
Kept.__index = Kept

--- How far building is, as bytes of the file.
---@return integer bytes
---@return integer? size
function Kept:progress()
  local size, _, at = self.size or 0, self.core:kept()
  local share = (at - self.from) / math.max(self.to - self.from, 1)
  return math.floor(size * math.min(math.max(share, 0), 1)), self.size
end

---@class scope3.NightKeeping
---@field private core table  of the night
---@field private all boolean  files that are not packed, too
---@field private files table<integer, scope3.KeptFile>  packed ones, by number
local Keeping = {}
Keeping.__index = Keeping

--- A cipher for a night's file: what is kept has emails and phones.
---@param mode string
---@return table?  nil where nothing is to be built, or this build has no scope3.crypto: then files are read twice
function night_keeping.cipher(mode)
  local found, crypto = pcall(require, "scope3.crypto")
  return mode ~= "remove" and found and crypto.cipher() or nil
end

-- Whether the state knows of nobody.
local function is_blank(store)
  local chunks = store:open_chunks()
  return chunks and #chunks == 0 and (store.folds or 0) == 0
end

--- Begins it for a night whose rows are not read yet.
---@param night scope3.Night
---@param store scope3.MirrorStore
---@param opts table  checked options of the job
---@param looks_at_all boolean  every row is built
---@return scope3.NightKeeping
function night_keeping.new(night, store, opts, looks_at_all)
  local all = looks_at_all or opts.full or store.changed or is_blank(store)
  return setmetatable({ core = night.core, all = all and true or false, files = {} }, Keeping)
end

--- Goes on with rows of a source, at its beginning or once it turned out to be packed.
---@param src scope3.Source
function Keeping:turn_to(src)
  self.keeps = self.core:keep(self.all or src.packed ~= nil)
  self.from = self.core:kept()
end

-- Files of one export have the same columns: what is made of their headers is needed once.
local function shared(self, shape)
  local last = self.shape
  local is_same = last and #last.columns == #shape.columns
  for i, name in ipairs(is_same and last.columns or {}) do
    is_same = is_same and name == shape.columns[i]
  end
  self.shape = is_same and last or shape
  return self.shape
end

--- Notes that all rows of a file were read.
---@param src scope3.Source
---@param shape table
---@param number integer  of the file
function Keeping:ended(src, shape, number)
  if self.keeps and src.packed then
    local _, size = src:progress()
    self.files[number] = setmetatable({ core = self.core, shape = shared(self, shape), from = self.from,
      to = (self.core:kept()), size = size }, Kept)
  end
end

--- What stands for a file whose rows are kept, and which is not opened again; nil for any other.
---@param number integer
---@return scope3.KeptFile?
function Keeping:file(number)
  return self.files[number]
end

return night_keeping
