-- Sends predictions and prints what came of them. Arguments: the body, then one path or more; the
-- functions for several are in turns.lua.
local requests, turn = {}, 0

function init(args)
  wrk.method = "POST"
  wrk.headers["content-type"] = "application/json"
  wrk.body = args[1]
  wrk.path = args[2]
  for i = 2, #args do
    requests[i - 1] = wrk.format(nil, args[i])
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"not_ok":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
