. + {label: env.HOME}
