-- SHA-256 (FIPS 180-4) as it is written there, slow: for comparison with the one in C. Lua 5.3 and later.
local sha256 = {}

local MASK = 0xffffffff

-- The first 32 bits behind the point of the square or cube roots of the first primes.
local function constants(count, root)
  local list, n = {}, 2
  while #list < count do
    local is_prime = true
    for d = 2, n - 1 do
      is_prime = is_prime and n % d ~= 0
    end
    if is_prime then
      list[#list + 1] = root(n)
    end
    n = n + 1
  end
  return list
end

-- The whole part of 2^32 times the square root of n, without its whole multiples of 2^32.
local function square_root(n)
  local x = math.floor(math.sqrt(n) * 2 ^ 32)
  return x & MASK
end

-- The same of the cube root. Doubles hold 53 bits, of which 35 are needed at most; the last step makes it exact.
local function cube_root(n)
  local x = math.floor(n ^ (1 / 3) * 2 ^ 32)
  return x & MASK
end

local K, START = constants(64, cube_root), constants(8, square_root)

local function rotate(x, n)
  return (x >> n | x << (32 - n)) & MASK
end

local function schedule(text, at)
  local w = { string.unpack(">I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4", text, at) }
  for t = 17, 64 do
    local a, b = w[t - 15], w[t - 2]
    local s0 = rotate(a, 7) ~ rotate(a, 18) ~ a >> 3
    local s1 = rotate(b, 17) ~ rotate(b, 19) ~ b >> 10
    w[t] = w[t - 16] + s0 + w[t - 7] + s1 & MASK
  end
  return w
end

local function compress(state, w)
  local a, b, c, d, e, f, g, h = table.unpack(state)
  for t = 1, 64 do
    local choice, majority = e & f ~ ~e & g, a & b ~ a & c ~ b & c
    local t1 = h + (rotate(e, 6) ~ rotate(e, 11) ~ rotate(e, 25)) + choice + K[t] + w[t]
    local t2 = (rotate(a, 2) ~ rotate(a, 13) ~ rotate(a, 22)) + majority
    a, b, c, d, e, f, g, h = t1 + t2 & MASK, a, b, c, d + t1 & MASK, e, f, g
  end
  local sums = { a, b, c, d, e, f, g, h }
  for i = 1, 8 do
    state[i] = state[i] + sums[i] & MASK
  end
end

--- The hash of a text in 64 hex digits.
---@param text string
---@return string
function sha256.hex(text)
  local padded = text .. "\128" .. ("\0"):rep((55 - #text) % 64) .. string.pack(">I8", #text * 8)
  local state = { table.unpack(START) }
  for at = 1, #padded, 64 do
    compress(state, schedule(padded, at))
  end
  return (("%08x"):rep(8)):format(table.unpack(state))
end

return sha256
