. + {label: (pow(2; 0.5) | tostring)}
