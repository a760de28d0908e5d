# Switch every step that names profile $from to $to; other profiles stay pinned.
def repin($from; $to):
  . + {steps: [.steps[] | if .profile == $from then . + {profile: $to} else . end]};
