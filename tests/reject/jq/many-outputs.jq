.items[]
