"""All services of one stack, by name."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shared.local import ports
from shared.local.errors import StackError
from shared.local.identity import Identity
from shared.local.processes import Service, ServiceProcess, ServiceStatus


class Services:
    """The services that were ever started in a stack; `changed` is called when that changes."""

    def __init__(self, home: Path, changed: Callable[[], None]) -> None:
        self.home = home
        self._changed = changed
        self._all: dict[str, ServiceProcess] = {}

    def __getitem__(self, name: str) -> ServiceProcess:
        """Give the process of a service. Errors: KeyError if it was never started here."""
        return self._all[name]

    def adopt(self, health_ports: Mapping[str, int], pids: Mapping[str, Identity]) -> None:
        """Take the services from the stack's state."""
        for name in set(self._all) - set(health_ports):
            del self._all[name]
        for name, port in health_ports.items():
            self._enter(name, port).who = pids.get(name)

    def health_ports(self) -> dict[str, int]:
        """Give the port of each, for the stack's state."""
        return {name: one.health_port for name, one in self._all.items()}

    def pids(self) -> dict[str, Identity]:
        """Give the process of each that was started, for the stack's state."""
        return {name: one.who for name, one in self._all.items() if one.who is not None}

    def start(
        self,
        services: Sequence[Service],
        env: Mapping[str, str],
        say: Callable[[str], None],
        but: Collection[int] = (),
    ) -> dict[str, str]:
        """Start those that do not run, on none of the ports in `but`, which others have.

        Each keeps the port that was chosen for it, unless another program listens there now. Gives
        by name why some were not started: the port that a service asks for is taken.
        """
        failed: dict[str, str] = {}
        asleep = [one for one in services if not self._lives(one.name)]
        wanting = [one for one in asleep if not (one.health_port or self._can_keep(one.name))]
        chosen = ports.choose(len(wanting), but={*but, *self.health_ports().values()})
        port_of = {one.name: port for one, port in zip(wanting, chosen, strict=True)}
        for service in asleep:
            port = service.health_port or port_of.get(service.name)
            process = self._enter(service.name, port or self._all[service.name].health_port)
            say(f"starting {service.name}")
            try:
                process.start(service.argv, env)
            except StackError as error:
                failed[service.name] = str(error)
        return failed

    def _lives(self, name: str) -> bool:
        return name in self._all and self._all[name].pid is not None

    def _can_keep(self, name: str) -> bool:
        return name in self._all and ports.is_free(self._all[name].health_port)

    def wait_ready(self, services: Sequence[Service]) -> dict[str, str]:
        """Wait until each of these says that it is ready; give, by name, why some are not."""
        failed: dict[str, str] = {}
        for service in services:
            try:
                self._all[service.name].wait_ready()
            except StackError as error:
                failed[service.name] = str(error)
        return failed

    def stop(self, say: Callable[[str], None], *, abruptly: bool) -> None:
        """Stop all, at the same time; without asking, if nothing is to be kept."""
        living = [one for one in self._all.values() if one.pid is not None]
        if not living:
            return
        say(f"stopping {', '.join(one.name for one in living)}")
        with ThreadPoolExecutor(len(living)) as pool:
            if abruptly:
                list(pool.map(lambda one: one.stop(grace=0), living))
            else:
                list(pool.map(lambda one: one.stop(), living))

    def forget(self, name: str) -> None:
        """Stop a service and remove it from the state: it no longer belongs to the stack."""
        self._all.pop(name).stop()
        self._changed()

    def status(self) -> list[ServiceStatus]:
        """Ask each how it is."""
        return [self._all[name].status() for name in sorted(self._all)]

    def _enter(self, name: str, port: int) -> ServiceProcess:
        if name not in self._all:
            self._all[name] = ServiceProcess(
                name, home=self.home, health_port=port, changed=self._changed
            )
        self._all[name].health_port = port
        return self._all[name]
