--- Mutants of what machines share through Redis, made by hand: of its scripts, which the operators see as one text, and
--- of who may send. As those of spec/mutants/by_hand_policy.lua.
local QUEUE, ENDS = "fleet/queues", "fleet/ends_of_leases"
local SHARED = "redis/places redis/limiter_shares"

local FILES = {
  ["fleet/queue"] = { specs = QUEUE,
    { "what is in is appended again", "if redis.call('EXISTS', KEYS[i]) == 0 then", "if true then" },
    { "what is in is forgotten", "redis.call('SET', KEYS[i], '', 'EX', ARGV[1])\n", "" },
    { "what is in is known for ever", "'', 'EX', ARGV[1])", "'')" },
    { "a full Redis takes more", "local APPEND = [[#!lua\n", "local APPEND = [[#!lua flags=allow-oom\n" },
    { "two have the lease", "if holder and holder ~= ARGV[1] then", "if false then" },
    { "a lease is not kept", "  redis.call('PEXPIRE', KEYS[1], ARGV[2])\n", "" },
    { "what may leave is not noted", "if ARGV[4] ~= '' then", "if false then" },
    { "a lease never ends", "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])",
      "redis.call('SET', KEYS[1], ARGV[1])" },
    { "a lease was handed over before Redis began anew", "redis.call('GET', KEYS[4]) == ARGV[3]",
      "redis.call('GET', KEYS[4])" },
    { "a lease is handed over for ever", "redis.call('DEL', KEYS[4])\n", "" },
    { "all leases have one number", "tostring(redis.call('INCR', KEYS[2]))",
      "redis.call('SET', KEYS[2], '1') and '1'" },
    { "no lease is taken on a full Redis", "local LEASE = [[#!lua flags=allow-oom", "local LEASE = [[#!lua" },
    { "anybody may ack", "local ACK = [[#!lua flags=allow-oom\nif redis.call('GET', KEYS[1]) ~= ARGV[1] or ",
      "local ACK = [[#!lua flags=allow-oom\nif " },
    { "an ack may come after the lease", " or redis.call('GET', KEYS[2]) ~= ARGV[2] then\n  return 0\nend\n"
      .. "redis.call('XTRIM'", " then\n  return 0\nend\nredis.call('XTRIM'" },
    { "an ack leaves the last entry", "redis.call('XDEL', KEYS[3], ARGV[3])\n", "" },
    { "an ack leaves some of the first entries", "'MINID', '='", "'MINID', '~'" },
    { "no ack on a full Redis", "local ACK = [[#!lua flags=allow-oom", "local ACK = [[#!lua" },
    { "anybody may release", "local RELEASE = [[#!lua flags=allow-oom\nif redis.call('GET', KEYS[1]) ~= ARGV[1] or ",
      "local RELEASE = [[#!lua flags=allow-oom\nif " },
    { "a release may come after the lease", " or redis.call('GET', KEYS[2]) ~= ARGV[2] then\n  return 0\nend\n"
      .. "redis.call('SET', KEYS[3]", " then\n  return 0\nend\nredis.call('SET', KEYS[3]" },
    { "nobody hears of a release", "redis.call('SET', KEYS[3], ARGV[3])\nredis.call('DEL'", "redis.call('DEL'" },
    { "a release keeps the lease", "redis.call('DEL', KEYS[1])\n", "" },
    { "no release on a full Redis", "local RELEASE = [[#!lua flags=allow-oom", "local RELEASE = [[#!lua" },
    { "large entries are read many at once", "    if bytes >= room then\n      break\n    end\n", "" },
    { "a huge entry is read", "size > longest or", "" },
    { "an entry of many fields is read", "or #one[2] > 64", "" },
    { "what another program noted counts", " or said[4] and not is_id(said[4])", "" },
    { "an entry is read again", '"(" .. after or', "after or" },
    { "ids are compared as texts", "#a < #b or #a == #b and a < b", "a < b" },
    { "ids of one moment are compared as texts", "#c < #d or #c == #d and c <= d", "c <= d" },
    { "an entry is not up to itself", "c <= d", "c < d" },
  },
  ["fleet/lease"] = { specs = "fleet/leases_of_drainers",
    { "a request outlasts the lease", "return self.ends - self.margin", "return math.huge" },
    { "nobody is quiet", "grant.released and asked or aborted + self.seconds", "asked",
      "fleet/queues_that_are_drained" },
    { "who took the lease without an answer is not quiet", "grant.taken or before ~= grant.epoch", "grant.taken" },
    { "what is in doubt is sent upon", "math.max(self.begins, now + self.seconds)", "self.begins" },
    { "who lost the lease keeps the batch", '"standby", before ~= nil', '"standby", false' },
    { "who took the lease anew keeps the batch", 'return "taken", before ~= nil', 'return "taken", false' },
  },
  ["fleet/drainer"] = { specs = "fleet/queues_that_are_drained",
    { "what may leave is not told", "ask(self, self.batch.reads)", "ask(self)" },
    { "what would not get well is tried for ever", "is_final(self, err) or not self.connected", "not self.connected",
      "fleet/servers_that_are_not_well" },
    { "a lease begins with the answer", "self.held:answer(asked, grant", "self.held:answer(self.now(), grant", ENDS },
    { "what is over is sent upon", "elseif not going or self.held:wait(self.now()) == nil then", "elseif false then",
      ENDS },
    { "what is in doubt is handed over", "self.held:wait(self.now()) == 0 and (", "(", ENDS },
    { "the error of a try that was the last is lost",
      "      if moved then\n        return 0\n      end\n      return put",
      "      return moved and 0 or put" },
    { "a handler may raise at the last event", "ok and not fault, err or fault", "ok, err" },
    { "a server that is busy ends the drain", "and not final.answers(err)", "", "fleet/servers_that_are_not_well" },
  },
  ["fleet/delivery"] = { specs = ENDS,
    { "what is missing waits for what is missing", "return is_new --", "return false --",
      "fleet/queues_that_are_drained" },
    { "a copy is in no doubt", "one.possibly_twice or one.state", "one.state" },
    { "what is not known is in no doubt", ' or one.state == "unknown" then', " then" },
  },
  ["redis/claim_script"] = { specs = SHARED,
    { "no place on a full Redis", "[[#!lua flags=allow-oom", "[[#!lua", "redis/limiter" },
    { "polls have all places", "math.max(1, math.floor(share_of_polls))", "most" },
    { "polls do not stand back", "now < crowd and most / 3 or most * 9 / 10", "most * 9 / 10" },
    { "nobody hears that requests wait", "redis.call('HSET', H, 'crowd', now + span)", "" },
    { "the rate of who asks holds", "most = math.max(rate, h[4])", "most = rate" },
    { "a higher rate holds for ever", "if h[5] and h[5] >= now - span then", "if h[5] then" },
    { "a 429 holds nobody", "if k[1] and k[1] > now then", "if false then" },
    { "a shorter 429 replaces a longer", "math.max(now - age + a, numbers(K, 'blocked')[1] or 0)", "now - age + a" },
    { "a limit that is over holds", "elseif now >= reset then", "elseif false then" },
    { "one more goes than is left", "elseif remaining <= 0 then", "elseif remaining < 0 then" },
    { "what goes is not counted", "redis.call('HINCRBY', K, 'remaining', -1)\n", "" },
    { "the last of a limit is not spread", "if remaining < LOW * limit then", "if false then" },
    { "what one uses alone is spread", "if load < limit - remaining then", "if true then" },
    { "a limit that is gone holds", "redis.call('HDEL', K, 'limit', 'remaining', 'reset', 'next')", "" },
    { "a larger size counts", "a = math.min(a, s[1])", "a = math.max(a, s[1])" },
    { "who left counts for ever", "redis.call('ZREMRANGEBYSCORE', M, '-inf', now - 10 * span)\n", "" },
    { "a fleet is not what was announced", "fleet > 0 and fleet or members", "members" },
    { "who only asks for a size counts", "if takes then\n", "if true then\n" },
    { "keys never end", "redis.call('PEXPIRE', key, KEPT)", "", "redis/limiter" },
    { "keys that were removed are not missed", "if told > now - born and told < KEPT - span then", "if false then" },
    { "places that were removed are not missed",
      "if given and now < given + span and not redis.call('LINDEX', P, 0) then", "if false then" },
  },
  ["redis/limits"] = { specs = SHARED,
    { "an old place is used", "elseif now - asked > CALL_SECONDS then", "elseif false then" },
    { "who waits asks each time", "if asked < (self.full[subject] or 0) then", "if false then",
      "redis/limiter" },
    { "a wrong password passes for an outage", "return err.retryable == true or", "return true or",
      "redis/limiter" },
    { "what was said is lost with a call", "    restore(self, who, notes)\n", "" },
  },
  ["redis/refusal"] = { specs = "redis/servers_that_refuse",
    { "a right that lacks within a script is none", [[["The user executing the script can't"] = "NOPERM",]], "" },
  },
  ["redis/server"] = { specs = "redis/servers_that_refuse fleet/queues",
    { "a sentinel passes for a server", 'found.redis_mode == "sentinel" or', "" },
    { "an old Redis passes", "version < NEEDED", "version < 6" },
    { "a Valkey is called Redis", 'found.server_name == "valkey" or found.valkey_version', "false" },
  },
}

---@type scope3.HandMadeMutant[]
local mutants = {}
for file, list in pairs(FILES) do
  for _, one in ipairs(list) do
    local specs = {}
    for name in (one[4] or list.specs):gmatch "%S+" do
      specs[#specs + 1] = ("spec/%s_spec.lua"):format(name)
    end
    mutants[#mutants + 1] = { file = ("lua/scope3/%s.lua"):format(file), name = one[1], from = one[2], to = one[3],
      specs = specs }
  end
end
table.sort(mutants, function(a, b)
  return a.name < b.name
end)

return mutants
