# A time as the old rows have it, milliseconds since 1970 or a text in UTC, as a text; nothing else is guessed.
def time($name):
  if type == "number" and . >= 0 and floor == . then
    "\(. / 1000 | floor | todate[:-1]).\("00\(. % 1000)"[-3:])Z"
  elif type == "string" and test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,3})?Z$") then
    .
  elif . == null then
    null
  else
    error("\($name) is not a time")
  end;

def times: (.createdAt? // null | time("createdAt")) as $c | (.updatedAt? // null | time("updatedAt")) as $u
  | {createdAt: $c} + if $u == null then {} else {updatedAt: $u} end;

# Members that are there, of those named.
def keep($names): . as $row | reduce $names[] as $n ({}; if $row[$n] == null then . else .[$n] = $row[$n] end);

# The thread of a context had no row of its own: its id is made from the context's.
def thread_of($context): if $context == null then null else "thread_\($context)" end;
