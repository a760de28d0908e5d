. + {label: input}
