.day = (0 | localtime | strftime("%A"))
