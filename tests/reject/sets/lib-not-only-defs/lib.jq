def none: "none"; .run_id
