-- A reply is read whole, however many were read before it.
-- LuaJIT 2.1.0-beta3 of March 2022 loses entries of a table after some three thousand replies.
local json = require "scope3.util.json"
local response = require "scope3.api.response"

describe("a reply", function()
  it("is read whole, however many were read before", function()
    local task = '{"task":{"createdAt":"2026-11-25T12:40:23.597Z","error":null,"metadata":null,"resourceId":null,'
      .. '"resourceType":"AUDIENCE",'
      .. '"response":null,"retryAfterSeconds":null,"status":"completed","taskId":"4fad8826",'
      .. '"taskType":"audience_sync"}}'
    local page = '{"audiences":[{"audienceId":"old","name":null,"status":"READY","deleted":false,"uploadedCount":3,'
      .. '"matchedCount":2},'
      .. '{"audienceId":"a","status":"READY","deleted":false,"uploadedCount":3,"matchedCount":2}]}'
    for i = 1, 10000 do
      local read = response.read(json.decode(task).task)
      assert(read.status == "completed" and read.task_id == "4fad8826", i)
      if i % 7 == 0 then
        for _, row in ipairs(json.decode(page).audiences) do
          read = response.read(row)
          assert(read.audience_id and read.status == "READY" and read.deleted == false and read.uploaded_count == 3, i)
        end
      end
    end
  end)
end)
