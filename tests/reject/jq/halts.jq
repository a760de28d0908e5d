if .version == "1.0.0" then halt_error else . end
