"""Stand between a client and a PostgreSQL server, and cut the line: pgproxy.py DIR SERVER

Listens on the socket in DIR and passes everything on to the one in SERVER; both
are what libpq calls a host.  DIR/cut, if it is there when a connection begins,
says "N WHEN", and is removed: that connection is cut at its request number N,
counted from 1 (0: never), a request being what the server answers at once:
    before   the request does not reach the server
    during   it does, and nobody waits for what the server says
    after    it does, and the answer, which has come, does not reach the client
Others are left alone.  DIR/requests has the number of requests of that connection.
"""
import os
import socket
import struct
import sys
import threading

there, server = sys.argv[1:]
NAME = "/.s.PGSQL.5432"


def take(conn, n):
    data = b""
    while len(data) < n:
        more = conn.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def message(conn, typed=True):
    head = take(conn, 5 if typed else 4)
    return head + take(conn, struct.unpack("!I", head[-4:])[0] - 4)


def close(*conns):
    for conn in conns:
        try:
            conn.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        conn.close()


class Line:
    def __init__(self, client):
        self.client, self.requests, self.cut = client, 0, None
        try:
            with open(there + "/cut") as f:
                cut, self.when = f.read().split()
            os.unlink(there + "/cut")
            self.cut = int(cut)
        except FileNotFoundError:
            pass
        self.server = socket.socket(socket.AF_UNIX)
        self.server.connect(server + NAME)
        self.deaf = False  # the server's answers are kept from the client
        self.answered = threading.Event()

    def is_last(self):
        self.requests += 1
        if self.cut is not None:
            with open(there + "/requests", "w") as f:
                f.write(str(self.requests))
        return self.requests == self.cut

    def up(self):
        """What the client says; the first message has no type."""
        try:
            typed, data = False, b""
            while True:
                m = message(self.client, typed)
                if not typed and m[4:8] in (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30"):
                    self.client.sendall(b"N")  # neither TLS nor GSSAPI
                    continue
                ends = not typed or m[:1] in b"QSp"
                typed, data = True, data + m
                if not ends:
                    continue
                if self.is_last():
                    if self.when == "before":
                        break
                    self.deaf = True
                    self.answered.clear()
                    self.server.sendall(data)
                    if self.when == "after":
                        self.answered.wait(10)
                    break
                self.server.sendall(data)
                data = b""
        except (EOFError, OSError):
            pass
        close(self.client, self.server)

    def down(self):
        try:
            while True:
                m = message(self.server)
                if not self.deaf:
                    self.client.sendall(m)
                elif m[:1] in b"ZE":
                    self.answered.set()
        except (EOFError, OSError):
            self.answered.set()
            close(self.client)


listener = socket.socket(socket.AF_UNIX)
listener.bind(there + NAME)
listener.listen(8)
os.chmod(there + NAME, 0o777)
while True:
    line = Line(listener.accept()[0])
    for work in (line.up, line.down):
        threading.Thread(target=work, daemon=True).start()
