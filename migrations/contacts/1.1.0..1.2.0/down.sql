DROP VIEW contacts_unlike;
