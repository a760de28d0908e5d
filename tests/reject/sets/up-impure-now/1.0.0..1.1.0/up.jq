. + {label: (now | floor | tostring)}
