CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, mail TEXT);
INSERT INTO contacts VALUES (1, 'Ada', 'Ada@Example.org'), (2, 'Bo', ' bo@example.org'), (3, 'Cy', NULL);
