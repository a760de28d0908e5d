def up: .version = "1.1.0";
