{label: "none"} + .
