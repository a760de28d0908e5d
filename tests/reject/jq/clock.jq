.updated_at = (now | todate)
