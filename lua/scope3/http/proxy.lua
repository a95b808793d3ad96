--- The proxy of this process, by its environment. It is read once, because a host may change its environment.
local settings

--- Only the lowercase http_proxy would count, because a CGI request can set the other. Plain http goes to loopback
--- only, so only https is ever proxied.
---@return {url: string, none: string}
return function()
  if not settings then
    local env = os.getenv
    settings = {
      url = env "https_proxy" or env "HTTPS_PROXY" or env "all_proxy" or env "ALL_PROXY" or "",
      none = env "no_proxy" or env "NO_PROXY" or "",
    }
  end
  return settings
end
