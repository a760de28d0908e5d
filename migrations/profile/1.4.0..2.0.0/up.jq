repin("retail-sales@1.4.0"; "retail-sales@2.0.0")
| del(.dedupe_key) + {dedupe: {keys: (.dedupe_key | split("+")), window_hours: 24}}
