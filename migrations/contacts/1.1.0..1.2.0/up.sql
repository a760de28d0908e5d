CREATE VIEW contacts_unlike AS SELECT id FROM contacts WHERE email IS NOT lower(trim(mail));
