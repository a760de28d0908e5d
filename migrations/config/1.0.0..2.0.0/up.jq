if .datasources | has("legacy_reporting") then
  . + {datasources: (.datasources | del(.legacy_reporting) + {warehouse: .legacy_reporting})}
else . end
