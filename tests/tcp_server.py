"""A TCP server on loopback for a fake of a network edge: one thread for each client."""

import contextlib
import socket
import ssl
import threading


@contextlib.contextmanager
def running(serve, address="127.0.0.1", port=0):
    """Call `serve(connection)` for each client; yields the port.

    What a client does not wait for (it hangs up, it does not like the certificate) is no error.
    """
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(128)
        accepting = threading.Thread(target=_accept, args=(listener, serve), daemon=True)
        accepting.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join(10)


def _accept(listener, serve):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # it is over
            return
        threading.Thread(target=_serve, args=(connection, serve), daemon=True).start()


def _serve(connection, serve):
    with contextlib.suppress(OSError, ssl.CertificateError), connection:
        serve(connection)
