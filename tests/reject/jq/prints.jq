.items |= map(debug)
