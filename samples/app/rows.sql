-- Some rows for app-1.json.
INSERT INTO users (email, name) VALUES ('ada@example.org', 'Ada'), ('bob@example.org', NULL);
INSERT INTO products (sku, title, price) VALUES ('T-1', 'Tea', 4.5), ('M-1', 'Mug', 12);
INSERT INTO orders (customer, total, phone) VALUES (1, 16.5, '555-0100'), (2, 4.5, NULL), (1, 12, '555-0199');
