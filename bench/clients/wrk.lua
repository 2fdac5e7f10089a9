-- The floor: the same body over as many connections, signed by nobody.

local file = io.open("bench/clients/body.json", "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
file:close()

function done(summary)
  local errors = summary.errors
  if errors.connect + errors.read + errors.write + errors.status + errors.timeout > 0 then
    error("a post failed")
  end
  print(string.format(
    '{"posts": %d, "seconds": %f, "cpu_seconds": %f, "warm_up": 0}',
    summary.requests, summary.duration / 1e6, os.clock()
  ))
end
