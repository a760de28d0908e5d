-- What migrations/threads makes of stories, for SQLite.
CREATE TABLE thread_threads (id TEXT PRIMARY KEY, createdAt TEXT NOT NULL, status TEXT NOT NULL, updatedAt TEXT);
CREATE TABLE thread_contexts (id TEXT PRIMARY KEY, createdAt TEXT, key TEXT, thread_id TEXT REFERENCES thread_threads,
  content JSON, updatedAt TEXT);
CREATE TABLE thread_items (id TEXT PRIMARY KEY, createdAt TEXT, type TEXT, status TEXT, channel TEXT, content JSON,
  context_id TEXT REFERENCES thread_contexts, thread_id TEXT REFERENCES thread_threads);
CREATE TABLE thread_executions (id TEXT PRIMARY KEY, createdAt TEXT, status TEXT, updatedAt TEXT,
  context_id TEXT REFERENCES thread_contexts, thread_id TEXT REFERENCES thread_threads,
  reaction_id TEXT REFERENCES thread_items, trigger_id TEXT REFERENCES thread_items);
CREATE TABLE thread_steps (id TEXT PRIMARY KEY, createdAt TEXT, iteration INTEGER, status TEXT,
  execution TEXT REFERENCES thread_executions);
CREATE TABLE thread_parts (id TEXT PRIMARY KEY, idx INTEGER, key TEXT, part JSON, step TEXT REFERENCES thread_steps);
