---@meta
-- What `on_event` gets: one class for each event. Nothing requires this file; editors read it.

---@alias scope3.EventName
---| "progress"
---| "request"
---| "accepted"
---| "blocked"
---| "barrier"
---| "in_doubt"
---| "retry"
---| "throttled"
---| "cut_short"
---| "limiter"
---| "split"
---| "quarantined"
---| "resend"
---| "task"
---| "audience"
---| "lease"
---| "queue"
---| "drained"
---| "given_up"
---| "put_off"
---| "warning"

---@alias scope3.Event  what happens to a job or a wait; `event` says which it is
---| scope3.ProgressEvent
---| scope3.RequestEvent
---| scope3.AcceptedEvent
---| scope3.BlockedEvent
---| scope3.BarrierEvent
---| scope3.InDoubtEvent
---| scope3.RetryEvent
---| scope3.ThrottledEvent
---| scope3.CutShortEvent
---| scope3.LimiterEvent
---| scope3.SplitEvent
---| scope3.QuarantinedEvent
---| scope3.ResendEvent
---| scope3.TaskEvent
---| scope3.AudienceEvent
---| scope3.LeaseEvent
---| scope3.QueueEvent
---| scope3.DrainedEvent
---| scope3.GivenUpEvent
---| scope3.PutOffEvent
---| scope3.WarningEvent

---@class scope3.ProgressEvent  a slice of the input was read; for client:run and prepare
---@field event "progress"
---@field bytes? integer  of the input that were read
---@field size? integer  of the input, where it is known
---@field rows integer  read so far
---@field skipped integer  of them
---@field rejected integer  of them
---@field members integer  built so far
---@field result scope3.Result  as far as it is known
---@field file? {path: string, number: integer, count: integer}  where there are several

---@class scope3.RequestEvent  a request is started
---@field event "request"
---@field request integer  its number
---@field members integer
---@field bytes? integer

---@class scope3.AcceptedEvent  the service accepted a request
---@field event "accepted"
---@field request integer  its number
---@field members integer
---@field task_id? string

---@class scope3.BlockedEvent  a full request waits for the one before
---@field event "blocked"

---@class scope3.BarrierEvent  the next epoch waits for the tasks of this one
---@field event "barrier"
---@field tasks integer

---@class scope3.InDoubtEvent  the job waits, because a request that may still take effect would be contradicted
---@field event "in_doubt"
---@field seconds number

---@class scope3.RetryEvent  an attempt failed, and another follows
---@field event "retry"
---@field seconds number  until then
---@field attempt integer  the number of the one that failed
---@field message string
---@field status? integer
---@field code? string
---@field out? number  seconds that an outage has lasted
---@field left? number  seconds of `patience` that are left in it

---@class scope3.ThrottledEvent  the rate makes a request wait
---@field event "throttled"
---@field seconds number

---@class scope3.CutShortEvent  the service asked for a wait of over an hour
---@field event "cut_short"
---@field field "Retry-After"|"RateLimit-Reset"
---@field said number  the seconds that it asked for
---@field seconds number  that are waited

---@class scope3.LimiterEvent  the limiter's file had lost its counts, so requests wait for a minute; or its Redis does
---  not answer, or does again
---@field event "limiter"
---@field problem "damaged"|"removed"|"away"|"back"

---@class scope3.SplitEvent  the service found a request too large, and its halves go
---@field event "split"
---@field request integer  its number
---@field bytes integer  of the largest request from now on

---@class scope3.QuarantinedEvent  the service rejected members of a request, and the others go
---@field event "quarantined"
---@field request integer  its number
---@field members integer

---@class scope3.ResendEvent  requests go again whose tasks failed for a reason that passes
---@field event "resend"
---@field requests integer
---@field seconds number  until then

---@class scope3.TaskEvent  a task was asked for
---@field event "task"
---@field task_id string
---@field status string
---@field ended? integer  tasks that had ended before, where a result is waited for
---@field tasks? integer  of that wait

---@class scope3.AudienceEvent  an audience was asked for
---@field event "audience"
---@field audience_id string
---@field status string
---@field ended integer  audiences that had ended before this round
---@field audiences integer  of that wait

---@class scope3.LeaseEvent  the part of a drainer has changed
---@field event "lease"
---@field status "standby"|"quiet"|"active"|"released"|"left"
---@field seconds? number  that another one has the lease, or that this one is quiet

---@class scope3.QueueEvent  a queue was looked at
---@field event "queue"
---@field entries integer
---@field seconds? number  that the first of them waits
---@field result scope3.Drained  until now

---@class scope3.DrainedEvent  a batch has left a queue
---@field event "drained"
---@field entries integer
---@field members integer

---@class scope3.GivenUpEvent  members have left a queue without reaching the service; no count is 0
---@field event "given_up"
---@field failed? integer  members of requests that the service refused for good
---@field rejected_by_service? integer
---@field unreadable? integer  lines and entries that are none
---@field too_large? integer
---@field message string
---@field code? string  of the service
---@field status? integer

---@class scope3.PutOffEvent  a try of a drainer failed
---@field event "put_off"
---@field seconds number  until the next one
---@field out number  seconds since the first failure; 0 at the first
---@field message string
---@field code? string
---@field status? integer

---@class scope3.WarningEvent  a Redis is not set up as it should be
---@field event "warning"
---@field code string
---@field message string
