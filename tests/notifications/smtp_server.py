"""A real SMTP server as a process of its own: `python -m tests.notifications.smtp_server FILE`.

It prints its port and appends each mail it takes to FILE as a line of JSON. It refuses recipients
whose address begins with `refused` for good, and with `busy` for now.
"""

import asyncio
import json
import sys
from email import message_from_bytes
from email.policy import SMTP as POLICY
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """Writes what arrives to a file before it says that it has it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if address.startswith("refused"):
            return "550 no such mailbox"
        if address.startswith("busy"):
            return "451 try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  (aiosmtpd's name)
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
    ) -> str:
        mail = message_from_bytes(envelope.original_content or b"", policy=POLICY)
        headers = {name: str(value) for name, value in mail.items()}
        line = {"to": envelope.rcpt_tos, "headers": headers, "text": mail.get_content()}
        with self.file.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return "250 taken"


async def main(file: Path) -> None:
    """Serve until standard input ends: the test that started it is gone then."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Mailbox(file)), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  (its port)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
