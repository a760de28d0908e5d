import "labels" as l; . + {label: l::none}
