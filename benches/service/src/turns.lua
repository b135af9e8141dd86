
-- Several paths take turns.
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
