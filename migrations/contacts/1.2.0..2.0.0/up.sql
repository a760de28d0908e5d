DROP VIEW contacts_unlike;
ALTER TABLE contacts DROP COLUMN mail;
