SELECT count(*) = 0 FROM contacts_unlike;
