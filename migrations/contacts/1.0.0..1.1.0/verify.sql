SELECT count(*) = 0 FROM contacts WHERE mail IS NOT NULL AND email IS NULL;
