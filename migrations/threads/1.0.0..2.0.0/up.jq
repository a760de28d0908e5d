.id as $id | .data as $row
| if .entity == "context_contexts" then
    {entity: "thread_threads", id: thread_of($id), data: ($row | {status: (.status // "open")} + times)},
    {entity: "thread_contexts", id: $id, data: ($row | keep(["key", "content"]) + times), links: {thread: thread_of($id)}}
  elif .entity == "context_events" then
    {entity: "thread_items", id: $id, data: ($row | keep(["type", "channel", "status", "content"]) + times),
     links: {context: $row.context, thread: thread_of($row.context)}}
  elif .entity == "story_executions" then
    {entity: "thread_executions", id: $id, data: ($row | keep(["status"]) + times),
     links: {context: $row.context, thread: thread_of($row.context), trigger: $row.trigger, reaction: $row.reaction}}
  elif .entity == "story_steps" then
    {entity: "thread_steps", id: $id, data: ($row | keep(["status", "iteration"]) + times), links: {execution: $row.execution}}
  elif .entity == "story_parts" then
    {entity: "thread_parts", id: $id, data: ($row | keep(["key", "idx", "part"])), links: {step: $row.step}}
  else
    error("no thread is made of \(.entity)")
  end
