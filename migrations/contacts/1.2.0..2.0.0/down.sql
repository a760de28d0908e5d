ALTER TABLE contacts ADD COLUMN mail TEXT;
UPDATE contacts SET mail = email;
CREATE VIEW contacts_unlike AS SELECT id FROM contacts WHERE email IS NOT lower(trim(mail));
