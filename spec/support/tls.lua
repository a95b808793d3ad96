-- Certificates made on the spot with the openssl command: a CA, and a server certificate of it.
local world = require "spec.support.world"

local tls = {}

local function run(command)
  local log = world.path(".log")
  local code = os.execute(command .. " >" .. log .. " 2>&1")
  assert(code == true or code == 0, "openssl: " .. world.read(log))
end

--- Paths of ca, cert and key; the certificate is for `names`, such as "IP:127.0.0.1".
function tls.make(names)
  local ca, ca_key, key, request, cert = world.path(".ca"), world.path(".cakey"), world.path(".key"),
    world.path(".csr"), world.path(".crt")
  local extension = world.file("subjectAltName=" .. names .. "\n", ".ext")
  run(("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Spec CA' -keyout %s -out %s"):format(ca_key, ca))
  run(("openssl req -newkey rsa:2048 -nodes -subj '/CN=spec' -keyout %s -out %s"):format(key, request))
  run(("openssl x509 -req -days 2 -in %s -CA %s -CAkey %s -CAserial %s -CAcreateserial -extfile %s -out %s"):format(
    request, ca, ca_key, world.path(".srl"), extension, cert))
  return { ca = ca, cert = cert, key = key }
end

return tls
