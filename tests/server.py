"""A file server on 127.0.0.1 that can fail in the ways of real hosts."""

import http.server
import re
import threading
from pathlib import Path


class Host:
    """Serves the files of a folder, with ranges, ETag and If-Range.

    Attributes:
        address: http://127.0.0.1:port
        asked: (path, Range header or "") of every request.
        cut: path -> numbers of bytes after which the connection is cut, one for each of the next requests.
        busy: path -> how many of the next requests get 503.
        ranges: False for a host that always sends the whole file.
        headers: sent with every file.
        shift: bytes that a part begins before the one that was asked for, as of a host that cannot count.
    """

    def __init__(self, folder: Path):
        self.folder, self.asked, self.cut, self.busy, self.ranges = Path(folder), [], {}, {}, True
        self.headers, self.shift = {}, 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"host": self}))
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    host: Host

    def do_GET(self):
        host, path = self.host, self.path.partition("?")[0]
        wanted = self.headers.get("Range", "")
        host.asked.append((path, wanted))
        if host.busy.get(path, 0) > 0:
            host.busy[path] -= 1
            self.send_error(503)
            return
        file = host.folder / path.lstrip("/")
        if not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        etag = f'"{hash(content):x}"'
        start = 0
        if host.ranges and wanted and self.headers.get("If-Range", etag) == etag:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) - host.shift
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        for name, value in {"ETag": etag, **host.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        cuts = host.cut.get(path)
        self.wfile.write(content[start : start + cuts.pop(0)] if cuts else content[start:])
        self.close_connection = True

    def log_message(self, *args):
        pass
