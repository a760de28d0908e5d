{late_rows: "accept"} + repin("retail-sales@1.3.0"; "retail-sales@1.4.0")
