.items | .name
