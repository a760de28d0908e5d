{label: } + .
