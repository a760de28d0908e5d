"""app.py -- an InstantDB app that stands in for a real one: entities, links, transactions.

Of the server beside it.  It knows two links, of posts to users (author) and to
tags; whatever else is linked is refused, as is a post with the title
"forbidden": then nothing of the transaction is done.
"""

import copy

# entity, label, and the same from the other end
LINKS = [("posts", "author", "users", "posts"), ("posts", "tags", "tags", "posts")]
ONE = {("posts", "author")}


class Refused(Exception):
    pass


class App:
    def __init__(self):
        self.rows = {}  # entity -> id -> members
        self.links = set()  # (number of the link, id here, id there)

    def side(self, entity, label):
        """The number of a link, and whether entity is its first end."""
        for i, (a, forward, b, back) in enumerate(LINKS):
            if (a, forward) == (entity, label):
                return i, True
            if (b, back) == (entity, label):
                return i, False
        raise Refused("no link %s of %s" % (label, entity))

    def linked(self, entity, label, row):
        i, first = self.side(entity, label)
        return sorted(l[2] if first else l[1] for l in self.links if l[0] == i and (l[1] if first else l[2]) == row)

    def step(self, op, entity, row, what):
        have = self.rows.setdefault(entity, {})
        if op == "update":
            if what.get("title") == "forbidden":
                raise Refused("title: forbidden")
            have.setdefault(row, {}).update(copy.deepcopy(what))
        elif op == "delete":
            have.pop(row, None)
            ends = {i for i, l in enumerate(LINKS) if l[0] == entity}, {i for i, l in enumerate(LINKS) if l[2] == entity}
            self.links = {l for l in self.links if not (l[0] in ends[0] and l[1] == row or l[0] in ends[1] and l[2] == row)}
        elif op in ("link", "unlink"):
            for label, ids in what.items():
                i, first = self.side(entity, label)
                for other in ids if isinstance(ids, list) else [ids]:
                    link = (i, row, other) if first else (i, other, row)
                    if op == "unlink":
                        self.links.discard(link)
                        continue
                    if LINKS[i][:2] in ONE:
                        self.links = {l for l in self.links if l[0] != i or l[1] != link[1]}
                    self.links.add(link)
        else:
            raise Refused("no such step: %s" % op)

    def transact(self, steps):
        """All of them, or Refused and none."""
        rows, links = copy.deepcopy(self.rows), set(self.links)
        try:
            for step in steps:
                self.step(*step)
        except Refused:
            self.rows, self.links = rows, links
            raise

    def query(self, asked):
        answer = {}
        for entity, options in asked.items():
            have = self.rows.get(entity, {})
            ids = options.get("$", {}).get("where", {}).get("id", {}).get("$in", sorted(have))
            answer[entity] = []
            for row in ids:
                if row not in have:
                    continue
                made = {k: v for k, v in have[row].items() if v is not None}
                made["id"] = row
                for label in options:
                    if label != "$":
                        made[label] = [{"id": other} for other in self.linked(entity, label, row)]
                answer[entity].append(made)
        return answer

    def schema(self):
        return {"schema": {"refs": {
            "%s.%s" % l[:2]: {"forward-identity": ["f%d" % i, l[0], l[1]], "reverse-identity": ["r%d" % i, l[2], l[3]]}
            for i, l in enumerate(LINKS)}, "blobs": {}}}

    def dump(self):
        """Each row, with its links as its first end has them; a member of null is like none."""
        out = []
        for entity in sorted(self.rows):
            for row in sorted(self.rows[entity]):
                links = {l[1]: self.linked(entity, l[1], row) for l in LINKS if l[0] == entity}
                out.append([entity, row, {k: v for k, v in self.rows[entity][row].items() if v is not None},
                            {k: v for k, v in links.items() if v}])
        return out
