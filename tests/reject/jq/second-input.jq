. + {next: (input? // null)}
