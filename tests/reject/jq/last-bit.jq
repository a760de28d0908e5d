.weight = (2 | pow(.; 0.1))
