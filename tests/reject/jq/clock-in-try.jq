.updated_at = (try now catch 0)
