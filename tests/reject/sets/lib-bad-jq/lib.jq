def none: "none"
