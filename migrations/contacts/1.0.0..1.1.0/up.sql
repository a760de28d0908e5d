UPDATE contacts SET email = lower(trim(mail)) WHERE email IS NULL;
