UPDATE contacts SET email = NULL WHERE email = lower(trim(mail));
