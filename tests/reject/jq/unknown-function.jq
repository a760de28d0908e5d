.version = "1.1.0"
| .items |= uniq
