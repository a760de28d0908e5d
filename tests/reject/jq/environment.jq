.owner = env.USER
